//! The opposite number.

use super::{Rules, only};

/// ONNX `Neg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neg;

impl Rules for Neg {
    fn name(&self) -> &'static str {
        "Neg"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
