//! The hyperbolic tangent.

use super::{Rules, only};

/// ONNX `Tanh`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tanh;

impl Rules for Tanh {
    fn name(&self) -> &'static str {
        "Tanh"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
