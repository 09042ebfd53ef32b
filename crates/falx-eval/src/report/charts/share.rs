//! A share as a hundred people: what a percentage means in a ward.

use maud::{Markup, html};

use super::super::svg::Alternative;

const STEP: f64 = 12.0;
const COLUMNS: u32 = 20;

/// A hundred marks of which the first `number` stand out: by shape and size as well as by colour.
pub(in super::super) fn of_hundred(number: u32, class: &str, says: &Alternative) -> Markup {
    let rows = 100 / COLUMNS;
    let (width, height) = (f64::from(COLUMNS) * STEP, f64::from(rows) * STEP);
    let (title, description) = (format!("{}-t", says.id), format!("{}-d", says.id));
    html! {
        svg class=(format!("hundred {class}")) viewBox=(format!("0 0 {width} {height}")) role="img" aria-labelledby=(title) aria-describedby=(description) {
            title id=(title) { (says.title) }
            desc id=(description) { (says.description) }
            @for i in 0..100 {
                @let x = (f64::from(i % COLUMNS) + 0.5) * STEP;
                @let y = (f64::from(i / COLUMNS) + 0.5) * STEP;
                @if i < number {
                    circle class="those" cx=(x) cy=(y) r="4.6" {}
                } @else {
                    circle class="rest" cx=(x) cy=(y) r="3.2" {}
                }
            }
        }
    }
}
