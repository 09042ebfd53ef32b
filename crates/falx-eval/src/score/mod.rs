//! Scores of probabilities and rankings beyond the log loss and the whole area.

mod brier;
mod partial_auc;

pub use brier::{Brier, brier, squared_error};
pub use partial_auc::{PartialArea, PartialAreaError, RocRange, partial_auc};
pub(crate) use partial_auc::{reached, specific};

#[cfg(test)]
mod tests;
