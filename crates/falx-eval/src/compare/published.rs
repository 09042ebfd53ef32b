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
/// What the seed called validation and test: its slices were dealt out one by one, so that patients were on both sides.
const BY_SLICE: &str =
    "RSNA 2019, slices split slice by slice: the same patients as in training, so no test";

/// Published losses, the best first.
///
/// # Source
/// The competition's private leader board (Kaggle, 2019) and its participants' descriptions; of the project that falx
/// began from its own description, whose loss is the weighted log loss.
pub const PUBLISHED: [(&str, f64, &str); 15] = [
    ("1st place", 0.04383, PRIVATE),
    ("2nd place", 0.044, PRIVATE),
    ("3rd place", 0.045, PRIVATE),
    ("5th place", 0.04561, PRIVATE),
    ("2nd place, one of its models", 0.04607, PRIVATE),
    ("12th place", 0.04732, PRIVATE),
    ("16th place", 0.04793, PRIVATE),
    (
        "Burduja and others, CNN and LSTM at 256 pixels",
        0.0499,
        PRIVATE,
    ),
    (
        "16th place, slices alone, before its sequence model",
        0.0543,
        PRIVATE,
    ),
    ("a network without neighbouring slices", 0.0552, PRIVATE),
    ("ResNet-18 on slices alone, about", 0.060, PRIVATE),
    (
        "the project that falx began from, Inception V3: what it called validation loss",
        0.0765,
        BY_SLICE,
    ),
    (
        "the project that falx began from, Inception V3: what it called test loss",
        0.0823,
        BY_SLICE,
    ),
    ("prevalence for every slice, no skill", 0.2311, STAGE_2),
    (
        "the project that falx began from, Inception V3: its submission",
        0.39061,
        PRIVATE,
    ),
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
