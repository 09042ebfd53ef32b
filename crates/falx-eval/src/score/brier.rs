//! The Brier score and its parts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calibration::{Binning, bin_of};
use crate::{Outcomes, Undefined};

/// The Brier score, and what it is made of: `reliability − resolution + uncertainty + within_bin_variance − within_bin_covariance`,
/// up to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Brier {
    /// The mean squared distance of prediction and outcome; lower is better.
    pub score: f64,
    /// The squared distance of a bin's frequency from its mean prediction: what recalibration could gain.
    pub reliability: f64,
    /// How far the bins' frequencies lie from the prevalence: what the predictions know.
    pub resolution: f64,
    /// The score of predicting the prevalence.
    pub uncertainty: f64,
    /// How predictions vary within bins.
    pub within_bin_variance: f64,
    /// Twice how predictions and outcomes vary together within bins.
    pub within_bin_covariance: f64,
    /// The reliability without what chance adds, at least 0; `None` where a bin holds a single case. Cases count as
    /// independent, so it still is somewhat too high where patients have several.
    pub reliability_debiased: Option<f64>,
    /// 1 − score ÷ uncertainty: the skill against predicting the prevalence. `None` where only one class occurs.
    pub skill: Option<f64>,
}

/// The squared distance of a prediction from the outcome.
pub fn squared_error(truth: bool, prediction: f64) -> f64 {
    let distance = f64::from(u8::from(truth)) - prediction;
    distance * distance
}

/// Sums over a bin.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    n: f64,
    p: f64,
    y: f64,
    /// Of squared distances from the bin's mean prediction.
    pp: f64,
    /// Of products of both distances from the bin's means.
    py: f64,
}

/// The Brier score with Murphy's decomposition over bins, and the two terms that make it exact for bins of unequal predictions.
///
/// # Shape
/// The score does not depend on the bins, its parts do.
///
/// # Errors
/// [`Undefined::NoCases`] when there is nothing to score.
///
/// # Source
/// Brier 1950; Murphy 1973, "A new vector partition of the probability score", J. Applied Meteorology 12; Stephenson, Coelho,
/// Jolliffe 2008, "Two extra components in the Brier score decomposition", Weather and Forecasting 23; the debiased
/// reliability: Ferro, Fricker 2012, Q. J. R. Meteorological Society 138, and Kumar, Liang, Ma 2019.
pub fn brier(outcomes: &Outcomes, binning: Binning) -> Result<Brier, Undefined> {
    if outcomes.is_empty() {
        return Err(Undefined::NoCases);
    }
    let edges = binning.edges(outcomes.prediction());
    let mut bins = vec![Sums::default(); edges.len()];
    let mut score = 0.0;
    let value = |positive: bool| f64::from(u8::from(positive));
    for (positive, p, _) in outcomes.iter() {
        score += squared_error(positive, p);
        if let Some(bin) = bins.get_mut(bin_of(&edges, p)) {
            bin.n += 1.0;
            bin.p += p;
            bin.y += value(positive);
        }
    }
    for (positive, p, _) in outcomes.iter() {
        if let Some(bin) = bins.get_mut(bin_of(&edges, p)) {
            let (dp, dy) = (p - bin.p / bin.n, value(positive) - bin.y / bin.n);
            bin.pp += dp * dp;
            bin.py += dp * dy;
        }
    }
    let n = outcomes.len() as f64;
    let prevalence = outcomes.positives() as f64 / n;
    let uncertainty = prevalence * (1.0 - prevalence);
    let held = || bins.iter().filter(|bin| bin.n > 0.0);
    let mean = |part: &dyn Fn(&Sums) -> f64| held().map(part).sum::<f64>() / n;
    let reliability = mean(&|b| (b.y - b.p).powi(2) / b.n);
    let chance: Option<f64> = held()
        .map(|b| (b.n > 1.0).then(|| b.y * (b.n - b.y) / (b.n * (b.n - 1.0))))
        .sum();
    let score = score / n;
    Ok(Brier {
        score,
        reliability,
        resolution: mean(&|b| b.n * (b.y / b.n - prevalence).powi(2)),
        uncertainty,
        within_bin_variance: mean(&|b| b.pp),
        within_bin_covariance: mean(&|b| 2.0 * b.py),
        reliability_debiased: chance.map(|chance| (reliability - chance / n).max(0.0)),
        skill: (uncertainty > 0.0).then(|| 1.0 - score / uncertainty),
    })
}
