//! The evaluation as text.

use crate::Evaluation;

/// The table that the command line prints.
pub(crate) fn evaluation(e: &Evaluation) -> String {
    format!("weighted log loss {}\n", e.weighted_log_loss.value)
}
