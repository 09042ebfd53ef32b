//! Platt scaling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fit_error::{check, check_separation};
use super::super::logistic::{Row, fit};
use super::super::slope::logits;
use super::super::{FitError, logit, sigmoid};
use crate::Outcomes;

/// What Platt's line is fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlattTargets {
    /// The outcomes, 0 and 1: plain logistic recalibration.
    Observed,
    /// Platt's: (P + 1)/(P + 2) for the P positives, 1/(N + 2) for the N negatives. The fit is finite even where a threshold
    /// separates the classes.
    Smoothed,
}

/// A line on the logits: sigmoid(slope · logit(p) + intercept).
///
/// # Source
/// Platt 1999, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods"; the
/// predictions' logits stand for his decision values, and his A and B are these with the sign turned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Platt {
    /// What logits are multiplied by.
    pub slope: f64,
    /// What is added then.
    pub intercept: f64,
}

impl Platt {
    /// The line with the least log loss against the targets; predictions are clipped at 1e-15.
    ///
    /// # Errors
    /// [`FitError`] where a class is missing, all predictions are equal, the line would fall, or a threshold separates the
    /// observed classes.
    pub fn fit(outcomes: &Outcomes, targets: PlattTargets) -> Result<Self, FitError> {
        Self::fit_near(outcomes, targets, None)
    }

    pub(super) fn fit_near(
        outcomes: &Outcomes,
        targets: PlattTargets,
        near: Option<&Self>,
    ) -> Result<Self, FitError> {
        check(outcomes)?;
        let logits = logits(outcomes);
        match (targets, check_separation(outcomes.truth(), &logits)) {
            (PlattTargets::Smoothed, Err(FitError::Separated)) | (_, Ok(())) => {}
            (_, Err(error)) => return Err(error),
        }
        let positives = outcomes.positives() as f64;
        let negatives = outcomes.len() as f64 - positives;
        let [low, high] = match targets {
            PlattTargets::Observed => [0.0, 1.0],
            PlattTargets::Smoothed => [
                1.0 / (negatives + 2.0),
                (positives + 1.0) / (positives + 2.0),
            ],
        };
        let rows = || {
            let cases = outcomes.truth().iter().zip(&logits);
            cases.map(|(&positive, &x)| Row {
                columns: [1.0, x],
                offset: 0.0,
                target: if positive { high } else { low },
            })
        };
        let start = near.map_or([0.0, 1.0], |curve| [curve.intercept, curve.slope]);
        let [intercept, slope] = fit(rows, start)
            .or_else(|_| fit(rows, [0.0; 2]))?
            .coefficients;
        if slope <= 0.0 {
            return Err(FitError::Reversed);
        }
        Ok(Self { slope, intercept })
    }

    /// The repaired probability.
    pub fn apply(self, p: f64) -> f64 {
        sigmoid(self.slope * logit(p) + self.intercept)
    }
}
