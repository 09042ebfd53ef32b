//! Why a calibration cannot be fitted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcomes;

/// Why a calibration curve has no fit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum FitError {
    /// Nothing to fit.
    #[error("no case")]
    NoCases,
    /// No positive case.
    #[error("no positive case")]
    NoPositives,
    /// No negative case.
    #[error("no negative case")]
    NoNegatives,
    /// A prediction is no probability.
    #[error(
        "the prediction of case {case} is {value}; calibration takes probabilities from 0 to 1"
    )]
    NotProbability {
        /// Which case, from 0.
        case: u64,
        /// What was predicted.
        value: f64,
    },
    /// The predictions have too few different values for the curve's parameters.
    #[error("the predictions have too few different values to fit a curve through")]
    TooFewValues,
    /// A threshold separates the classes without error, so that no finite curve is the best.
    #[error("a threshold separates the classes without error, so that no finite curve fits best")]
    Separated,
    /// Higher predictions go with fewer positives: no rising curve repairs that.
    #[error("higher predictions go with fewer positives; no rising curve repairs that")]
    Reversed,
    /// The iteration did not settle.
    #[error("the fit did not converge")]
    NotConverged,
    /// Too few patients of a class for a curve as free as this one.
    #[error(
        "{} with and {negative} without a positive case; a curve as free as this one needs 10 of each", crate::text::count(*positive, "patient")
    )]
    TooFewPatients {
        /// Patients with a positive case.
        positive: u64,
        /// Patients with a negative case.
        negative: u64,
    },
}

/// That there is a case, and every prediction is a probability.
pub(crate) fn check_probabilities(prediction: &[f64]) -> Result<(), FitError> {
    if prediction.is_empty() {
        return Err(FitError::NoCases);
    }
    match (0..)
        .zip(prediction)
        .find(|(_, p)| !(0.0..=1.0).contains(*p))
    {
        Some((case, &value)) => Err(FitError::NotProbability { case, value }),
        None => Ok(()),
    }
}

/// That the predictions are probabilities, and both classes are there.
pub(crate) fn check(outcomes: &Outcomes) -> Result<(), FitError> {
    check_probabilities(outcomes.prediction())?;
    match outcomes.positives() {
        0 => Err(FitError::NoPositives),
        n if n == outcomes.len() as u64 => Err(FitError::NoNegatives),
        _ => Ok(()),
    }
}

/// How a threshold on the predictions would do: needed to tell a perfect separation from a fit.
pub(crate) fn check_separation(truth: &[bool], value: &[f64]) -> Result<(), FitError> {
    // (lowest, highest) of the negatives and of the positives.
    let mut range = [(f64::INFINITY, f64::NEG_INFINITY); 2];
    for (&positive, &v) in truth.iter().zip(value) {
        let (low, high) = &mut range[usize::from(positive)];
        *low = low.min(v);
        *high = high.max(v);
    }
    let [negatives, positives] = range;
    if negatives.0.min(positives.0) >= negatives.1.max(positives.1) {
        return Err(FitError::TooFewValues);
    }
    if positives.0 >= negatives.1 || negatives.0 >= positives.1 {
        return Err(FitError::Separated);
    }
    Ok(())
}
