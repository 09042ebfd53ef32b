//! The page's drawings.

use maud::{Markup, html};

use super::TrainingCurve;
use super::svg::{Axes, Frame, number, px, ticks};
use crate::text::{interval, value};
use crate::{Evaluation, LabelScore, Verdict};

/// The loss with its interval on one line with the baselines.
pub(super) fn losses(e: &Evaluation) -> Markup {
    let loss = e.weighted_log_loss;
    let top = e
        .baselines
        .iter()
        .map(|b| b.weighted_log_loss)
        .chain([loss.value, loss.high.unwrap_or(0.0)])
        .fold(0.0, f64::max);
    let rows = e.baselines.len() as f64 + 1.0;
    let frame = Frame {
        width: 640.0,
        height: 38.0 * rows + 44.0,
        left: 8.0,
        right: 8.0,
        top: 4.0,
        bottom: 36.0,
        x: (0.0, (top * 1.04).max(1e-6)),
        y: (0.0, rows),
    };
    let class = if e.verdict == Verdict::WorseThanNoSkill {
        "mark bad"
    } else {
        "mark"
    };
    let row = |i: usize| rows - i as f64 - 0.72;
    let bar = |i: usize, at: f64, class: &str| {
        html! { line class=(class) x1=(px(frame.x(0.0))) x2=(px(frame.x(at))) y1=(px(frame.y(row(i)))) y2=(px(frame.y(row(i)))) {} }
    };
    let name = |i: usize, text: &str| {
        html! { text class="row" x=(px(frame.x(0.0))) y=(px(frame.y(row(i)) - 9.0)) { (text) } }
    };
    let content = html! {
        g class=(class) {
            (name(0, &format!("these predictions  {}", value(loss.value, 4, false))))
            (bar(0, loss.value, "bar"))
            @if let (Some(low), Some(high)) = (loss.low, loss.high) {
                line class="whisker" x1=(px(frame.x(low))) x2=(px(frame.x(high))) y1=(px(frame.y(row(0)))) y2=(px(frame.y(row(0)))) {}
            }
            circle class="dot" cx=(px(frame.x(loss.value))) cy=(px(frame.y(row(0)))) r="5" {}
        }
        @for (i, b) in e.baselines.iter().enumerate() {
            g class="base" {
                (name(i + 1, &format!("{}  {}", b.name, value(b.weighted_log_loss, 4, false))))
                (bar(i + 1, b.weighted_log_loss, "bar"))
                circle class="dot" cx=(px(frame.x(b.weighted_log_loss))) cy=(px(frame.y(row(i + 1)))) r="4" {}
            }
        }
    };
    let axes = Axes {
        x_name: "weighted log loss; lower is better",
        y_name: "",
        x_ticks: &ticks(frame.x),
        y_ticks: &[],
    };
    frame.draw(
        "The weighted log loss of these predictions beside that of the no-skill baselines",
        &axes,
        &content,
    )
}

/// An area under the curve on the line from 0 to 1, no skill marked at one half.
pub(super) fn auc_bar(s: &LabelScore) -> Markup {
    let at = |x: f64| px(4.0 + x.clamp(0.0, 1.0) * 112.0);
    html! {
        svg class="inline" viewBox="0 0 120 14" aria-hidden="true" {
            line class="axis" x1="4" x2="116" y1="7" y2="7" {}
            line class="chance" x1=(at(0.5)) x2=(at(0.5)) y1="1" y2="13" {}
            @if let Some(auc) = s.auc {
                g class=(if auc.value < 0.5 { "mark bad" } else { "mark" }) {
                    @if let (Some(low), Some(high)) = (auc.low, auc.high) {
                        line class="whisker" x1=(at(low)) x2=(at(high)) y1="7" y2="7" {}
                    }
                    circle class="dot" cx=(at(auc.value)) cy="7" r="3.5" {}
                }
            }
        }
    }
}

fn unit_frame() -> Frame {
    Frame {
        width: 260.0,
        height: 236.0,
        left: 34.0,
        right: 10.0,
        top: 24.0,
        bottom: 38.0,
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    }
}

fn panel(s: &LabelScore, line: &str, drawing: &Markup) -> Markup {
    html! {
        figure class="panel" {
            figcaption { strong { (s.label) } span { (line) } }
            (drawing)
        }
    }
}

fn diagonal(frame: &Frame) -> Markup {
    html! { path class="chance" d=(frame.path(&[(0.0, 0.0), (1.0, 1.0)])) {} }
}

/// One label's ROC curve.
pub(super) fn roc(s: &LabelScore) -> Markup {
    let frame = unit_frame();
    let line = s.auc.map_or_else(
        || s.undefined.map_or_else(String::new, |u| u.to_string()),
        |auc| {
            let range = interval(&auc, 3, s.few);
            format!("AUC {} ({range})", value(auc.value, 3, s.few))
        },
    );
    let content = html! {
        (diagonal(&frame))
        @if !s.roc.is_empty() { path class="curve c0" d=(frame.path(&s.roc)) {} }
    };
    let axes = Axes {
        x_name: "1 − specificity",
        y_name: "sensitivity",
        x_ticks: &[0.0, 0.5, 1.0],
        y_ticks: &[0.0, 0.5, 1.0],
    };
    let what = format!("ROC curve of {}: {line}", s.label);
    panel(s, &line, &frame.draw(&what, &axes, &content))
}

/// One label's reliability curve.
pub(super) fn reliability(s: &LabelScore) -> Markup {
    let bins = &s.calibration.bins;
    let top = bins
        .iter()
        .map(|b| {
            b.predicted
                .max(b.observed.value)
                .max(b.observed.high.unwrap_or(0.0))
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
        ..unit_frame()
    };
    let content = html! {
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
    let line = format!(
        "mean error {}",
        value(s.calibration.expected_error, 3, false)
    );
    let what = format!("Reliability of {}: {line}", s.label);
    panel(s, &line, &frame.draw(&what, &axes, &content))
}

/// Training curves that share a chart, with their no-skill value.
pub(super) fn training(curves: &[&TrainingCurve]) -> Markup {
    let lines: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|c| {
            let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
            c.points.iter().filter(finite).copied().collect()
        })
        .collect();
    let mut baselines: Vec<f64> = curves.iter().filter_map(|c| c.baseline).collect();
    baselines.retain(|b| b.is_finite());
    baselines.sort_by(f64::total_cmp);
    baselines.dedup();
    let points = || lines.iter().flatten();
    let xs = range(points().map(|p| p.0));
    let ys = range(points().map(|p| p.1).chain(baselines.iter().copied()));
    let frame = Frame {
        width: 480.0,
        height: 290.0,
        left: 60.0,
        right: 14.0,
        top: 24.0,
        bottom: 38.0,
        x: xs,
        y: from_zero(ys),
    };
    let word = curves.first().map_or("", |c| last_word(&c.name));
    let content = html! {
        @for &b in &baselines {
            path class="chance strong" d=(frame.path(&[(xs.0, b), (xs.1, b)])) {}
            text class="name" text-anchor="end" x=(px(frame.width - frame.right)) y=(px(frame.y(b) - 6.0)) { "no skill " (number(b, 4)) }
        }
        @for (i, line) in lines.iter().enumerate() {
            path class=(format!("curve c{}", i % 4)) d=(frame.path(line)) {}
            @if let [(x, y)] = line.as_slice() {
                circle class=(format!("point c{}", i % 4)) cx=(px(frame.x(*x))) cy=(px(frame.y(*y))) r="4" {}
            }
        }
    };
    let names: Vec<&str> = curves.iter().map(|c| c.name.as_str()).collect();
    let what = format!("Training curves: {}", names.join(", "));
    let axes = Axes {
        x_name: "epoch or step",
        y_name: word,
        x_ticks: &ticks(frame.x),
        y_ticks: &ticks(frame.y),
    };
    html! {
        figure class="chart" {
            figcaption {
                @for (i, (name, line)) in names.iter().zip(&lines).enumerate() {
                    span class=(format!("key c{}", i % 4)) {
                        (name)
                        @if let Some((_, y)) = line.last() { " (last " (number(*y, 4)) ")" }
                    }
                }
            }
            (frame.draw(&what, &axes, &content))
        }
    }
}

/// The word that decides with which curves a curve shares its chart.
pub(super) fn last_word(name: &str) -> &str {
    name.split_whitespace().next_back().unwrap_or(name)
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if low.is_finite() {
        (low, high)
    } else {
        (0.0, 1.0)
    }
}

/// A value axis starts at zero, unless all values crowd together far above it.
fn from_zero((low, high): (f64, f64)) -> (f64, f64) {
    let pad = ((high - low) * 0.08).max(high.abs() * 0.02).max(1e-9);
    if low >= 0.0 && low < high * 0.8 {
        (0.0, high + pad)
    } else {
        (low - pad, high + pad)
    }
}
