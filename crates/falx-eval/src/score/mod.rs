//! Scores of probabilities and rankings beyond the log loss and the whole area.

mod brier;

pub use brier::{Brier, brier, squared_error};

#[cfg(test)]
mod tests;
