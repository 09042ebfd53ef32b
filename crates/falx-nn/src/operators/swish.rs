//! `x` times its logistic function.

use super::{Rules, only};

/// ONNX `Swish` (SiLU where `alpha` is 1): `x sigmoid(alpha x)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swish {
    /// The steepness.
    pub alpha: f32,
}

impl Rules for Swish {
    fn name(&self) -> &'static str {
        "Swish"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
