//! The rectifier with a slope below 0.

use super::{Rules, only};
use crate::onnx::Attribute;

/// ONNX `LeakyRelu`; its gradient at 0 is `alpha`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope below 0.
    pub alpha: f32,
}

impl Rules for LeakyRelu {
    fn name(&self) -> &'static str {
        "LeakyRelu"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![Attribute::float("alpha", self.alpha)]
    }
}
