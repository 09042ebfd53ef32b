//! Undoing what oversampling does to probabilities.

use falx_core::{Label, Probability, SUBTYPES};
use serde::{Deserialize, Serialize};

/// The prior of `any` while training, against the prior of the data it came from.
///
/// Where slices were drawn by their `any` label alone, nothing changed within the positives (and within the negatives):
/// the odds of `any` are off by a constant factor, and a subtype's share of `any` is right. The correction is then
/// exact: odds of `any` times that factor, every subtype scaled with `any`. Where slices were drawn by subtypes too,
/// the odds of each subtype among the positives are corrected likewise before that; this is exact for one subtype at a
/// time, and near where several come together.
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
    /// What else was shown more often, where slices were not drawn by `any` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtypes: Option<SubtypeShift>,
}

/// The shares of the five subtypes among the positives, in the order of [`SUBTYPES`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtypeShift {
    /// Among the samples that the network was shown.
    pub shown: [Probability; 5],
    /// In the training data itself.
    pub data: [Probability; 5],
}

/// Shares that differ by less than this differ by rounding.
const ROUNDING: f64 = 1e-9;

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
                subtypes: None,
            }),
            _ => Err(InvalidPrior { shown, data }),
        }
    }

    /// A correction from the prevalence of all labels as `shown` to that of the `data`.
    ///
    /// # Errors
    /// As [`PriorShift::new`].
    pub fn between(shown: [f64; 6], data: [f64; 6]) -> Result<Self, InvalidPrior> {
        let any = Label::Any.index();
        let shift = Self::new(shown[any], data[any])?;
        let share = |of: &[f64; 6], at: usize| (of[at] / of[any]).clamp(0.0, 1.0);
        let differ = (0..5).any(|at| (share(&shown, at) - share(&data, at)).abs() > ROUNDING);
        let shares = |of: &[f64; 6]| std::array::from_fn(|at| probability(share(of, at)));
        Ok(Self {
            subtypes: differ.then(|| SubtypeShift {
                shown: shares(&shown),
                data: shares(&data),
            }),
            ..shift
        })
    }

    /// This shift after another one, as one: from what that one's network was shown to what this one goes to.
    #[must_use]
    pub fn after(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else {
            return self;
        };
        // Odds are multiplied by both factors: (d₁ / s₁) (d₂ / s₂), in terms of the first's `shown`.
        let odds = |p: Probability| p.get() / (1.0 - p.get());
        let odds = odds(earlier.data_any) * odds(self.data_any) / odds(self.shown_any);
        Self {
            shown_any: earlier.shown_any,
            data_any: probability(odds / (1.0 + odds)),
            subtypes: earlier.subtypes,
        }
    }

    /// The way back: what [`PriorShift::correct`] gives becomes what it was given.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self {
            shown_any: self.data_any,
            data_any: self.shown_any,
            subtypes: self.subtypes.map(|subtypes| SubtypeShift {
                shown: subtypes.data,
                data: subtypes.shown,
            }),
        }
    }

    /// The six probabilities as they would be had the network been shown the data as it is.
    #[must_use]
    pub fn correct(self, probabilities: [Probability; 6]) -> [Probability; 6] {
        let probabilities = match &self.subtypes {
            Some(subtypes) => subtypes.correct(probabilities),
            None => probabilities,
        };
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

impl SubtypeShift {
    /// Corrects the odds of each subtype among the positives; `any` stays as it is.
    fn correct(&self, probabilities: [Probability; 6]) -> [Probability; 6] {
        let any = probabilities[Label::Any.index()].get();
        let mut out = probabilities;
        for ((subtype, shown), data) in SUBTYPES.into_iter().zip(self.shown).zip(self.data) {
            let p = probabilities[subtype.index()].get();
            let (shown, data) = (shown.get(), data.get());
            // A subtype that is never there, or always, has no odds to correct; nor has one as likely as `any`.
            let has_odds = |p: f64| p > 0.0 && p < 1.0;
            if has_odds(shown) && has_odds(data) && p < any {
                let factor = data / (1.0 - data) * (1.0 - shown) / shown;
                let share = p / any;
                out[subtype.index()] =
                    probability(any * share * factor / (share * factor + 1.0 - share));
            }
        }
        out
    }
}

/// Rounding may leave the unit interval by an ulp, never by more.
fn probability(value: f64) -> Probability {
    Probability::new(value.clamp(0.0, 1.0)).unwrap_or_default()
}
