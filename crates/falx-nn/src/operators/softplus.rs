//! A smooth rectifier.

use super::{Rules, only};

/// ONNX `Softplus`: `log(1 + exp(x))`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softplus;

impl Rules for Softplus {
    fn name(&self) -> &'static str {
        "Softplus"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
