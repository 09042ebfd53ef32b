//! One small drawing a label, side by side.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::super::svg::{Alternative, Axes, Frame, px, slug};
use crate::operating::RocBandPoint;
use crate::text::{percent, value, with_interval};
use crate::{Bin, LabelScore};

/// The panels side by side.
pub(in super::super) fn panels(panels: impl Iterator<Item = Markup>) -> Markup {
    html! { div class="panels" { @for panel in panels { (panel) } } }
}

fn panel(s: &LabelScore, line: &str, drawing: &Markup) -> Markup {
    html! {
        figure class="panel" {
            figcaption { strong { (s.label) } span { (line) } }
            (drawing)
        }
    }
}

/// One label's ROC curve; `level` is what was scored: slices or studies.
pub(in super::super) fn roc(s: &LabelScore, level: &str) -> Markup {
    let frame = Frame::square();
    let line = s.auc.map_or_else(
        || s.undefined.map_or_else(String::new, |u| u.to_string()),
        |auc| format!("AUC {}", with_interval(&auc, 3, s.few)),
    );
    let known = |p: &RocBandPoint| {
        let (low, high) = (p.sensitivity.low?, p.sensitivity.high?);
        Some((1.0 - p.specificity, low, high))
    };
    let band: Vec<(f64, f64, f64)> = s.roc_band.iter().filter_map(known).collect();
    let content = html! {
        @if !band.is_empty() { path class="band c0" d=(frame.band(&band)) {} }
        path class="chance" d=(frame.path(&[(0.0, 0.0), (1.0, 1.0)])) {}
        @if !s.roc.is_empty() { path class="curve c0" d=(frame.path(&s.roc)) {} }
    };
    let axes = Axes {
        x_name: "1 − specificity",
        y_name: "sensitivity",
        x_ticks: &[0.0, 0.5, 1.0],
        y_ticks: &[0.0, 0.5, 1.0],
    };
    let at_ten = sensitivity_at(&s.roc, 0.1);
    let says = Alternative {
        id: slug(&format!("roc {level} {}", s.label)),
        title: format!("ROC curve of {}, {level}", s.label),
        description: at_ten.map_or_else(
            || line.clone(),
            |share| {
                format!(
                    "{line}. At 10 % false alarms it finds {}.",
                    percent(share, 0)
                )
            },
        ),
    };
    panel(s, &line, &frame.draw(&says, &axes, &content))
}

/// The sensitivity that a curve reaches at a share of false alarms, read off its straight pieces.
fn sensitivity_at(roc: &[(f64, f64)], alarms: f64) -> Option<f64> {
    let after = roc.iter().position(|&(x, _)| x > alarms);
    let Some(after) = after else {
        return roc.last().map(|&(_, y)| y);
    };
    let &(x1, y1) = roc.get(after)?;
    let &(x0, y0) = roc.get(after.checked_sub(1)?)?;
    Some(y0 + (y1 - y0) * (alarms - x0) / (x1 - x0))
}

/// One label's reliability curve.
pub(in super::super) fn reliability(s: &LabelScore, level: &str) -> Markup {
    let bins = &s.calibration.bins;
    let top = bins
        .iter()
        .map(|b| {
            b.predicted
                .max(b.observed.value)
                .max(b.observed.high.unwrap_or(0.0))
                .max(b.consistency_high)
        })
        .fold(0.05, f64::max);
    // Rare labels live near zero: the axes end where the data do, alike in both directions.
    let end = [0.05, 0.1, 0.2, 0.5]
        .into_iter()
        .find(|e| top <= *e)
        .unwrap_or(1.0);
    let frame = Frame {
        x: (0.0, end),
        y: (0.0, end),
        ..Frame::square()
    };
    let content = html! {
        path class="band base" d=(frame.band(&consistent(bins))) {}
        path class="chance" d=(frame.path(&[(0.0, 0.0), (end, end)])) {}
        g class="mark" {
            @for b in bins {
                @if let (Some(low), Some(high)) = (b.observed.low, b.observed.high) {
                    line class="whisker thin" x1=(px(frame.x(b.predicted))) x2=(px(frame.x(b.predicted))) y1=(px(frame.y(low))) y2=(px(frame.y(high))) {}
                }
                circle class="dot" cx=(px(frame.x(b.predicted))) cy=(px(frame.y(b.observed.value))) r="3.5" {}
            }
        }
    };
    let half = [0.0, end / 2.0, end];
    let axes = Axes {
        x_name: "predicted probability",
        y_name: "observed frequency",
        x_ticks: &half,
        y_ticks: &half,
    };
    let mut line = format!(
        "mean error {}",
        value(s.calibration.expected_error, 3, false)
    );
    if let Some(slope) = s.calibration.slope {
        let _ = write!(line, ", slope {}", value(slope.value, 2, s.few));
    }
    let outside = bins
        .iter()
        .filter(|b| b.observed.value < b.consistency_low || b.observed.value > b.consistency_high)
        .count();
    let says = Alternative {
        id: slug(&format!("reliability {level} {}", s.label)),
        title: format!("Reliability of {}, {level}", s.label),
        description: format!(
            "{} bins, {outside} of them outside the band of chance; {line}.",
            bins.len()
        ),
    };
    panel(s, &line, &frame.draw(&says, &axes, &content))
}

/// The consistency band through the bins, from the lowest prediction to the highest.
fn consistent(bins: &[Bin]) -> Vec<(f64, f64, f64)> {
    bins.iter()
        .map(|b| (b.predicted, b.consistency_low, b.consistency_high))
        .collect()
}
