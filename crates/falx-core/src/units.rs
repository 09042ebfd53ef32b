//! Units as types, so that a raw number never crosses a crate's border where a unit exists.

use serde::{Deserialize, Serialize};

/// Hounsfield units: attenuation relative to water (0) and air (−1000).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[repr(transparent)]
pub struct Hu(pub f32);

impl Hu {
    /// What a pixel without a value (padding) holds in an array of HU: the floor of the usual CT scale.
    pub const PADDING: Self = Self(-1024.0);
    /// Air.
    pub const AIR: Self = Self(-1000.0);
}

/// A length in millimetres.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[repr(transparent)]
pub struct Millimetre(pub f64);

/// A probability, checked to lie in 0 ..= 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

/// A number that is no probability.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a probability; it must lie between 0 and 1")]
pub struct NotAProbability(pub f64);

impl Probability {
    /// A checked probability.
    ///
    /// # Errors
    /// [`NotAProbability`] for NaN, an infinity, or a number outside 0 ..= 1.
    pub fn new(value: f64) -> Result<Self, NotAProbability> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(NotAProbability(value))
        }
    }

    /// The logistic function of a logit; NaN (which no finite logit gives) becomes one half.
    pub fn from_logit(logit: f64) -> Self {
        if logit.is_nan() {
            return Self(0.5);
        }
        Self((1.0 / (1.0 + (-logit).exp())).clamp(0.0, 1.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Probability {
    type Error = NotAProbability;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

/// Certainty: 1 of what is true, 0 of what is not.
impl From<bool> for Probability {
    fn from(is_true: bool) -> Self {
        Self(f64::from(u8::from(is_true)))
    }
}

impl From<Probability> for f64 {
    fn from(p: Probability) -> Self {
        p.0
    }
}
