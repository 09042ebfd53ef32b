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
    let class = line_class(i);
    html! {
        span class=(format!("key {class}")) {
            svg class="swatch" viewBox="0 0 30 8" aria-hidden="true" {
                path class=(format!("{line} {class}")) d="M1 4L29 4" {}
            }
            span { (name) }
        }
    }
}

/// The colour and the dashes of a drawing's line: eight of them, and thinner ones for the next eight.
fn line_class(i: usize) -> String {
    let thin = if i / LINES % 2 == 1 { " thin" } else { "" };
    format!("c{}{thin}", i % LINES)
}

/// How many lines differ by colour and dashes.
const LINES: usize = 8;
