//! What acting on the predictions is worth.

use maud::{Markup, html};

use super::super::{charts, table};
use super::Section;
use super::operating::levels;
use crate::Evaluation;
use crate::operating::DecisionCurve;
use crate::text::{interval, percent, value};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let curves: Vec<(&str, &DecisionCurve)> = levels(e)
        .into_iter()
        .filter_map(|(level, any)| Some((level, any.decision_curve.as_ref()?)))
        .collect();
    if curves.is_empty() {
        return None;
    }
    let body = html! {
        p {
            "Net benefit of acting on an alarm of any: haemorrhages found in each case, less the false alarms, weighed by the \
             threshold at which one would act (at 5 %, one found is worth 19 false alarms). Worth something where the curve lies \
             above both acting on everybody and acting on nobody. Band: 95 % interval. The curve takes probabilities at their word, so \
             it asks for calibrated ones."
        }
        div class="charts" { @for (level, curve) in &curves { (charts::decision(curve, level)) } }
        @for (level, curve) in &curves { (figures(curve, level)) }
    };
    Some(Section {
        id: "decision",
        title: "What acting on it is worth",
        body,
    })
}

fn figures(curve: &DecisionCurve, level: &str) -> Markup {
    let columns = [
        table::words("Act from"),
        table::number("Net benefit"),
        table::number("95 % interval"),
        table::number("Acting on everybody"),
        table::number("Above the better of all and none"),
        table::number("Actions spared in 100"),
    ];
    let rows: Vec<Vec<Markup>> = curve
        .points
        .iter()
        .map(|p| {
            [
                percent(p.threshold, 0),
                value(p.net_benefit.value, 4, false),
                interval(&p.net_benefit, 4, false),
                value(p.treat_all, 4, false),
                value(p.advantage.value, 4, false),
                value(p.spared_per_100, 1, false),
            ]
            .into_iter()
            .map(table::cell)
            .collect()
        })
        .collect();
    table::folded(
        &format!("decision curve, {level}"),
        &table::cell("One row a threshold."),
        &columns,
        &rows,
    )
}
