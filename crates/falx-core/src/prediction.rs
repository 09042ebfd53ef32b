//! What a model says of one slice.

use serde::{Deserialize, Serialize};

use crate::{ImageId, Label, Probability};

/// The six probabilities of one slice, in the order of [`crate::LABELS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The slice.
    pub image_id: ImageId,
    /// One probability per label.
    pub probabilities: [Probability; 6],
}

impl Prediction {
    /// The probability of one label.
    pub const fn get(&self, label: Label) -> Probability {
        self.probabilities[label.index()]
    }
}
