//! The loss beside its baselines.

use maud::{Markup, html};

use super::super::svg::{Alternative, Axes, Frame, px, ticks};
use crate::text::{interval, value};
use crate::{Baseline, Estimate, Verdict};

/// The loss with its interval on one line with the baselines; a red line marks the reference that it must stay below.
pub(in super::super) fn losses(
    loss: &Estimate,
    verdict: Verdict,
    baselines: &[Baseline],
    id: &str,
) -> Markup {
    let top = baselines
        .iter()
        .map(|b| b.weighted_log_loss)
        .chain([loss.value, loss.high.unwrap_or(0.0)])
        .fold(0.0, f64::max);
    let rows = baselines.len() as f64 + 1.0;
    let frame = Frame {
        width: 640.0,
        height: 40.0 * rows + 48.0,
        left: 8.0,
        right: 12.0,
        top: 6.0,
        bottom: 38.0,
        x: (0.0, (top * 1.06).max(1e-6)),
        y: (0.0, rows),
        multiplies: false,
    };
    let worse = verdict == Verdict::WorseThanNoSkill;
    let row = |i: usize| frame.y(rows - i as f64 - 0.72);
    let bar = |i: usize, at: f64| {
        html! { line class="bar" x1=(px(frame.x(0.0))) x2=(px(frame.x(at))) y1=(px(row(i))) y2=(px(row(i))) {} }
    };
    let name = |i: usize, words: &str| {
        html! { text class="row halo" x=(px(frame.x(0.0))) y=(px(row(i) - 10.0)) { (words) } }
    };
    let reference = baselines.first().map(|b| b.weighted_log_loss);
    let content = html! {
        @if let Some(at) = reference {
            line class=(if worse { "limit bad" } else { "limit" }) x1=(px(frame.x(at))) x2=(px(frame.x(at))) y1=(px(row(0) - 8.0)) y2=(px(frame.height - frame.bottom)) {}
        }
        g class=(if worse { "mark bad" } else { "mark" }) {
            (name(0, &format!("these predictions {}{}", value(loss.value, 4, false), if worse { " ✖ worse than no skill" } else { "" })))
            (bar(0, loss.value))
            @if let (Some(low), Some(high)) = (loss.low, loss.high) {
                line class="whisker" x1=(px(frame.x(low))) x2=(px(frame.x(high))) y1=(px(row(0))) y2=(px(row(0))) {}
            }
            circle class="dot" cx=(px(frame.x(loss.value))) cy=(px(row(0))) r="5" {}
        }
        @for (i, b) in (1..).zip(baselines) {
            g class="base" {
                (name(i, &format!("{} {}", b.name, value(b.weighted_log_loss, 4, false))))
                (bar(i, b.weighted_log_loss))
                rect class="dot" x=(px(frame.x(b.weighted_log_loss) - 4.0)) y=(px(row(i) - 4.0)) width="8" height="8" {}
            }
        }
    };
    let axes = Axes {
        x_name: "weighted log loss; lower is better",
        y_name: "",
        x_ticks: &ticks(frame.x),
        y_ticks: &[],
    };
    let others: Vec<String> = baselines
        .iter()
        .map(|b| format!("{} {}", b.name, value(b.weighted_log_loss, 4, false)))
        .collect();
    let says = Alternative {
        id: id.to_owned(),
        title: "The weighted log loss beside that of predictions without skill".to_owned(),
        description: format!(
            "{}These predictions {} ({}); {}. Lower is better.",
            if worse { "Worse than no skill. " } else { "" },
            value(loss.value, 4, false),
            interval(loss, 4, false).replace('–', "no interval"),
            others.join("; ")
        ),
    };
    frame.draw(&says, &axes, &content)
}
