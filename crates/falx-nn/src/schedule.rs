//! The learning rate at each step: a pure function of the step, but for [`Plateau`], which validation drives.

mod plateau;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use plateau::{Plateau, PlateauState};

/// How the learning rate moves over the steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
        /// The linear part starts at this share of the base rate, and the cosine with the base rate (PyTorch's `LinearLR`);
        /// left out = it starts at `base / warmup` and ends with the base rate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_factor: Option<f64>,
    },
    /// Multiplied by `gamma` every `size` steps.
    Step {
        /// Steps between two drops.
        size: u64,
        /// The factor of each drop.
        gamma: f64,
    },
    /// Multiplied by `gamma` at each of some steps.
    MultiStep {
        /// The steps of the drops.
        milestones: Vec<u64>,
        /// The factor of each drop.
        gamma: f64,
    },
    /// Up from `base / divisor` to the base rate, then down to `base / divisor / final_divisor` at the last step.
    ///
    /// # Source
    /// Smith and Topin 2019, "Super-Convergence"; PyTorch's `OneCycleLR` with two phases.
    OneCycle(OneCycle),
    /// Multiplied by `gamma` at every step.
    Exponential {
        /// The factor of each step.
        gamma: f64,
    },
    /// The base rate until validation stops getting better: see [`Plateau`].
    Plateau(Plateau),
}

impl Default for Schedule {
    fn default() -> Self {
        Self::WarmupCosine {
            warmup: 0,
            minimum: 0.0,
            start_factor: None,
        }
    }
}

/// One cycle of the learning rate and, against it, of the momentum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// The share of all steps that the rise takes.
    pub rise: f64,
    /// The base rate divided by this is the first.
    pub divisor: f64,
    /// The first rate divided by this is the last.
    pub final_divisor: f64,
    /// How it rises and falls.
    pub shape: Shape,
    /// The least and the most momentum; left out = the optimiser's own throughout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<[f64; 2]>,
}

/// The shape of a rise or fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Half a cosine.
    #[default]
    Cosine,
    /// A straight line.
    Linear,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            rise: 0.3,
            divisor: 25.0,
            final_divisor: 1e4,
            shape: Shape::Cosine,
            momentum: None,
        }
    }
}

impl Shape {
    fn between(self, from: f64, to: f64, share: f64) -> f64 {
        match self {
            Self::Cosine => to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * share).cos()),
            Self::Linear => from + (to - from) * share,
        }
    }
}

impl OneCycle {
    /// From `low` up to `high` and down to `end` at step `step` of `total`.
    fn at(&self, [low, high, end]: [f64; 3], step: u64, total: u64) -> f64 {
        let (step, last) = (step as f64, total.saturating_sub(1) as f64);
        let top = (self.rise * total as f64 - 1.0).clamp(0.0, last);
        if step <= top {
            let share = if top > 0.0 { step / top } else { 1.0 };
            self.shape.between(low, high, share)
        } else {
            let share = ((step - top) / (last - top)).min(1.0);
            self.shape.between(high, end, share)
        }
    }
}

impl Schedule {
    /// The rate that step `step` (from 0) of `total` uses.
    pub fn rate(&self, base: f64, step: u64, total: u64) -> f64 {
        match *self {
            // What validation makes of the base is the loop's to know.
            Self::Constant | Self::Plateau(_) => base,
            Self::WarmupCosine {
                warmup,
                start_factor: Some(start),
                ..
            } if step < warmup => base * (start + (1.0 - start) * step as f64 / warmup as f64),
            Self::WarmupCosine {
                warmup, minimum, ..
            } => warmup_cosine(base, warmup, total, minimum, step),
            Self::MultiStep {
                ref milestones,
                gamma,
            } => {
                let drops = milestones.iter().filter(|&&at| at <= step).count();
                base * gamma.powi(i32::try_from(drops).unwrap_or(i32::MAX))
            }
            Self::OneCycle(ref cycle) => {
                let first = base / cycle.divisor;
                cycle.at([first, base, first / cycle.final_divisor], step, total)
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

impl Schedule {
    /// The momentum that step `step` (from 0) of `total` uses; `None` where it is the optimiser's own.
    pub fn momentum(&self, step: u64, total: u64) -> Option<f64> {
        let Self::OneCycle(cycle) = self else {
            return None;
        };
        let [least, most] = cycle.momentum?;
        Some(cycle.at([most, least, most], step, total))
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
