//! A rate that falls when validation stops getting better.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Multiplied by `factor` once more than `patience` validations in a row were not better than the best.
///
/// # Source
/// PyTorch's `ReduceLROnPlateau` with a relative threshold and no cool-down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// The factor of each drop.
    pub factor: f64,
    /// How many validations without a better loss are put up with.
    pub patience: u64,
    /// A loss is better when it is below the best by this share.
    pub threshold: f64,
    /// The rate does not fall below this.
    pub minimum: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 2,
            threshold: 1e-4,
            minimum: 0.0,
        }
    }
}

/// What a [`Plateau`] has seen: it belongs into checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    /// What the base rate is multiplied with.
    pub factor: f64,
    /// The lowest loss so far.
    pub best: Option<f64>,
    /// Validations since then.
    pub since: u64,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self {
            factor: 1.0,
            best: None,
            since: 0,
        }
    }
}

impl Plateau {
    /// Takes in the loss of a validation.
    pub fn observe(&self, state: &mut PlateauState, loss: f64) {
        let is_better = state
            .best
            .is_none_or(|best| loss < best * (1.0 - self.threshold));
        if is_better {
            state.best = Some(loss);
            state.since = 0;
            return;
        }
        state.since += 1;
        if state.since > self.patience {
            state.factor *= self.factor;
            state.since = 0;
        }
    }

    /// The rate that `base` has become.
    pub fn rate(&self, state: &PlateauState, base: f64) -> f64 {
        (base * state.factor).max(self.minimum)
    }
}
