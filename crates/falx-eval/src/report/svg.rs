//! A plotting area: from data to drawing coordinates, with axes. Colours come from the page's style sheet, so that
//! drawings follow dark mode and print.

use std::fmt::Write as _;

use maud::{Markup, html};

/// What a drawing says to those who cannot see it.
pub(super) struct Alternative {
    /// Unlike any other on the page.
    pub(super) id: String,
    /// What it shows.
    pub(super) title: String,
    /// What is to be seen in it.
    pub(super) description: String,
}

/// A plotting area inside a drawing.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    /// Equal steps to the right multiply.
    pub(super) multiplies: bool,
}

impl Frame {
    /// A square for shares against shares, as panels have it.
    pub(super) const fn square() -> Self {
        Self {
            width: 260.0,
            height: 236.0,
            left: 36.0,
            right: 12.0,
            top: 24.0,
            bottom: 38.0,
            x: (0.0, 1.0),
            y: (0.0, 1.0),
            multiplies: false,
        }
    }

    /// A wide area for curves.
    pub(super) const fn wide(x: (f64, f64), y: (f64, f64)) -> Self {
        Self {
            width: 520.0,
            height: 300.0,
            left: 70.0,
            right: 16.0,
            top: 26.0,
            bottom: 40.0,
            x,
            y,
            multiplies: false,
        }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let span = self.width - self.left - self.right;
        let (low, high) = self.x;
        let along = if self.multiplies {
            share(value.log10(), (low.log10(), high.log10()))
        } else {
            share(value, self.x)
        };
        self.left + along * span
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let span = self.height - self.top - self.bottom;
        self.height - self.bottom - share(value, self.y) * span
    }

    pub(super) fn path(&self, points: &[(f64, f64)]) -> String {
        let mut d = String::new();
        for (i, &(x, y)) in points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let _ = write!(d, "{command}{:.1} {:.1}", self.x(x), self.y(y));
        }
        d
    }

    /// The outline of a band of (x, low, high).
    pub(super) fn band(&self, points: &[(f64, f64, f64)]) -> String {
        if points.is_empty() {
            return String::new();
        }
        let above = points.iter().map(|&(x, _, high)| (x, high));
        let below = points.iter().rev().map(|&(x, low, _)| (x, low));
        let around: Vec<(f64, f64)> = above.chain(below).collect();
        format!("{}Z", self.path(&around))
    }

    /// A tick of the lower axis in words.
    fn label(&self, tick: f64) -> String {
        if self.multiplies && !(1e-3..1e4).contains(&tick) {
            format!("{tick:.0e}").replace('-', "−")
        } else {
            number(tick, 3)
        }
    }

    /// The whole drawing: axes with their ticks, then `content`.
    pub(super) fn draw(&self, says: &Alternative, axes: &Axes<'_>, content: &Markup) -> Markup {
        let (right, floor) = (self.width - self.right, self.height - self.bottom);
        let (title, description) = (format!("{}-t", says.id), format!("{}-d", says.id));
        html! {
            svg viewBox=(format!("0 0 {} {}", self.width, self.height)) role="img" aria-labelledby=(title) aria-describedby=(description) {
                title id=(title) { (says.title) }
                desc id=(description) { (says.description) }
                @for &tick in axes.y_ticks {
                    line class="grid" x1=(px(self.left)) x2=(px(right)) y1=(px(self.y(tick))) y2=(px(self.y(tick))) {}
                    text class="tick" text-anchor="end" x=(px(self.left - 6.0)) y=(px(self.y(tick) + 3.5)) { (number(tick, 3)) }
                }
                @for (i, &tick) in axes.x_ticks.iter().enumerate() {
                    line class="axis" x1=(px(self.x(tick))) x2=(px(self.x(tick))) y1=(px(floor)) y2=(px(floor + 4.0)) {}
                    text class="tick" text-anchor=(anchor(i, axes.x_ticks.len(), self.x(tick), self)) x=(px(self.x(tick))) y=(px(floor + 16.0)) { (self.label(tick)) }
                }
                line class="axis" x1=(px(self.left)) x2=(px(right)) y1=(px(floor)) y2=(px(floor)) {}
                text class="name" text-anchor="middle" x=(px(f64::midpoint(self.left, right))) y=(px(self.height - 4.0)) { (axes.x_name) }
                @if !axes.y_name.is_empty() {
                    text class="name" x=(px(2.0)) y=(px(self.top - 11.0)) { (axes.y_name) }
                }
                (content)
            }
        }
    }
}

/// The outermost ticks' numbers stay inside the drawing.
fn anchor(i: usize, ticks: usize, x: f64, frame: &Frame) -> &'static str {
    if i + 1 == ticks && x > frame.width - 14.0 {
        "end"
    } else if i == 0 && x < 10.0 {
        "start"
    } else {
        "middle"
    }
}

/// What stands at a plotting area's edges.
pub(super) struct Axes<'a> {
    pub(super) x_name: &'a str,
    pub(super) y_name: &'a str,
    pub(super) x_ticks: &'a [f64],
    pub(super) y_ticks: &'a [f64],
}

fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low {
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// A drawing coordinate.
pub(super) fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// A number with so many significant digits, without needless zeros.
pub(super) fn number(value: f64, significant: i32) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    let text = if (1e-5..1e6).contains(&size) {
        let decimals = (significant - 1 - size.log10().floor() as i32).max(0) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    } else {
        format!("{value:.1e}")
    };
    text.replace('-', "−")
}

/// Some five round numbers across a range.
pub(super) fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return vec![low];
    }
    let rough = span / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let first = (low / step).ceil();
    (0..=6)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|tick| *tick <= high + step * 1e-6)
        .collect()
}

/// The powers of ten across a range above 0; its ends where there are none.
pub(super) fn powers((low, high): (f64, f64)) -> Vec<f64> {
    let first = (low.log10() - 1e-9).ceil() as i32;
    let last = (high.log10() + 1e-9).floor() as i32;
    let found: Vec<f64> = (first..=last).map(|power| 10_f64.powi(power)).collect();
    if found.is_empty() {
        vec![low, high]
    } else {
        found
    }
}

/// The smallest and the largest of finite values; 0 to 1 where there are none.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
    if low.is_finite() {
        (low, high)
    } else {
        (0.0, 1.0)
    }
}

/// A value axis starts at zero, unless all values crowd together far above it.
pub(super) fn from_zero((low, high): (f64, f64)) -> (f64, f64) {
    let pad = ((high - low) * 0.08).max(high.abs() * 0.02).max(1e-9);
    if low >= 0.0 && low < high * 0.8 {
        (0.0, high + pad)
    } else {
        (low - pad, high + pad)
    }
}

/// A word or two as part of an address inside the page.
pub(super) fn slug(words: &str) -> String {
    let mut slug = String::new();
    for c in words.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
