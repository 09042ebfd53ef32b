//! The page's drawings. Each says in words what it shows, and its figures stand in a table beside it.

mod decision;
mod losses;
mod panels;
mod rows;
mod selective;
mod share;
mod training;

pub(super) use decision::decision;
pub(super) use losses::losses;
pub(super) use panels::{panels, reliability, roc};
pub(super) use rows::{axis, whisker};
pub(super) use selective::{kept, selective};
pub(super) use share::of_hundred;
pub(super) use training::{Lines, last_word, lines, training};

use maud::{Markup, html};

/// A piece of a line and its name. Lines differ by their dashes as well as by their colours.
fn key(i: usize, line: &str, name: &str) -> Markup {
    html! {
        span class=(format!("key c{}", i % 4)) {
            svg class="swatch" viewBox="0 0 30 8" aria-hidden="true" {
                path class=(format!("{line} c{}", i % 4)) d="M1 4L29 4" {}
            }
            span { (name) }
        }
    }
}
