//! The predictions as a test, at thresholds.

use falx_core::Label;
use maud::{Markup, html};

use super::super::table;
use super::Section;
use crate::text::{percent, thousands};
use crate::{Evaluation, LabelScore};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let levels = [
        ("slices", Some(&e.labels)),
        ("studies", e.study.as_ref().map(|s| &s.labels)),
    ];
    let levels: Vec<(&str, &LabelScore)> = levels
        .into_iter()
        .filter_map(|(level, labels)| {
            let any = labels?.iter().find(|s| s.label == Label::Any)?;
            (!any.operating_points.is_empty()).then_some((level, any))
        })
        .collect();
    if levels.is_empty() {
        return None;
    }
    let body = html! {
        p { "What happens if an alarm is raised at a threshold. Where the threshold comes from stands below its rule." }
        @for (level, any) in levels { (points(any, level)) }
    };
    Some(Section {
        id: "test",
        title: "As a test",
        body,
    })
}

fn points(s: &LabelScore, level: &str) -> Markup {
    let columns = [
        table::words("Rule"),
        table::number("Threshold"),
        table::number("Sensitivity"),
        table::number("Specificity"),
        table::number("Alarms that are right"),
        table::number("Found"),
        table::number("Missed"),
        table::number("False alarms"),
    ];
    let rows: Vec<Vec<Markup>> = s
        .operating_points
        .iter()
        .map(|p| {
            let right = p
                .positive_predictive_value
                .map_or_else(|| "–".to_owned(), |v| percent(v, 1));
            let rule = html! { span class="value" { (p.rule) } span class="interval" { (p.chosen_on.words()) } };
            let cells = [
                format!("{:.4}", p.threshold),
                percent(p.sensitivity, 1),
                percent(p.specificity, 1),
                right,
                thousands(p.true_positives),
                thousands(p.false_negatives),
                thousands(p.false_positives),
            ];
            std::iter::once(rule)
                .chain(cells.into_iter().map(table::cell))
                .collect()
        })
        .collect();
    let caption = html! { "Operating points of " b { (s.label) } " over " (level) "." };
    table::table(
        &format!("Operating points of {}, {level}", s.label),
        &caption,
        &columns,
        &rows,
    )
}
