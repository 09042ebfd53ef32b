//! The share of wrong answers against the share of cases kept.

use maud::{Markup, html};

use super::super::svg::{Alternative, Axes, Frame, slug, ticks};
use super::key;
use crate::Selective;
use crate::conformal::RiskPoint;
use crate::text::percent;

/// The curve, and a line at what is wrong with every case kept.
pub(in super::super) fn selective(found: &Selective, level: &str) -> Markup {
    let curve = &found.risk.curve;
    let highest = curve.iter().map(|p| p.risk).fold(0.01, f64::max);
    let frame = Frame::wide((0.0, 1.0), (0.0, 1.08 * highest));
    let line: Vec<(f64, f64)> = curve.iter().map(|p| (p.coverage, p.risk)).collect();
    let full = curve.last().map_or(0.0, |p| p.risk);
    let content = html! {
        path class="chance strong" d=(frame.path(&[(0.0, full), (1.0, full)])) {}
        path class="curve c0" d=(frame.path(&line)) {}
    };
    let description = match (kept(curve, 0.5), kept(curve, 0.8)) {
        (Some(half), Some(most)) => format!(
            "With every case kept {} of the answers are wrong; with the surest 80 % kept {}, with the surest half {}.",
            percent(full, 1),
            percent(most.risk, 1),
            percent(half.risk, 1)
        ),
        _ => format!(
            "With every case kept {} of the answers are wrong; too many cases are equally sure to keep fewer.",
            percent(full, 1)
        ),
    };
    let says = Alternative {
        id: slug(&format!("selective {level}")),
        title: format!("Wrong answers on any against the share kept, {level}"),
        description: description.clone(),
    };
    let axes = Axes {
        x_name: "share of cases kept, the surest first",
        y_name: "wrong among them",
        x_ticks: &ticks(frame.x),
        y_ticks: &ticks(frame.y),
    };
    html! {
        figure class="chart" {
            figcaption {
                strong { "Over " (level) }
                (key(0, "curve", "the surest cases"))
                (key(1, "chance strong", "every case"))
            }
            (frame.draw(&says, &axes, &content))
            p class="how" { (description) }
        }
    }
}

/// The curve's last point that keeps at most such a share.
pub(in super::super) fn kept(curve: &[RiskPoint], share: f64) -> Option<&RiskPoint> {
    curve.iter().rev().find(|p| p.coverage <= share + 1e-9)
}
