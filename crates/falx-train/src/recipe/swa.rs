//! Stochastic weight averaging.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which epochs' weights are averaged, and how the mean is made ready for use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SwaConfig {
    /// The share of the epochs after which the first is taken in.
    pub start: f64,
    /// Every so many epochs from there on.
    pub every: u64,
    /// The most batches from which the mean's normalisations learn their statistics anew.
    pub batches: usize,
}

impl Default for SwaConfig {
    fn default() -> Self {
        Self {
            start: 0.75,
            every: 1,
            batches: 100,
        }
    }
}

impl SwaConfig {
    /// Whether the weights at the end of `epoch` (from 0) of so many are taken in. At least one epoch's are.
    pub(crate) fn takes(&self, epoch: u64, epochs: u64) -> bool {
        let first = (self.start * epochs as f64) as u64;
        epoch
            .checked_sub(first)
            .is_some_and(|since| since.is_multiple_of(self.every.max(1)))
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !(0.0..1.0).contains(&self.start) {
            return Err("training.swa.start must be at least 0 and below 1");
        }
        if self.every == 0 {
            return Err("training.swa.every must be at least 1");
        }
        if self.batches == 0 {
            return Err("training.swa.batches must be at least 1");
        }
        Ok(())
    }
}
