//! A fixed power.

use super::{Rules, only};

/// ONNX `Pow` with a constant exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pow {
    /// The exponent.
    pub exponent: f32,
}

impl Rules for Pow {
    fn name(&self) -> &'static str {
        "Pow"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
