//! What others have reached, for the reader's sense of scale. None of it was measured by falx, or on the cases at hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weighted log loss that was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Published {
    /// Whose it is.
    pub name: String,
    /// The weighted log loss.
    pub weighted_log_loss: f64,
    /// On what.
    pub on: String,
}

const PRIVATE: &str = "RSNA 2019, private leader board";
const STAGE_2: &str = "RSNA 2019, stage 2 training labels";

/// Published losses, the best first.
///
/// # Source
/// The competition's private leader board (Kaggle, 2019) and its participants' descriptions.
pub const PUBLISHED: [(&str, f64, &str); 9] = [
    ("1st place", 0.04383, PRIVATE),
    ("2nd place", 0.044, PRIVATE),
    ("3rd place", 0.045, PRIVATE),
    ("5th place", 0.04561, PRIVATE),
    ("12th place", 0.04732, PRIVATE),
    ("16th place", 0.04793, PRIVATE),
    (
        "Burduja and others, CNN and LSTM at 256 pixels",
        0.0499,
        PRIVATE,
    ),
    ("prevalence for every slice, no skill", 0.2311, STAGE_2),
    ("the project that falx began from", 0.39061, PRIVATE),
];

impl From<&(&str, f64, &str)> for Published {
    fn from(&(name, weighted_log_loss, on): &(&str, f64, &str)) -> Self {
        Self {
            name: name.to_owned(),
            weighted_log_loss,
            on: on.to_owned(),
        }
    }
}
