//! DICOM's display windows: VOI LUT functions and VOI LUTs, exactly as the standard writes them.

mod lut;

use std::str::FromStr;

use serde::Serialize;

pub use lut::VoiLut;
pub(crate) use lut::luts;

/// How a window maps HU to grey.
///
/// # Source
/// DICOM PS3.3 C.11.2.1.2.1 and C.11.2.1.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VoiFunction {
    /// The default: a ramp of `width - 1` HU around `center - 0.5`.
    #[default]
    Linear,
    /// A ramp of exactly `width` HU around `center`.
    LinearExact,
    /// A logistic curve around `center`.
    Sigmoid,
}

/// A word that is no VOI LUT Function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a VOI LUT Function; the functions are LINEAR, LINEAR_EXACT and SIGMOID")]
pub struct UnknownVoiFunction(pub String);

impl FromStr for VoiFunction {
    type Err = UnknownVoiFunction;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "LINEAR" => Ok(Self::Linear),
            "LINEAR_EXACT" => Ok(Self::LinearExact),
            "SIGMOID" => Ok(Self::Sigmoid),
            _ => Err(UnknownVoiFunction(word.to_owned())),
        }
    }
}

/// A centre and width that the function does not allow.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "a {function:?} window of centre {center} and width {width} HU is unusable; LINEAR needs a width of at least 1, the others a width above 0"
)]
pub struct InvalidVoiWindow {
    /// The centre that was asked for.
    pub center: f64,
    /// The width that was asked for.
    pub width: f64,
    /// The function that was asked for.
    pub function: VoiFunction,
}

/// A display window as an image's header gives it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VoiWindow {
    center: f64,
    width: f64,
    function: VoiFunction,
}

impl VoiWindow {
    /// A window of `center` and `width` HU.
    ///
    /// # Errors
    /// [`InvalidVoiWindow`] when a number is not finite, or the width is below 1 (LINEAR) or not above 0 (others).
    pub fn new(center: f64, width: f64, function: VoiFunction) -> Result<Self, InvalidVoiWindow> {
        let wide_enough = match function {
            VoiFunction::Linear => width >= 1.0,
            VoiFunction::LinearExact | VoiFunction::Sigmoid => width > 0.0,
        };
        if center.is_finite() && width.is_finite() && wide_enough {
            Ok(Self {
                center,
                width,
                function,
            })
        } else {
            Err(InvalidVoiWindow {
                center,
                width,
                function,
            })
        }
    }

    /// The centre in HU.
    pub const fn center(&self) -> f64 {
        self.center
    }

    /// The width in HU.
    pub const fn width(&self) -> f64 {
        self.width
    }

    /// The function.
    pub const fn function(&self) -> VoiFunction {
        self.function
    }

    /// The grey value of `hu`, 0 to 255.
    ///
    /// # Source
    /// DICOM PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (`LINEAR_EXACT`), C.11.2.1.3.1 (SIGMOID).
    pub fn output(&self, hu: f64) -> f64 {
        let Self {
            center: c,
            width: w,
            ..
        } = *self;
        match self.function {
            VoiFunction::Linear if hu <= c - 0.5 - (w - 1.0) / 2.0 => 0.0,
            VoiFunction::Linear if hu > c - 0.5 + (w - 1.0) / 2.0 => 255.0,
            VoiFunction::Linear => ((hu - (c - 0.5)) / (w - 1.0) + 0.5) * 255.0,
            VoiFunction::LinearExact if hu <= c - w / 2.0 => 0.0,
            VoiFunction::LinearExact if hu > c + w / 2.0 => 255.0,
            VoiFunction::LinearExact => ((hu - c) / w + 0.5) * 255.0,
            VoiFunction::Sigmoid => 255.0 / (1.0 + (-4.0 * (hu - c) / w).exp()),
        }
    }

    /// The grey value of `hu` as an 8-bit display shows it: the nearest integer, halves upwards.
    pub fn output_u8(&self, hu: f64) -> u8 {
        (self.output(hu) + 0.5).floor() as u8
    }
}
