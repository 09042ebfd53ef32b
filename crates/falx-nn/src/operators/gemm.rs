//! The linear layer.

use super::{Rules, only};
use crate::onnx::Attribute;
use crate::{Initialisation, ParameterKind, ParameterSpec};

/// ONNX `Gemm` with `transB = 1`: a linear layer with PyTorch's weight of outputs x inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    /// How many features it gives.
    pub features: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Rules for Gemm {
    fn name(&self) -> &'static str {
        "Gemm"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        match only(inputs)? {
            [_] if self.features > 0 => Ok(vec![self.features]),
            [_] => Err("it must give at least one feature"),
            _ => Err("it takes a row of features; flatten first"),
        }
    }

    fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        let fan_in = inputs
            .first()
            .and_then(|shape| shape.first())
            .copied()
            .unwrap_or(0);
        let spec = |part: &str, shape: Vec<usize>| ParameterSpec {
            name: format!("{name}.{part}"),
            shape,
            kind: ParameterKind::Weight,
            initialisation: Initialisation::FanInUniform { fan_in },
        };
        let mut specs = vec![spec("weight", vec![self.features, fan_in])];
        specs.extend(self.bias.then(|| spec("bias", vec![self.features])));
        specs
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![Attribute::int("transB", 1)]
    }
}
