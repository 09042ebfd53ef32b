//! Temperature scaling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fit_error::check;
use super::super::logistic::{Row, fit};
use super::super::slope::{logits, target};
use super::super::{FitError, logit, sigmoid};
use crate::Outcomes;

/// All logits divided by one number: above 1 the predictions become less extreme, below 1 more so. A prediction of 0.5 stays.
///
/// # Source
/// Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks", ICML 34.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Temperature {
    /// What logits are divided by.
    pub temperature: f64,
}

impl Temperature {
    /// The temperature with the least log loss; predictions are clipped at 1e-15 as for that loss.
    ///
    /// # Errors
    /// [`FitError`] where a class is missing, 0.5 separates the classes, or no positive temperature helps.
    pub fn fit(outcomes: &Outcomes) -> Result<Self, FitError> {
        check(outcomes)?;
        let logits = logits(outcomes);
        // The logits of the negatives turned round: right where above 0.
        let right = || {
            let cases = outcomes.truth().iter().zip(&logits);
            cases.map(|(&positive, &x)| if positive { x } else { -x })
        };
        if right().all(|x| x == 0.0) {
            return Err(FitError::TooFewValues);
        }
        if right().all(|x| x >= 0.0) {
            return Err(FitError::Separated);
        }
        if right().all(|x| x <= 0.0) {
            return Err(FitError::Reversed);
        }
        let rows = || {
            let cases = outcomes.truth().iter().zip(&logits);
            cases.map(|(&positive, &x)| Row {
                columns: [x],
                offset: 0.0,
                target: target(positive),
            })
        };
        // Near a temperature of 1 few steps are needed; 0 is the safe start.
        let [inverse] = fit(rows, [1.0]).or_else(|_| fit(rows, [0.0]))?.coefficients;
        if inverse <= 0.0 {
            return Err(FitError::Reversed);
        }
        Ok(Self {
            temperature: 1.0 / inverse,
        })
    }

    /// The repaired probability.
    pub fn apply(self, p: f64) -> f64 {
        sigmoid(logit(p) / self.temperature)
    }
}
