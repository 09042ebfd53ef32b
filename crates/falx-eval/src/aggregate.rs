//! From the predictions of slices to one for their series or study.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resampling::quantile;

/// How the predictions of slices become one prediction of their series or study.
///
/// None of them is calibrated by itself: the loss of a study says how far off each is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// The highest.
    #[default]
    Max,
    /// The mean of the three highest; of fewer slices, of all.
    TopMean,
    /// The probability that at least one slice is positive if slices were independent: `1 − Π(1 − p)`.
    ///
    /// # Source
    /// Pearl, Probabilistic Reasoning in Intelligent Systems (1988), 4.3.2. Slices are not independent: it is too high.
    NoisyOr,
    /// The mean.
    Mean,
    /// The 95 % quantile, interpolated linearly.
    Quantile95,
    /// The highest after smoothing along the series with a Gaussian whose standard deviation is one slice; only where the
    /// order of all slices is known.
    SmoothedMax,
}

/// A word that names no aggregation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no aggregation; give max, top-mean, noisy-or, mean, quantile-95 or smoothed-max")]
pub struct UnknownAggregation(pub String);

/// How many of the highest [`Aggregation::TopMean`] takes.
const TOP: usize = 3;
/// The reach of the smoothing, in slices to either side.
const REACH: usize = 3;

impl Aggregation {
    /// All that are offered.
    pub const ALL: [Self; 6] = [
        Self::Max,
        Self::TopMean,
        Self::NoisyOr,
        Self::Mean,
        Self::Quantile95,
        Self::SmoothedMax,
    ];

    /// Its name on the command line and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::TopMean => "top-mean",
            Self::NoisyOr => "noisy-or",
            Self::Mean => "mean",
            Self::Quantile95 => "quantile-95",
            Self::SmoothedMax => "smoothed-max",
        }
    }

    /// What a study's prediction is by it, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Max => "the highest of its slices'",
            Self::TopMean => "the mean of its slices' three highest",
            Self::NoisyOr => "1 − Π(1 − p) over its slices",
            Self::Mean => "the mean of its slices'",
            Self::Quantile95 => "the 95 % quantile of its slices'",
            Self::SmoothedMax => "the highest of its slices' after smoothing along z",
        }
    }

    /// The prediction of the whole; `None` of no slices.
    ///
    /// # Shape
    /// One prediction a slice; for [`Self::SmoothedMax`] from one end of the series to the other, otherwise in any order.
    pub fn of(self, slices: &[f64]) -> Option<f64> {
        if slices.is_empty() {
            return None;
        }
        // Sums are taken in the order of size, so that they do not depend on the order in which slices came.
        let sorted = || {
            let mut sorted = slices.to_vec();
            sorted.sort_unstable_by(|a, b| b.total_cmp(a));
            sorted
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        match self {
            Self::Max => slices.iter().copied().reduce(f64::max),
            Self::TopMean => {
                let sorted = sorted();
                Some(mean(sorted.get(..TOP).unwrap_or(&sorted)))
            }
            // As a sum of logarithms: the product of many small factors would lose digits.
            Self::NoisyOr => {
                let none: f64 = sorted().iter().map(|p| (-p).ln_1p()).sum();
                Some(-none.exp_m1())
            }
            Self::Mean => Some(mean(&sorted())),
            Self::Quantile95 => {
                let mut sorted = sorted();
                sorted.reverse();
                quantile(&sorted, 0.95)
            }
            Self::SmoothedMax => smoothed(slices).into_iter().reduce(f64::max),
        }
    }
}

/// A Gaussian of standard deviation one slice over the neighbours; at the ends over those that are there.
fn smoothed(slices: &[f64]) -> Vec<f64> {
    let weight = |distance: usize| (-0.5 * (distance * distance) as f64).exp();
    (0..slices.len())
        .map(|at| {
            let first = at.saturating_sub(REACH);
            let near = slices.iter().enumerate().skip(first);
            let near = near.take_while(|(other, _)| *other <= at + REACH);
            let (sum, total) = near.fold((0.0, 0.0), |(sum, total), (other, p)| {
                let w = weight(at.abs_diff(other));
                (sum + w * p, total + w)
            });
            sum / total
        })
        .collect()
}

impl std::fmt::Display for Aggregation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Aggregation {
    type Err = UnknownAggregation;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|aggregation| aggregation.name() == word)
            .ok_or_else(|| UnknownAggregation(word.to_owned()))
    }
}
