//! The slope and the intercept of calibration: logistic recalibration as a measurement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit_error::{check, check_separation};
use super::logistic::{Row, fit};
use super::{FitError, logit};
use crate::{CLIP, Estimate, Outcomes};

/// The line that carries the logit of the predictions to that of the outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slope {
    /// 1 where the spread of the predictions is right; below 1 they are too extreme, above 1 too timid.
    pub slope: Estimate,
    /// The intercept beside this slope, in logits; 0 together with a slope of 1 where the predictions are right.
    pub intercept: Estimate,
    /// Predictions nearer to 0 or 1 than 1e-15, which count as that near.
    pub clipped: u64,
}

/// The logits of outcomes whose predictions were checked.
pub(super) fn logits(outcomes: &Outcomes) -> Vec<f64> {
    outcomes.prediction().iter().map(|&p| logit(p)).collect()
}

pub(super) fn target(positive: bool) -> f64 {
    f64::from(u8::from(positive))
}

/// The calibration slope and intercept: logistic regression of the truth on the predictions' logits.
///
/// Intervals are of the sandwich variance over clusters (G clusters, n cases, k = 2; corrected by G/(G - 1) · (n - 1)/(n - k))
/// with Student's t of G - 1 degrees of freedom: a formula, because refitting a million cases a thousand times takes minutes.
///
/// Predictions are clipped at 1e-15 as for the loss, so saturated ones have logits of ±34.5. They are far from the others and
/// weigh heavily: a few that are wrong pull the slope towards 0, many that are right hold the line steep at its ends.
/// [`Slope::clipped`] says how many there are.
///
/// # Units
/// Logits (nats).
///
/// # Errors
/// [`FitError`] where a class is missing, all predictions are equal or a threshold separates the classes.
///
/// # Source
/// Cox 1958, "Two further applications of a model for binary regression", Biometrika 45; Liang, Zeger 1986, Biometrika 73, for the
/// variance; Van Calster et al. 2019, "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17.
pub fn slope(outcomes: &Outcomes) -> Result<Slope, FitError> {
    check(outcomes)?;
    slope_of(outcomes, &logits(outcomes), [0.0; 2])
}

/// As [`slope`], with the logits at hand, and started from an intercept and slope.
pub(super) fn slope_of(
    outcomes: &Outcomes,
    logits: &[f64],
    start: [f64; 2],
) -> Result<Slope, FitError> {
    check_separation(outcomes.truth(), logits)?;
    let rows = || {
        let cases = outcomes.truth().iter().zip(logits);
        cases.map(|(&positive, &x)| Row {
            columns: [1.0, x],
            offset: 0.0,
            target: target(positive),
        })
    };
    // A start near the end saves steps; where it fails, 0 is the safe one.
    let fitted = fit(rows, start).or_else(|_| fit(rows, [0.0; 2]))?;
    let [intercept, slope] = fitted.estimates(rows(), outcomes.cluster());
    let saturated = |p: &&f64| **p < CLIP || **p > 1.0 - CLIP;
    Ok(Slope {
        slope,
        intercept,
        clipped: outcomes.prediction().iter().filter(saturated).count() as u64,
    })
}

/// Calibration in the large: the intercept with the slope held at 1. Above 0 the predictions are too low on the whole.
///
/// Interval, clipping and units as for [`slope`].
///
/// # Errors
/// [`FitError`] where a class is missing.
pub fn in_the_large(outcomes: &Outcomes) -> Result<Estimate, FitError> {
    check(outcomes)?;
    in_the_large_of(outcomes, &logits(outcomes))
}

pub(super) fn in_the_large_of(outcomes: &Outcomes, logits: &[f64]) -> Result<Estimate, FitError> {
    let rows = || {
        let cases = outcomes.truth().iter().zip(logits);
        cases.map(|(&positive, &x)| Row {
            columns: [1.0],
            offset: x,
            target: target(positive),
        })
    };
    let [intercept] = fit(rows, [0.0])?.estimates(rows(), outcomes.cluster());
    Ok(intercept)
}
