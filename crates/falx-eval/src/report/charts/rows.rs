//! Estimates drawn inside a table's rows, all on one axis: the table is the drawing's own alternative.

use maud::{Markup, html};

use super::super::svg::{number, px};
use crate::Estimate;

const WIDTH: f64 = 150.0;
const EDGE: f64 = 6.0;

fn at(x: f64, (low, high): (f64, f64)) -> f64 {
    let share = if high > low {
        ((x - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.5
    };
    EDGE + share * (WIDTH - 2.0 * EDGE)
}

/// An estimate with its interval; `reference` is a line that all rows share, `bad` marks the row.
pub(in super::super) fn whisker(
    e: Option<&Estimate>,
    range: (f64, f64),
    reference: Option<f64>,
    bad: bool,
) -> Markup {
    let x = |value: f64| px(at(value, range));
    html! {
        svg class="inline" viewBox=(format!("0 0 {WIDTH} 16")) aria-hidden="true" {
            line class="axis" x1=(px(EDGE)) x2=(px(WIDTH - EDGE)) y1="8" y2="8" {}
            @if let Some(reference) = reference {
                line class="chance" x1=(x(reference)) x2=(x(reference)) y1="0" y2="16" {}
            }
            @if let Some(e) = e {
                g class=(if bad { "mark bad" } else { "mark" }) {
                    @if let (Some(low), Some(high)) = (e.low, e.high) {
                        line class="whisker" x1=(x(low)) x2=(x(high)) y1="8" y2="8" {}
                    }
                    @if bad {
                        rect class="dot" x=(px(at(e.value, range) - 3.5)) y="4.5" width="7" height="7" {}
                    } @else {
                        circle class="dot" cx=(x(e.value)) cy="8" r="4" {}
                    }
                }
            }
        }
    }
}

/// The axis of a column of [`whisker`]s, for its head.
pub(in super::super) fn axis(name: &str, (low, high): (f64, f64)) -> Markup {
    html! {
        span class="heard" { (name) }
        span class="ends" aria-hidden="true" {
            span { (number(low, 3)) } span { (number(f64::midpoint(low, high), 3)) } span { (number(high, 3)) }
        }
    }
}
