//! Undoing what oversampling does to probabilities.

use falx_core::{Label, Probability, SUBTYPES};
use serde::{Deserialize, Serialize};

/// The prior of `any` while training, against the prior of the data it came from.
///
/// Slices were drawn by their `any` label alone, so within the positives (and within the negatives) nothing
/// changed: the odds of `any` are off by a constant factor, and a subtype's share of `any` is right. The correction
/// is therefore exact: odds of `any` times that factor, every subtype scaled with `any`.
///
/// # Source
/// Saerens, Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural
/// Computation 14 (2002), equation 2.4.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorShift {
    /// Share of positive `any` among the samples that the network was shown.
    pub shown_any: Probability,
    /// Share of positive `any` in the training data itself.
    pub data_any: Probability,
}

/// A pair of priors from which no correction follows.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "a prior of 0 or 1 cannot be corrected (shown {shown}, data {data}); training needs slices with and without haemorrhage"
)]
pub struct InvalidPrior {
    /// Share among the samples shown.
    pub shown: f64,
    /// Share in the data.
    pub data: f64,
}

impl PriorShift {
    /// A correction from the prior `shown` in training to the prior of the `data`.
    ///
    /// # Errors
    /// [`InvalidPrior`] when either is not strictly between 0 and 1.
    pub fn new(shown: f64, data: f64) -> Result<Self, InvalidPrior> {
        let inside = |p: f64| p > 0.0 && p < 1.0;
        match (Probability::new(shown), Probability::new(data)) {
            (Ok(shown_any), Ok(data_any)) if inside(shown) && inside(data) => Ok(Self {
                shown_any,
                data_any,
            }),
            _ => Err(InvalidPrior { shown, data }),
        }
    }

    /// The six probabilities as they would be had the network been shown the data as it is.
    #[must_use]
    pub fn correct(self, probabilities: [Probability; 6]) -> [Probability; 6] {
        let odds = |p: f64| p / (1.0 - p);
        let factor = odds(self.data_any.get()) / odds(self.shown_any.get());
        let any = probabilities[Label::Any.index()].get();
        // p f / (p f + 1 - p): the odds times f, in a form that is safe at 0 and 1.
        let corrected = any * factor / (any * factor + 1.0 - any);
        let scale = if any > 0.0 { corrected / any } else { factor };
        let mut out = probabilities;
        out[Label::Any.index()] = probability(corrected);
        for subtype in SUBTYPES {
            out[subtype.index()] = probability(probabilities[subtype.index()].get() * scale);
        }
        out
    }
}

/// Rounding may leave the unit interval by an ulp, never by more.
fn probability(value: f64) -> Probability {
    Probability::new(value.clamp(0.0, 1.0)).unwrap_or_default()
}
