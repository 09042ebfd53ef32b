//! A straight line for the logistic function.

use super::{Rules, only};
use crate::onnx::Attribute;

/// ONNX `HardSigmoid`: `alpha x + beta`, kept within 0 and 1; its gradient at both bounds is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSigmoid {
    /// The slope.
    pub alpha: f32,
    /// The value at 0.
    pub beta: f32,
}

impl Rules for HardSigmoid {
    fn name(&self) -> &'static str {
        "HardSigmoid"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::float("alpha", self.alpha),
            Attribute::float("beta", self.beta),
        ]
    }
}
