//! Prior shift: the same disease, more or less often.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

/// Why a prior cannot be corrected or found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum PriorError {
    /// A prior is 0, 1 or no probability.
    #[error("a prior of {value}; it must lie between 0 and 1")]
    Prior {
        /// What was given.
        value: f64,
    },
    /// A prediction is no probability.
    #[error("the prediction of case {case} is {value}; it must be a probability from 0 to 1")]
    NotProbability {
        /// Which case, from 0.
        case: u64,
        /// What was predicted.
        value: f64,
    },
    /// Nothing to estimate from.
    #[error("no case")]
    NoCases,
    /// All predictions equal the old prior: any new one explains them equally well.
    #[error("all predictions equal the old prior and say nothing of a new one")]
    Flat,
    /// The predictions are explained best by a class that never occurs.
    #[error("the likelihood is highest at a prior of {prior}, where one class never occurs")]
    Edge {
        /// 0 or 1.
        prior: f64,
    },
    /// The iteration did not settle.
    #[error("the estimate did not converge")]
    NotConverged,
}

/// The correction of probabilities for another prior: their odds change as the prior's do.
///
/// # Source
/// Elkan 2001, "The foundations of cost-sensitive learning", IJCAI 17, theorem 2; Saerens, Latinne, Decaestecker 2002.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PriorShift {
    /// The prevalence for which the probabilities hold.
    pub from: f64,
    /// The prevalence for which they shall hold.
    pub to: f64,
}

impl PriorShift {
    /// A shift from one prevalence to another.
    ///
    /// # Errors
    /// [`PriorError::Prior`] unless both lie strictly between 0 and 1.
    pub fn new(from: f64, to: f64) -> Result<Self, PriorError> {
        for value in [from, to] {
            check_prior(value)?;
        }
        Ok(Self { from, to })
    }

    /// The probability under the new prior; 0 and 1 stay what they are.
    ///
    /// # Units
    /// A probability from 0 to 1 gives one.
    pub fn apply(self, p: f64) -> f64 {
        let positive = p * self.to / self.from;
        let negative = (1.0 - p) * (1.0 - self.to) / (1.0 - self.from);
        positive / (positive + negative)
    }

    /// The shift that undoes this one.
    #[must_use]
    pub const fn inverse(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
        }
    }
}

/// One probability, corrected from a known prior to another, as [`PriorShift`] does. Six labels are corrected one by one;
/// afterwards `any` may lie below a subtype where their priors moved differently.
///
/// # Errors
/// [`PriorError`] for a prior not strictly between 0 and 1 or a prediction that is no probability.
pub fn known_prior(p: f64, from: f64, to: f64) -> Result<f64, PriorError> {
    check_cases(&[p])?;
    Ok(PriorShift::new(from, to)?.apply(p))
}

/// A prior found in unlabelled predictions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PriorEstimate {
    /// The new prior.
    pub prior: f64,
    /// Twice the gain in log likelihood over the old prior.
    pub likelihood_ratio: f64,
    /// How often chance alone gains as much while the prior is the old one, by the chi-squared distribution with one degree of
    /// freedom. Cases count as independent: with several slices a patient it is too small.
    pub p_value: f64,
}

const MOST_STEPS: usize = 200;
const SMALL_STEP: f64 = 1e-12;

/// The prior of unlabelled cases, from predictions that hold for the prior `from`: the fixed point of Saerens', Latinne's and
/// Decaestecker's expectation maximisation. That is where a concave likelihood is highest, so Newton's method with a
/// bracket finds the same point in a few passes.
///
/// It is right only where nothing but the prior changed: positives must look as before, and negatives too, and the predictions
/// must be calibrated for `from`. Another scanner, another mix of subtypes or another threshold of the readers breaks
/// this, and the estimate then follows the change of appearance instead of the prevalence.
///
/// # Errors
/// [`PriorError`] without cases, for predictions that say nothing, and where the likelihood has its maximum at 0 or 1.
///
/// # Source
/// Saerens, Latinne, Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities: a simple
/// procedure", Neural Computation 14; Alexandari, Kundaje, Shrikumar 2020, ICML 37, on concavity and calibration.
pub fn estimate_prior(prediction: &[f64], from: f64) -> Result<PriorEstimate, PriorError> {
    check_prior(from)?;
    check_cases(prediction)?;
    if prediction.is_empty() {
        return Err(PriorError::NoCases);
    }
    // How much likelier a case is among positives, and among negatives, than under the old prior.
    let ratios = || {
        prediction
            .iter()
            .map(|p| (p / from, (1.0 - p) / (1.0 - from)))
    };
    if prediction.iter().all(|&p| p == from) {
        return Err(PriorError::Flat);
    }
    let derivatives = |prior: f64| {
        let (mut first, mut second) = (0.0, 0.0);
        for (a, b) in ratios() {
            let share = (a - b) / (prior * a + (1.0 - prior) * b);
            first += share;
            second -= share * share;
        }
        (first, second)
    };
    for (edge, sign) in [(0.0, -1.0), (1.0, 1.0)] {
        // A case that the edge rules out makes the slope infinite, towards the inside.
        let slope = derivatives(edge).0;
        if slope * sign >= 0.0 {
            return Err(PriorError::Edge { prior: edge });
        }
    }
    let (mut low, mut high, mut prior) = (0.0, 1.0, from);
    for _ in 0..MOST_STEPS {
        let (first, second) = derivatives(prior);
        if first > 0.0 {
            low = prior;
        } else {
            high = prior;
        }
        let newton = prior - first / second;
        // The bracket's ends count: at the maximum the step is nothing, and the prior one of them.
        let inside = newton > 0.0 && newton < 1.0 && newton >= low && newton <= high;
        let next = if inside {
            newton
        } else {
            f64::midpoint(low, high)
        };
        let small = (next - prior).abs() <= SMALL_STEP * prior.min(1.0 - prior);
        prior = next;
        if small {
            let gain: f64 = ratios()
                .map(|(a, b)| (prior * a + (1.0 - prior) * b).ln())
                .sum();
            let likelihood_ratio = (2.0 * gain).max(0.0);
            return Ok(PriorEstimate {
                prior,
                likelihood_ratio,
                p_value: erfc((likelihood_ratio / 2.0).sqrt()),
            });
        }
    }
    Err(PriorError::NotConverged)
}

fn check_prior(value: f64) -> Result<(), PriorError> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(PriorError::Prior { value })
    }
}

fn check_cases(prediction: &[f64]) -> Result<(), PriorError> {
    match (0..)
        .zip(prediction)
        .find(|(_, p)| !(0.0..=1.0).contains(*p))
    {
        Some((case, &value)) => Err(PriorError::NotProbability { case, value }),
        None => Ok(()),
    }
}
