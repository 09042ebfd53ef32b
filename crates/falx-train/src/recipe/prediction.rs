//! How the trained network is used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the trained network is used: by the run itself, and by whoever is given its bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PredictionConfig {
    /// A prediction is the mean of the probabilities of a picture and of its left–right mirror, in validation, too.
    pub flip: bool,
    /// Probabilities are smoothed along the series by a Gaussian of this standard deviation, in mm along the slice normal;
    /// left out = not. Epochs are chosen without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smooth_mm: Option<f64>,
}

impl PredictionConfig {
    /// True where nothing is asked for: the recipe then says nothing of it, as before there was a choice.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self.smooth_mm {
            Some(mm) if !(mm.is_finite() && mm > 0.0) => {
                Err("prediction.smooth_mm must be above 0, or be left out".to_owned())
            }
            _ => Ok(()),
        }
    }
}
