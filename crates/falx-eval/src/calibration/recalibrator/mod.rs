//! Curves that repair probabilities: fitted on one set of patients, applied to another.

mod beta;
mod isotonic;
mod platt;
mod temperature;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FitError;
use crate::Outcomes;

pub use beta::Beta;
pub use isotonic::Isotonic;
pub use platt::{Platt, PlattTargets};
pub use temperature::Temperature;

/// A way to repair probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// One parameter: all logits divided by a number.
    Temperature,
    /// Two parameters: a line on the logits.
    Platt,
    /// Three parameters: [`Beta`].
    Beta,
    /// A rising step curve, as free as the cases allow.
    Isotonic,
}

impl Method {
    /// All methods, from the fewest parameters to the most.
    pub const ALL: [Self; 4] = [Self::Temperature, Self::Platt, Self::Beta, Self::Isotonic];

    /// The method's name as the literature has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature scaling",
            Self::Platt => "Platt scaling",
            Self::Beta => "beta calibration",
            Self::Isotonic => "isotonic regression",
        }
    }

    /// Fits the method; Platt's with his smoothed targets.
    ///
    /// # Errors
    /// [`FitError`] where the outcomes do not determine the curve.
    pub fn fit(self, outcomes: &Outcomes) -> Result<Recalibrator, FitError> {
        self.fit_near(outcomes, None)
    }

    /// As [`Self::fit`], started near what a similar set gave, which saves steps.
    pub(super) fn fit_near(
        self,
        outcomes: &Outcomes,
        near: Option<&Recalibrator>,
    ) -> Result<Recalibrator, FitError> {
        Ok(match self {
            Self::Temperature => Recalibrator::Temperature(Temperature::fit(outcomes)?),
            Self::Platt => {
                let near = match near {
                    Some(Recalibrator::Platt(curve)) => Some(curve),
                    _ => None,
                };
                Recalibrator::Platt(Platt::fit_near(outcomes, PlattTargets::Smoothed, near)?)
            }
            Self::Beta => {
                let near = match near {
                    Some(Recalibrator::Beta(curve)) => Some(curve),
                    _ => None,
                };
                Recalibrator::Beta(Beta::fit_near(outcomes, near)?)
            }
            Self::Isotonic => Recalibrator::Isotonic(Isotonic::fit(outcomes)?),
        })
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A fitted curve from probabilities to probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Recalibrator {
    /// A temperature.
    Temperature(Temperature),
    /// A line on the logits.
    Platt(Platt),
    /// Beta calibration's curve.
    Beta(Beta),
    /// A rising step curve.
    Isotonic(Isotonic),
}

impl Recalibrator {
    /// Which method fitted it.
    pub const fn method(&self) -> Method {
        match self {
            Self::Temperature(_) => Method::Temperature,
            Self::Platt(_) => Method::Platt,
            Self::Beta(_) => Method::Beta,
            Self::Isotonic(_) => Method::Isotonic,
        }
    }

    /// The repaired probability.
    ///
    /// # Units
    /// Probabilities from 0 to 1.
    pub fn apply(&self, p: f64) -> f64 {
        match self {
            Self::Temperature(curve) => curve.apply(p),
            Self::Platt(curve) => curve.apply(p),
            Self::Beta(curve) => curve.apply(p),
            Self::Isotonic(curve) => curve.apply(p),
        }
    }
}
