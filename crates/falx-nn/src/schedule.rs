//! The learning rate at each step, a pure function of the step.

use serde::{Deserialize, Serialize};

/// How the learning rate moves over the steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// The base rate throughout.
    Constant,
    /// Linear from `base / warmup` up to the base rate, then half a cosine down to `minimum`.
    WarmupCosine {
        /// Steps of the linear part.
        warmup: u64,
        /// The rate at the end.
        minimum: f64,
    },
    /// Multiplied by `gamma` every `size` steps.
    Step {
        /// Steps between two drops.
        size: u64,
        /// The factor of each drop.
        gamma: f64,
    },
    /// Multiplied by `gamma` at every step.
    Exponential {
        /// The factor of each step.
        gamma: f64,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::WarmupCosine {
            warmup: 0,
            minimum: 0.0,
        }
    }
}

impl Schedule {
    /// The rate that step `step` (from 0) of `total` uses.
    pub fn rate(&self, base: f64, step: u64, total: u64) -> f64 {
        match *self {
            Self::Constant => base,
            Self::WarmupCosine { warmup, minimum } => {
                warmup_cosine(base, warmup, total, minimum, step)
            }
            Self::Step { size, gamma } => {
                base * gamma.powi(i32::try_from(step / size.max(1)).unwrap_or(i32::MAX))
            }
            Self::Exponential { gamma } => {
                base * gamma.powi(i32::try_from(step).unwrap_or(i32::MAX))
            }
        }
    }
}

/// The rate of step `step` (from 0): linear up to `base` over `warmup` steps, then half a cosine to `minimum` at `total`.
pub fn warmup_cosine(base: f64, warmup: u64, total: u64, minimum: f64, step: u64) -> f64 {
    if step < warmup {
        return base * (step + 1) as f64 / warmup as f64;
    }
    let length = total.saturating_sub(warmup).max(1);
    let progress = ((step - warmup) as f64 / length as f64).min(1.0);
    minimum + (base - minimum) / 2.0 * (1.0 + (std::f64::consts::PI * progress).cos())
}

#[cfg(test)]
mod tests;
