//! The predictions as a test: thresholds that other patients chose, and what they do on these.

use falx_core::Label;
use maud::{Markup, html};

use super::super::table;
use super::Section;
use crate::operating::HEADLINE_RULE;
use crate::operating::{ChosenOn, LockedPoint, LockedPoints, Performance};
use crate::text::{percent, thousands, threshold};
use crate::{Evaluation, LabelScore, UnitOfAnalysis};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let levels: Vec<(&str, &LabelScore)> = levels(e)
        .into_iter()
        .filter(|(_, s)| s.locked_points.is_some() || !s.operating_points.is_empty())
        .collect();
    if levels.is_empty() {
        return None;
    }
    let body = html! {
        p {
            "What happens if an alarm is raised at a threshold. A threshold that was chosen on the cases that it is judged on looks \
             better than it is, so other patients choose it here where they can. Brackets: 95 % intervals."
        }
        @for (level, any) in levels {
            h3 { "Over " (level) }
            @match &any.locked_points {
                Some(points) => (locked(points, any, level)),
                None => (same_cases(any, level)),
            }
        }
    };
    Some(Section {
        id: "test",
        title: "As a test",
        body,
    })
}

/// The scores of `any`, studies first: a clinic acts on these.
pub(super) fn levels(e: &Evaluation) -> Vec<(&'static str, &LabelScore)> {
    let main = match e.unit {
        UnitOfAnalysis::Slice => "slices",
        UnitOfAnalysis::Study => "studies",
    };
    let studies = e.study.as_ref().map(|s| ("studies", &s.labels));
    studies
        .into_iter()
        .chain([(main, &e.labels)])
        .filter_map(|(level, labels)| Some((level, labels.iter().find(|s| s.label == Label::Any)?)))
        .collect()
}

fn locked(points: &LockedPoints, s: &LabelScore, level: &str) -> Markup {
    let columns = [
        table::words("Rule"),
        table::number("Threshold"),
        table::number("Sensitivity"),
        table::number("Specificity"),
        table::number("Alarms that are right"),
        table::number("No alarm that is right"),
        table::number("Alarms among all"),
        table::number("Missed"),
        table::number("False alarms"),
    ];
    let rows: Vec<Vec<Markup>> = points.points.iter().map(locked_row).collect();
    let mut chosen = points.points.iter().map(|p| p.chosen_on);
    let chosen = chosen.find(|on| *on != ChosenOn::Fixed);
    let caption = html! {
        "Thresholds of " b { (s.label) }
        @if let Some(on) = chosen { ", " (on.words()) ". Below each rule: its sensitivity and specificity there" } "."
    };
    html! {
        (table::table(&format!("Locked thresholds of {}, {level}", s.label), &caption, &columns, &rows))
        (table::remarks(points.missing.iter().map(|missing| {
            (missing.name.as_str(), format!("no threshold, for {}.", missing.reason))
        })))
        @if let Some(point) = points.of(&HEADLINE_RULE) { (elsewhere(point, level)) }
    }
}

fn locked_row(p: &LockedPoint) -> Vec<Markup> {
    let hoped = p.development.as_ref().map(hoped);
    let rule = html! {
        span class="value" { (p.name) }
        @if p.chosen_on == ChosenOn::Fixed { span class="interval" { (p.chosen_on.words()) } }
        @if let Some(hoped) = hoped.flatten() { span class="interval" { (hoped) } }
    };
    let t = &p.test;
    vec![
        rule,
        table::cell(threshold(p.threshold)),
        table::share(t.sensitivity.as_ref()),
        table::share(t.specificity.as_ref()),
        table::share(t.positive_predictive_value.as_ref()),
        table::share(t.negative_predictive_value.as_ref()),
        table::share(t.alarm_rate.as_ref()),
        table::cell(thousands(t.confusion.false_negatives)),
        table::cell(thousands(t.confusion.false_positives)),
    ]
}

/// What the threshold promised on the cases that chose it.
fn hoped(p: &Performance) -> Option<String> {
    let (sensitivity, specificity) = (p.sensitivity?, p.specificity?);
    Some(format!(
        "there {:.1} and {:.1} %",
        100.0 * sensitivity.value,
        100.0 * specificity.value
    ))
}

/// What an alarm means where fewer, or more, have a haemorrhage than here.
fn elsewhere(point: &LockedPoint, level: &str) -> Markup {
    let columns = [
        table::words("With a haemorrhage"),
        table::number("Of 100 alarms are right"),
        table::number("Of 100 without an alarm have none"),
    ];
    let number = |x: Option<f64>| {
        table::cell(x.map_or_else(|| "–".to_owned(), |x| format!("{:.1}", 100.0 * x)))
    };
    let rows: Vec<Vec<Markup>> = point
        .test
        .elsewhere
        .iter()
        .map(|v| {
            vec![
                table::cell(format!("{} in 100", 100.0 * v.prevalence)),
                number(v.positive),
                number(v.negative),
            ]
        })
        .collect();
    let caption = table::cell(format!(
        "What an alarm means elsewhere ({}), sensitivity and specificity being the same.",
        point.name
    ));
    html! {
        @if !rows.is_empty() {
            div class="narrow" {
                (table::table(&format!("Predictive values at other prevalences, {level}"), &caption, &columns, &rows))
            }
        }
    }
}

/// Where nobody else chose: the thresholds of these cases, which says so in each row.
fn same_cases(s: &LabelScore, level: &str) -> Markup {
    let columns = [
        table::words("Rule"),
        table::number("Threshold"),
        table::number("Sensitivity"),
        table::number("Specificity"),
        table::number("Alarms that are right"),
        table::number("Missed"),
        table::number("False alarms"),
    ];
    let rows: Vec<Vec<Markup>> = s
        .operating_points
        .iter()
        .map(|p| {
            let rule = html! { span class="value" { (p.rule) } span class="interval" { (p.chosen_on.words()) } };
            let right = p
                .positive_predictive_value
                .map_or_else(|| "–".to_owned(), |v| percent(v, 1));
            let cells = [
                threshold(p.threshold),
                percent(p.sensitivity, 1),
                percent(p.specificity, 1),
                right,
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
