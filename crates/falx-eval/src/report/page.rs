//! The page from top to foot.

use falx_core::Label;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Picture, Report, STYLE, TrainingCurve, charts, data_uri, tables};
use crate::text::{STUDY_LOSS, count, interval, percent, thousands, value, verdict};
use crate::{Evaluation, StudyScores, Verdict};

pub(super) fn page(report: &Report) -> Markup {
    let e = &report.evaluation;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (report.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { (report.title) }
                        p class="subtitle" { (report.subtitle) }
                    }
                    (headline(e))
                    (warnings(e))
                    section {
                        h2 { "Each label" }
                        (tables::labels(&e.labels, &count(e.slices, "slice")))
                    }
                    @if let Some(s) = &e.study { (study(s)) }
                    (training(&report.curves))
                    (panels(e))
                    (operating(e))
                    (pictures(&report.pictures))
                    (notes(report))
                }
                footer { p { "Research use; not a medical device." } }
            }
        }
    }
}

fn headline(e: &Evaluation) -> Markup {
    let loss = &e.weighted_log_loss;
    let class = match e.verdict {
        Verdict::Skill => "verdict good",
        Verdict::Unclear => "verdict unclear",
        Verdict::WorseThanNoSkill => "verdict bad",
    };
    html! {
        section class="headline" {
            h2 { "Result" }
            dl class="figures" {
                div {
                    dt { "Weighted log loss" }
                    dd class="big" { (value(loss.value, 4, false)) }
                    dd { "95 % interval " (interval(loss, 4, false).replace('–', "not available")) }
                }
                @if let Some(b) = e.baselines.first() {
                    div {
                        dt { "No skill: " (b.name) }
                        dd class="big quiet" { (value(b.weighted_log_loss, 4, false)) }
                        dd { "for every slice, without looking" }
                    }
                    @if let Some(s) = b.skill {
                        div {
                            dt { "Skill against it" }
                            dd class=(if s.value > 0.0 { "big" } else { "big bad" }) { (percent(s.value, 1)) }
                            dd {
                                @if let (Some(low), Some(high)) = (s.low, s.high) {
                                    "95 % interval " (percent(low, 1)) " to " (percent(high, 1))
                                } @else { "no interval" }
                            }
                        }
                    }
                }
            }
            @if let Some(b) = e.baselines.first() {
                p class=(class) { (verdict(e.verdict, &b.name)) }
            }
            figure class="losses" { (charts::losses(e)) }
            p class="how" {
                (count(e.slices, "slice")) " of " (count(e.patients, "patient"))
                ". The loss is the competition's: six labels, " i { "any" } " counted twice, probabilities clipped at 10"
                sup { "−15" } ". Intervals: 2.5 and 97.5 percentiles over " (thousands(u64::from(e.replicates)))
                " resamples of whole patients."
            }
            (tables::baselines(&e.baselines))
        }
    }
}

fn warnings(e: &Evaluation) -> Markup {
    html! {
        @if !e.warnings.is_empty() {
            aside class=(if e.verdict == Verdict::WorseThanNoSkill { "mind bad" } else { "mind" }) aria-label="Warnings" {
                h2 { "Mind" }
                ul { @for warning in &e.warnings { li { (warning) } } }
            }
        }
    }
}

fn study(s: &StudyScores) -> Markup {
    html! {
        section {
            h2 { "Each study" }
            p {
                "A study's prediction is the highest of its slices'; a label is positive where one slice is. Weighted log loss "
                b { (value(s.weighted_log_loss.value, 4, false)) }
                " (" (interval(&s.weighted_log_loss, 4, false).replace('–', "no interval")) ")"
                @if let Some(b) = s.baselines.first() {
                    "; the " (b.name) " scores " (value(b.weighted_log_loss, 4, false)) ". "
                    @if s.verdict == Verdict::WorseThanNoSkill {
                        span class="bad" { "Worse than no skill. " (STUDY_LOSS) }
                    }
                }
            }
            (tables::labels(&s.labels, &format!("{} of {}", count(s.studies, "study"), count(s.patients, "patient"))))
        }
    }
}

fn training(curves: &[TrainingCurve]) -> Markup {
    let mut groups: Vec<Vec<&TrainingCurve>> = Vec::new();
    for curve in curves {
        let word = charts::last_word(&curve.name);
        let shares = |g: &&mut Vec<&TrainingCurve>| {
            g.first()
                .is_some_and(|c| charts::last_word(&c.name) == word)
        };
        match groups.iter_mut().find(shares) {
            Some(group) => group.push(curve),
            None => groups.push(vec![curve]),
        }
    }
    html! {
        @if !groups.is_empty() {
            section {
                h2 { "Training" }
                div class="charts" { @for group in &groups { (charts::training(group)) } }
            }
        }
    }
}

fn panels(e: &Evaluation) -> Markup {
    html! {
        section {
            h2 { "Ranking" }
            p { "ROC curves over slices. Dashed: no skill." }
            div class="panels" { @for s in &e.labels { (charts::roc(s)) } }
        }
        section {
            h2 { "Calibration" }
            p { "Slices sorted by prediction into at most ten bins of about equal size: mean prediction against the share that is positive, with 95 % intervals. Dashed: perfect agreement. Axes end where the data do." }
            div class="panels" { @for s in &e.labels { (charts::reliability(s)) } }
        }
    }
}

fn operating(e: &Evaluation) -> Markup {
    let any = e.labels.iter().find(|s| s.label == Label::Any);
    html! {
        @if let Some(any) = any.filter(|s| !s.operating_points.is_empty()) {
            section {
                h2 { "As a test" }
                (tables::operating_points(any))
            }
        }
    }
}

fn pictures(pictures: &[Picture]) -> Markup {
    let mut groups: Vec<(&str, Vec<&Picture>)> = Vec::new();
    for picture in pictures {
        match groups.iter_mut().find(|(name, _)| *name == picture.group) {
            Some((_, group)) => group.push(picture),
            None => groups.push((&picture.group, vec![picture])),
        }
    }
    html! {
        @if !groups.is_empty() {
            section {
                h2 { "Slices" }
                @for (name, group) in &groups {
                    @if !name.is_empty() { h3 { (name) } }
                    div class="pictures" {
                        @for picture in group {
                            figure {
                                img src=(data_uri::png(&picture.png)) alt=(picture.caption);
                                figcaption { (picture.caption) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn notes(report: &Report) -> Markup {
    html! {
        @if !report.notes.is_empty() {
            section {
                h2 { "Notes" }
                @for note in &report.notes { p { (note) } }
            }
        }
        @if !report.facts.is_empty() {
            section {
                h2 { "Facts" }
                (tables::facts(&report.facts))
            }
        }
    }
}
