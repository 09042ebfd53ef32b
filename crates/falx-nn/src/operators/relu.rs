//! The rectifier.

use super::{Rules, only};

/// ONNX `Relu`; its gradient at 0 is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relu;

impl Rules for Relu {
    fn name(&self) -> &'static str {
        "Relu"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
