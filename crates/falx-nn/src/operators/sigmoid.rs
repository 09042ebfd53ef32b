//! The logistic function.

use super::{Rules, only};

/// ONNX `Sigmoid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sigmoid;

impl Rules for Sigmoid {
    fn name(&self) -> &'static str {
        "Sigmoid"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
