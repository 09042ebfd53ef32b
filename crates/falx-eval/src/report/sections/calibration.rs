//! Whether probabilities agree with frequencies.

use maud::{Markup, html};

use super::super::{charts, table};
use super::Section;
use crate::text::{interval, thousands, value};
use crate::{Evaluation, LabelScore};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    if e.labels.iter().all(|s| s.calibration.bins.is_empty()) {
        return None;
    }
    let body = html! {
        p {
            "Slices sorted by prediction into at most ten bins of about equal size: mean prediction against the share that is \
             positive, with 95 % intervals. Dashed: perfect agreement. Axes end where the data do."
        }
        (charts::panels(e.labels.iter().map(|s| charts::reliability(s, "slices"))))
        (bins(&e.labels))
    };
    Some(Section {
        id: "calibration",
        title: "Calibration",
        body,
    })
}

fn bins(labels: &[LabelScore]) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("Mean prediction"),
        table::number("Observed"),
        table::number("95 % interval"),
        table::number("Slices"),
    ];
    let rows: Vec<Vec<Markup>> = labels
        .iter()
        .flat_map(|s| s.calibration.bins.iter().map(move |b| (s, b)))
        .map(|(s, b)| {
            [
                s.label.name().to_owned(),
                value(b.predicted, 4, false),
                value(b.observed.value, 4, false),
                interval(&b.observed, 4, false),
                thousands(b.count),
            ]
            .into_iter()
            .map(table::cell)
            .collect()
        })
        .collect();
    table::folded(
        "reliability, slices",
        &table::cell("One row a bin."),
        &columns,
        &rows,
    )
}
