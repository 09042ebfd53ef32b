//! The page's drawings. Each says in words what it shows, and its figures stand in a table beside it.

mod losses;
mod panels;
mod rows;
mod share;
mod training;

pub(super) use losses::losses;
pub(super) use panels::{panels, reliability, roc, sensitivity_at};
pub(super) use rows::{axis, whisker};
pub(super) use share::of_hundred;
pub(super) use training::{last_word, training};
