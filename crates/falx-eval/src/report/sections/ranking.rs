//! ROC curves.

use maud::{Markup, html};

use super::super::charts;
use super::super::table;
use super::Section;
use crate::text::percent;
use crate::{Evaluation, LabelScore};

const SPECIFICITIES: [f64; 5] = [0.99, 0.95, 0.9, 0.8, 0.5];

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    if e.labels.iter().all(|s| s.roc.is_empty()) {
        return None;
    }
    let studies = e.study.as_ref().map(|s| &s.labels);
    let body = html! {
        p { "How well positive cases are ranked above negative ones, whatever the threshold. Dashed: no skill. Band: 95 % interval of the sensitivity at each \
             specificity by itself; a whole curve leaves it more often." }
        @if studies.is_some() { h3 { "Over slices" } }
        (level(&e.labels, e.unit.many()))
        @if let Some(labels) = studies {
            h3 { "Over studies" }
            (level(labels, "studies"))
        }
    };
    Some(Section {
        id: "ranking",
        title: "Ranking",
        body,
    })
}

fn level(labels: &[LabelScore], level: &str) -> Markup {
    let columns: Vec<table::Column> = std::iter::once(table::words("Label"))
        .chain(SPECIFICITIES.map(|at| table::number(&format!("at {}", percent(at, 0)))))
        .collect();
    let rows: Vec<Vec<Markup>> = labels
        .iter()
        .map(|s| {
            let at = |specificity: f64| {
                let point = s.roc_band.iter().find(|p| p.specificity == specificity);
                table::share(point.map(|p| &p.sensitivity))
            };
            std::iter::once(table::cell(s.label.name()))
                .chain(SPECIFICITIES.map(at))
                .collect()
        })
        .collect();
    html! {
        (charts::panels(labels.iter().map(|s| charts::roc(s, level))))
        (areas(labels, level))
        (table::folded(
            &format!("ROC curves, {level}"),
            &table::cell("Sensitivity at fixed specificities; small figures: 95 % intervals. More points: roc.csv and roc_band.csv."),
            &columns,
            &rows,
        ))
    }
}

fn areas(labels: &[LabelScore], level: &str) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("AUC, resampled"),
        table::number("AUC, by formula"),
        table::number("Area at few false alarms"),
        table::number("Average precision"),
        table::number("Share that is positive"),
    ];
    let rows: Vec<Vec<Markup>> = labels
        .iter()
        .map(|s| {
            vec![
                table::cell(s.label.name()),
                table::estimate(s.auc.as_ref(), 3, s.few),
                table::estimate(s.auc_delong.as_ref(), 3, s.few),
                table::estimate(s.partial_auc.as_ref(), 3, s.few),
                table::estimate(s.average_precision.as_ref(), 3, s.few),
                table::cell(percent(s.positives as f64 / s.known.max(1) as f64, 1)),
            ]
        })
        .collect();
    let caption = table::cell(
        "Small figures: 95 % intervals. By formula: DeLong’s, clustered by patient. At few false alarms: specificity of at least 90 %, \
         standardised (0.5 is chance). Average precision without skill is the share that is positive.",
    );
    table::table(&format!("Areas, {level}"), &caption, &columns, &rows)
}
