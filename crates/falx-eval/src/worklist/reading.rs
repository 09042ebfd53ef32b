//! How long a study takes to read.

use rand::{Rng, RngExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WorklistError;

/// The distribution of reading times.
///
/// # Units
/// Minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReadingTime {
    /// Memoryless: the textbook's M.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// Skewed to the right, as measured reading times are.
    LogNormal {
        /// The mean.
        mean: f64,
        /// Standard deviation ÷ mean.
        variation: f64,
    },
    /// Always the same: the textbook's D.
    Fixed {
        /// The time.
        mean: f64,
    },
    /// Times that were measured, drawn with replacement.
    Measured {
        /// The times.
        minutes: Vec<f64>,
    },
}

impl ReadingTime {
    /// The mean, in minutes.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Exponential { mean } | Self::LogNormal { mean, .. } | Self::Fixed { mean } => {
                *mean
            }
            Self::Measured { minutes } => minutes.iter().sum::<f64>() / minutes.len().max(1) as f64,
        }
    }

    /// The mean of the square, in square minutes.
    pub fn second_moment(&self) -> f64 {
        match self {
            Self::Exponential { mean } => 2.0 * mean * mean,
            Self::LogNormal { mean, variation } => mean * mean * (1.0 + variation * variation),
            Self::Fixed { mean } => mean * mean,
            Self::Measured { minutes } => {
                minutes.iter().map(|m| m * m).sum::<f64>() / minutes.len().max(1) as f64
            }
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Exponential { mean } => format!("{mean} minutes (exponential)"),
            Self::LogNormal { mean, variation } => {
                format!("{mean} minutes (log-normal, ± {:.0} %)", variation * 100.0)
            }
            Self::Fixed { mean } => format!("{mean} minutes (always)"),
            Self::Measured { minutes } => {
                format!("{:.1} minutes ({} measured)", self.mean(), minutes.len())
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), WorklistError> {
        let positive = |what, value: f64| {
            (value.is_finite() && value > 0.0)
                .then_some(())
                .ok_or(WorklistError::Number {
                    what,
                    value,
                    must: "more than 0",
                })
        };
        match self {
            Self::Exponential { mean } | Self::Fixed { mean } => {
                positive("the mean reading time", *mean)
            }
            Self::LogNormal { mean, variation } => {
                positive("the mean reading time", *mean)?;
                positive("the reading times' variation", *variation)
            }
            Self::Measured { minutes } if minutes.is_empty() => Err(WorklistError::NoReadingTimes),
            Self::Measured { minutes } => minutes
                .iter()
                .try_for_each(|&m| positive("a measured reading time", m)),
        }
    }

    /// One reading time.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> f64 {
        match self {
            Self::Exponential { mean } => mean * exponential(rng),
            Self::LogNormal { mean, variation } => {
                let variance = (1.0 + variation * variation).ln();
                mean * (variance.sqrt() * normal(rng) - variance / 2.0).exp()
            }
            Self::Fixed { mean } => *mean,
            Self::Measured { minutes } => pick(minutes, rng),
        }
    }
}

/// An exponential number of mean 1.
pub(super) fn exponential(rng: &mut impl Rng) -> f64 {
    // 1 − u lies in (0, 1], so that its logarithm is finite.
    -(1.0 - rng.random::<f64>()).ln()
}

/// A standard normal number.
///
/// # Source
/// Box, Muller 1958 (Ann Math Stat 29:610).
fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (2.0 * exponential(rng)).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// One of the values; 0 where there is none.
pub(super) fn pick(values: &[f64], rng: &mut impl Rng) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let place = rng.random_range(0..values.len());
    values.get(place).copied().unwrap_or_default()
}
