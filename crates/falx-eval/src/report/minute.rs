//! The top of the page: what a clinician reads in a minute.

use maud::{Markup, html};

use super::charts;
use super::svg::Alternative;
use crate::summary::{self, Detection, Summary};
use crate::text::thousands;
use crate::{Evaluation, Verdict};

pub(super) fn summary(e: &Evaluation) -> Markup {
    let s = summary::of(e);
    html! {
        section class="minute" aria-labelledby="minute-h" {
            h2 id="minute-h" { "In a minute" }
            (verdict(&s))
            (tested(&s))
            @if let Some(d) = &s.detection { (detection(d)) }
            @if let Some(words) = &s.calibration {
                div class="say" { h3 { "Can its probabilities be taken at their word?" } p { (words) } }
            }
            (warnings(e))
            (not_to_conclude(&s))
        }
    }
}

/// Words, symbol and colour say the same, so that each is enough.
fn verdict(s: &Summary) -> Markup {
    let class = match s.verdict {
        Verdict::Skill => "verdict good",
        Verdict::Unclear => "verdict unclear",
        Verdict::WorseThanNoSkill => "verdict bad",
    };
    html! {
        div class=(class) {
            (symbol(s.verdict))
            div {
                p class="headline" { (s.headline) }
                p { (s.comparison) }
            }
        }
    }
}

/// A tick in a circle, a question mark in a triangle, a cross in an octagon: told apart without colour.
fn symbol(verdict: Verdict) -> Markup {
    let (outline, sign) = match verdict {
        Verdict::Skill => ("M24 3A21 21 0 1 1 23.9 3Z", "M14 25L21.5 32.5L35 17"),
        Verdict::Unclear => (
            "M24 4L46 43H2Z",
            "M19 22C19 15.5 29 15.5 29 22C29 26 24 26 24 31M24 36.5V37.5",
        ),
        Verdict::WorseThanNoSkill => (
            "M15.5 3H32.5L45 15.5V32.5L32.5 45H15.5L3 32.5V15.5Z",
            "M16 16L32 32M32 16L16 32",
        ),
    };
    html! {
        svg class="symbol" viewBox="0 0 48 48" aria-hidden="true" {
            path class="outline" d=(outline) {}
            path class="sign" d=(sign) {}
        }
    }
}

fn tested(s: &Summary) -> Markup {
    html! {
        h3 class="heard" { "What was tested on whom" }
        dl class="tested" {
            @for (n, what) in &s.tested {
                div { dt { (what) } dd { (thousands(*n)) } }
            }
        }
    }
}

fn detection(d: &Detection) -> Markup {
    let found = Alternative {
        id: "found".to_owned(),
        title: d.found_sentence(),
        description: format!(
            "A hundred marks, {} of them filled: those found.",
            d.found.number()
        ),
    };
    let alarms = Alternative {
        id: "alarms".to_owned(),
        title: d.alarm_sentence(),
        description: format!(
            "A hundred marks, {} of them filled: the false alarms.",
            d.alarms.number()
        ),
    };
    html! {
        div class="say" {
            h3 { "What it finds, and how often it is wrong" }
            div class="pair" {
                figure {
                    figcaption { (d.found_sentence()) }
                    (charts::of_hundred(d.found.number(), "found", &found))
                }
                figure {
                    figcaption { (d.alarm_sentence()) }
                    (charts::of_hundred(d.alarms.number(), "alarms", &alarms))
                }
            }
            p class="how" {
                (d.threshold_sentence())
                " Measured on " (thousands(d.found.cases)) " " (d.unit) " with a haemorrhage and "
                (thousands(d.alarms.cases)) " without."
                @if d.found.share.low.is_some() { " In brackets: 95 % intervals." }
            }
        }
    }
}

fn warnings(e: &Evaluation) -> Markup {
    html! {
        @if !e.warnings.is_empty() {
            div class=(if e.verdict == Verdict::WorseThanNoSkill { "mind bad" } else { "mind" }) {
                h3 { "Mind" }
                ul { @for warning in &e.warnings { li { (warning) } } }
            }
        }
    }
}

fn not_to_conclude(s: &Summary) -> Markup {
    html! {
        div class="say" {
            h3 { "What must not be concluded" }
            ul class="plain" { @for what in &s.not_to_conclude { li { (what) } } }
        }
    }
}
