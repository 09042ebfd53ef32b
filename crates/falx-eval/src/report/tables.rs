//! The page's tables.

use maud::{Markup, html};

use super::charts;
use crate::text::{interval, percent, skill, thousands, value};
use crate::{Baseline, Estimate, LabelScore, OperatingPoint};

fn estimate(e: Option<&Estimate>, digits: usize, few: bool) -> Markup {
    html! {
        @if let Some(e) = e {
            span class="value" { (value(e.value, digits, few)) }
            span class="interval" { (interval(e, digits, few)) }
        } @else {
            span class="none" { "undefined" }
        }
    }
}

/// One row a label.
pub(super) fn labels(scores: &[LabelScore], cases: &str) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(format!("Scores of each label, {cases}")) {
            table {
                caption { "Each label, over " (cases) ". Small figures: 95 % intervals." }
                thead { tr {
                    th scope="col" { "Label" }
                    th scope="col" class="n" { "Positive" }
                    th scope="col" class="n" { "Patients" }
                    th scope="col" class="n" { "Log loss" }
                    th scope="col" class="n" { "No skill" }
                    th scope="col" class="n" { "AUC" }
                    th scope="col" class="wide" { span class="ends" { span { "0" } span { "0.5" } span { "1" } } }
                    th scope="col" class="n" { "Average precision" }
                } }
                tbody {
                    @for s in scores { (label(s)) }
                }
            }
        }
    }
}

fn label(s: &LabelScore) -> Markup {
    let worse = matches!(
        (s.log_loss, s.baseline_log_loss),
        (Some(loss), Some(baseline)) if loss.value > baseline
    );
    html! {
        tr {
            th scope="row" {
                (s.label)
                @if s.few { span class="note" { "an indication only" } }
                @if worse { span class="note bad" { "worse than no skill" } }
            }
            td class="n" { (thousands(s.positives)) }
            td class="n" { (thousands(s.positive_patients)) }
            td class="n" { (estimate(s.log_loss.as_ref(), 4, s.few)) }
            td class="n" {
                @if let Some(b) = s.baseline_log_loss { (value(b, 4, s.few)) } @else { "–" }
            }
            td class="n" { (estimate(s.auc.as_ref(), 3, s.few)) }
            td class="wide" { (charts::auc_bar(s)) }
            td class="n" { (estimate(s.average_precision.as_ref(), 3, s.few)) }
        }
    }
}

/// The no-skill baselines and the skill against each.
pub(super) fn baselines(rows: &[Baseline]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="No-skill baselines" {
            table {
                caption { "Predictions that know nothing of the image, on the same cases. Skill: 1 − loss / baseline." }
                thead { tr {
                    th scope="col" { "No-skill prediction" }
                    th scope="col" class="n" { "Weighted log loss" }
                    th scope="col" class="n" { "Skill of these predictions" }
                } }
                tbody {
                    @for b in rows {
                        tr {
                            th scope="row" { (b.name) }
                            td class="n" { (value(b.weighted_log_loss, 4, false)) }
                            td class="n" { (skill(b.skill.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

/// What one label's predictions do as a test.
pub(super) fn operating_points(s: &LabelScore) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(format!("Operating points of {}", s.label)) {
            table {
                caption { "Operating points of " b { (s.label) } ". Thresholds other than 0.5 were found on these same cases and look better than they are." }
                thead { tr {
                    th scope="col" { "Rule" }
                    th scope="col" class="n" { "Threshold" }
                    th scope="col" class="n" { "Sensitivity" }
                    th scope="col" class="n" { "Specificity" }
                    th scope="col" class="n" { "Positive predictive value" }
                    th scope="col" class="n" { "Missed" }
                    th scope="col" class="n" { "False alarms" }
                } }
                tbody {
                    @for p in &s.operating_points { (operating_point(p)) }
                }
            }
        }
    }
}

fn operating_point(p: &OperatingPoint) -> Markup {
    html! {
        tr {
            th scope="row" { (p.rule) }
            td class="n" { (format!("{:.4}", p.threshold)) }
            td class="n" { (percent(p.sensitivity, 1)) }
            td class="n" { (percent(p.specificity, 1)) }
            td class="n" {
                @if let Some(v) = p.positive_predictive_value { (percent(v, 1)) } @else { "–" }
            }
            td class="n" { (thousands(p.false_negatives)) }
            td class="n" { (thousands(p.false_positives)) }
        }
    }
}

/// What the result rests on.
pub(super) fn facts(rows: &[(String, String)]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Facts" {
            table class="facts" {
                caption { "What this result rests on." }
                tbody {
                    @for (name, text) in rows {
                        tr { th scope="row" { (name) } td { (text) } }
                    }
                }
            }
        }
    }
}
