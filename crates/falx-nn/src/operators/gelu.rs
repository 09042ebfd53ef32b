//! `x` times the normal distribution below it.

use super::{Rules, only};

/// ONNX `Gelu`: `x Φ(x)`.
///
/// # Source
/// Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gelu {
    /// Whether `Φ` is approximated by a hyperbolic tangent.
    pub tanh: bool,
}

impl Rules for Gelu {
    fn name(&self) -> &'static str {
        "Gelu"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
