//! The headline loss beside its baselines.

use maud::{Markup, html};

use super::super::{charts, table};
use super::Section;
use crate::text::{count, interval, percent, skill, thousands, value};
use crate::{Baseline, Evaluation};

pub(super) fn section(e: &Evaluation) -> Section {
    let loss = &e.weighted_log_loss;
    let body = html! {
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
                    dd { "for every " (e.unit.one()) ", without looking" }
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
        figure class="losses" { (charts::losses(loss, e.verdict, &e.baselines, "losses-slices")) }
        p class="how" {
            (count(e.slices, e.predicted().one())) " of " (count(e.patients, "patient"))
            ". The loss is the competition's: six labels, " i { "any" } " counted twice, probabilities clipped at 10"
            sup { "−15" } ". Intervals from " (thousands(u64::from(e.replicates)))
            " resamples of whole patients."
        }
        (baselines(&e.baselines, e.unit.many()))
    };
    Section {
        id: "losses",
        title: "Loss beside no skill",
        body,
    }
}

/// The no-skill baselines and the skill against each.
pub(super) fn baselines(rows: &[Baseline], level: &str) -> Markup {
    let columns = [
        table::words("No-skill prediction"),
        table::number("Weighted log loss"),
        table::number("Skill of these predictions"),
    ];
    let rows: Vec<Vec<Markup>> = rows
        .iter()
        .map(|b| {
            vec![
                table::cell(&b.name),
                table::cell(value(b.weighted_log_loss, 4, false)),
                table::cell(skill(b.skill.as_ref())),
            ]
        })
        .collect();
    table::table(
        &format!("No-skill baselines, {level}"),
        &table::cell(
            "Predictions that know nothing of the image, on the same cases. Skill: 1 − loss / baseline.",
        ),
        &columns,
        &rows,
    )
}
