//! Beta calibration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fit_error::{check, check_separation};
use super::super::logistic::{Row, fit};
use super::super::slope::target;
use super::super::{FitError, sigmoid};
use crate::{CLIP, Outcomes};

/// sigmoid(a · ln p − b · ln(1 − p) + c) with a, b ≥ 0: what two beta distributions of the predictions, one a class, imply.
///
/// # Source
/// Kull, Silva Filho, Flach 2017, "Beta calibration", AISTATS 20: the curve with three parameters (`abm`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beta {
    /// What ln p is multiplied by; above 1 it makes low predictions more extreme.
    pub a: f64,
    /// What -ln(1 - p) is multiplied by; above 1 it makes high predictions more extreme.
    pub b: f64,
    /// What is added.
    pub c: f64,
}

/// ln p and -ln(1 - p).
fn logarithms(p: f64) -> (f64, f64) {
    let p = p.clamp(CLIP, 1.0 - CLIP);
    (p.ln(), -(-p).ln_1p())
}

impl Beta {
    /// The curve with the least log loss among the rising ones; predictions are clipped at 1e-15.
    ///
    /// Where the best curve has a negative a or b it would fall somewhere; the best rising one then has that parameter at 0. Where
    /// no rising curve is better than a constant, the constant is the prevalence (a = b = 0).
    ///
    /// # Errors
    /// [`FitError`] where a class is missing, there are fewer than three different predictions, or a threshold separates the classes.
    pub fn fit(outcomes: &Outcomes) -> Result<Self, FitError> {
        Self::fit_near(outcomes, None)
    }

    pub(super) fn fit_near(outcomes: &Outcomes, near: Option<&Self>) -> Result<Self, FitError> {
        check(outcomes)?;
        check_separation(outcomes.truth(), outcomes.prediction())?;
        let columns: Vec<(f64, f64)> = outcomes
            .prediction()
            .iter()
            .map(|&p| logarithms(p))
            .collect();
        let truth = outcomes.truth();
        let start = near.map_or([1.0, 1.0, 0.0], |curve| [curve.a, curve.b, curve.c]);
        let rows = || {
            truth.iter().zip(&columns).map(|(&positive, &(x, y))| Row {
                columns: [x, y, 1.0],
                offset: 0.0,
                target: target(positive),
            })
        };
        let [a, b, c] = fit(rows, start)
            .or_else(|_| fit(rows, [0.0; 3]))?
            .coefficients;
        if a >= 0.0 && b >= 0.0 {
            return Ok(Self { a, b, c });
        }
        // The best rising curve lies where a parameter that wants to be negative is 0.
        let one = |pick: fn(&(f64, f64)) -> f64| {
            let rows = || {
                truth
                    .iter()
                    .zip(&columns)
                    .map(move |(&positive, both)| Row {
                        columns: [pick(both), 1.0],
                        offset: 0.0,
                        target: target(positive),
                    })
            };
            fit(rows, [0.0; 2]).map(|fitted| fitted.coefficients)
        };
        let mut candidates = Vec::new();
        if a < 0.0 {
            let [b, c] = one(|both| both.1)?;
            candidates.push(Self { a: 0.0, b, c });
        }
        if b < 0.0 {
            let [a, c] = one(|both| both.0)?;
            candidates.push(Self { a, b: 0.0, c });
        }
        candidates.retain(|curve| curve.a >= 0.0 && curve.b >= 0.0);
        let loss = |curve: &Self| -> f64 {
            let cases = truth.iter().zip(&columns);
            cases
                .map(|(&positive, &(x, y))| {
                    let logit = curve.a * x + curve.b * y + curve.c;
                    // ln(1 + e^-z) for a positive, ln(1 + e^z) for a negative.
                    let wrong = if positive { -logit } else { logit };
                    wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
                })
                .sum()
        };
        let best = candidates.into_iter().map(|curve| (loss(&curve), curve));
        let best = best.min_by(|a, b| a.0.total_cmp(&b.0));
        Ok(best.map_or_else(
            || {
                let positives = outcomes.positives() as f64;
                let odds = positives / (outcomes.len() as f64 - positives);
                Self {
                    a: 0.0,
                    b: 0.0,
                    c: odds.ln(),
                }
            },
            |(_, curve)| curve,
        ))
    }

    /// The repaired probability.
    pub fn apply(self, p: f64) -> f64 {
        let (x, y) = logarithms(p);
        sigmoid(self.a * x + self.b * y + self.c)
    }
}
