//! Parameters averaged over the steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Parameters;

/// How parameters are averaged over the steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmaConfig {
    /// The share of the average that each step keeps.
    pub decay: f64,
    /// Whether the first steps keep less, `(1 + t) / (10 + t)`, so that the start is soon forgotten.
    pub warmup: bool,
}

impl Default for EmaConfig {
    fn default() -> Self {
        Self {
            decay: 0.999,
            warmup: true,
        }
    }
}

/// An exponential moving average of all parameters, running statistics included. It starts at the parameters of the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Ema {
    config: EmaConfig,
    average: Parameters,
}

impl Ema {
    /// An average of nothing but `parameters`, or one that goes on where `average` stands.
    pub fn new(config: EmaConfig, average: Parameters) -> Self {
        Self { config, average }
    }

    /// Takes in the parameters after step `step` (from 0): `average = d average + (1 - d) parameters`.
    pub fn follow(&mut self, parameters: &Parameters, step: u64) {
        let share = self.share(step);
        super::mean::towards(&mut self.average, parameters, share);
    }

    /// How much of the parameters after step `step` the average takes in.
    pub(crate) fn share(&self, step: u64) -> f32 {
        let limit = (1.0 + step as f64) / (10.0 + step as f64);
        let decay = if self.config.warmup {
            self.config.decay.min(limit)
        } else {
            self.config.decay
        };
        (1.0 - decay) as f32
    }

    /// The average, for an engine that lets it follow itself.
    #[cfg(feature = "torch")]
    pub(crate) fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.average
    }

    /// The average.
    pub fn parameters(&self) -> &Parameters {
        &self.average
    }
}
