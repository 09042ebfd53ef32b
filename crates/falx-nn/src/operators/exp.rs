//! The exponential.

use super::{Rules, only};

/// ONNX `Exp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exp;

impl Rules for Exp {
    fn name(&self) -> &'static str {
        "Exp"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
