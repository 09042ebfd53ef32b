//! Whether probabilities agree with frequencies.

use maud::{Markup, html};

use super::super::{charts, table};
use super::Section;
use crate::calibration::CAVEAT;
use crate::text::{interval, thousands, value};
use crate::{Evaluation, LabelScore, UnitOfAnalysis};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    if e.labels.iter().all(|s| s.calibration.bins.is_empty()) {
        return None;
    }
    let unit = match e.unit {
        UnitOfAnalysis::Slice => "slices",
        UnitOfAnalysis::Study => "studies",
    };
    let body = html! {
        p {
            "Cases (" (unit) ") sorted by prediction into at most ten bins of about equal size: mean prediction against the share \
             that is positive, with 95 % intervals. Dashed: perfect agreement. Grey band: where 95 % of the points would lie by \
             chance if the predictions were right. Axes end where the data do."
        }
        (charts::panels(e.labels.iter().map(|s| charts::reliability(s, unit))))
        (bins(&e.labels, unit))
        (measures(&e.labels))
        p class="how" { (CAVEAT) }
    };
    Some(Section {
        id: "calibration",
        title: "Calibration",
        body,
    })
}

fn measures(labels: &[LabelScore]) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("Slope (1 is right)"),
        table::number("Intercept beside it"),
        table::number("In the large (0 is right)"),
        table::number("Expected error"),
        table::number("Debiased"),
        table::number("Largest"),
        table::number("Brier score"),
        table::number("Brier skill"),
    ];
    let rows: Vec<Vec<Markup>> = labels
        .iter()
        .map(|s| {
            let c = &s.calibration;
            let plain = |x: Option<f64>, digits| {
                table::cell(x.map_or_else(|| "–".to_owned(), |x| value(x, digits, s.few)))
            };
            vec![
                table::cell(s.label.name()),
                table::estimate(c.slope.as_ref(), 3, s.few),
                table::estimate(c.intercept.as_ref(), 3, s.few),
                table::estimate(c.in_the_large.as_ref(), 3, s.few),
                plain(Some(c.expected_error), 4),
                plain(c.expected_error_debiased, 4),
                plain(c.maximum_error, 3),
                plain(c.brier.map(|b| b.score), 4),
                plain(c.brier.and_then(|b| b.skill), 3),
            ]
        })
        .collect();
    let caption = table::cell(
        "A slope below 1: predictions are too extreme; in the large above 0: too low (both in logits). Brier skill: 1 − score / that \
         of the prevalence.",
    );
    let without = labels.iter().filter_map(|s| {
        let why = s.calibration.slope_undefined.as_ref()?;
        Some((s.label.name(), format!("no slope, for {why}.")))
    });
    html! {
        (table::table("Measures of calibration", &caption, &columns, &rows))
        (table::remarks(without))
    }
}

fn bins(labels: &[LabelScore], unit: &str) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("Mean prediction"),
        table::number("Observed"),
        table::number("95 % interval"),
        table::number("Band of chance"),
        table::number("Cases"),
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
                format!(
                    "{} to {}",
                    value(b.consistency_low, 4, false),
                    value(b.consistency_high, 4, false)
                ),
                thousands(b.count),
            ]
            .into_iter()
            .map(table::cell)
            .collect()
        })
        .collect();
    table::folded(
        &format!("reliability, {unit}"),
        &table::cell("One row a bin."),
        &columns,
        &rows,
    )
}
