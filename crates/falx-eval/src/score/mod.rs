//! Scores of probabilities and rankings beyond the log loss and the whole area.

mod brier;
pub(crate) mod partial_auc;

pub use brier::{Brier, brier, squared_error};

#[cfg(test)]
mod tests;
