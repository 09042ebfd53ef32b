//! A decision curve beside acting on everybody and on nobody.

use maud::{Markup, html};

use super::super::svg::{Alternative, Axes, Frame, range, slug, ticks};
use super::key;
use crate::operating::DecisionCurve;
use crate::text::percent;

/// The curve with its band.
pub(in super::super) fn decision(curve: &DecisionCurve, level: &str) -> Markup {
    let points = &curve.points;
    let xs = range(points.iter().map(|p| p.threshold));
    let highest = points
        .iter()
        .map(|p| p.net_benefit.high.unwrap_or(p.net_benefit.value))
        .fold(curve.prevalence, f64::max);
    // Acting on everybody falls without end; a little of it below nothing shows enough.
    let frame = Frame::wide((0.0, xs.1), (-0.25 * highest, 1.06 * highest));
    let of = |y: fn(&crate::operating::DecisionPoint) -> f64| -> Vec<(f64, f64)> {
        let inside = points.iter().filter(|p| y(p) >= frame.y.0);
        inside.map(|p| (p.threshold, y(p))).collect()
    };
    let band: Vec<(f64, f64, f64)> = points
        .iter()
        .filter_map(|p| Some((p.threshold, p.net_benefit.low?, p.net_benefit.high?)))
        .collect();
    let content = html! {
        path class="band c0" d=(frame.band(&band)) {}
        path class="chance strong" d=(frame.path(&[(0.0, 0.0), (xs.1, 0.0)])) {}
        path class="curve c0" d=(frame.path(&of(|p| p.net_benefit.value))) {}
        path class="curve c1" d=(frame.path(&of(|p| p.treat_all))) {}
    };
    let worth: Vec<f64> = points
        .iter()
        .filter(|p| p.advantage.value > 0.0)
        .map(|p| p.threshold)
        .collect();
    let description = match (worth.first(), worth.last()) {
        (Some(&from), Some(&to)) => format!(
            "Above acting on everybody and on nobody at {} of {} thresholds, between {} and {}.",
            worth.len(),
            points.len(),
            percent(from, 0),
            percent(to, 0)
        ),
        _ => "Nowhere above both acting on everybody and on nobody.".to_owned(),
    };
    let says = Alternative {
        id: slug(&format!("decision {level}")),
        title: format!("Decision curve of any, {level}"),
        description: description.clone(),
    };
    let axes = Axes {
        x_name: "act from this probability on",
        y_name: "net benefit",
        x_ticks: &ticks(frame.x),
        y_ticks: &ticks(frame.y),
    };
    html! {
        figure class="chart" {
            figcaption {
                strong { "Over " (level) }
                (key(0, "curve", "these predictions"))
                (key(1, "curve", "acting on everybody"))
                (key(2, "chance strong", "acting on nobody"))
            }
            (frame.draw(&says, &axes, &content))
            p class="how" { (description) }
        }
    }
}
