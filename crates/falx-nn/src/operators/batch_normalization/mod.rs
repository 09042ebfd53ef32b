//! Normalisation by the batch's statistics.

mod normalisation;
mod statistics;

use super::{Rules, only};
use crate::onnx::Attribute;
use crate::{Initialisation, ParameterKind, ParameterSpec};

pub(crate) use normalisation::{Epilogue, Normalisation};
pub(crate) use statistics::Statistics;

/// ONNX `BatchNormalization` over all dimensions but the channels, with PyTorch's running statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormalization {
    /// Added to the variance.
    pub epsilon: f32,
    /// The weight of a new batch in the running statistics (PyTorch's convention; ONNX names the rest).
    pub momentum: f32,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        Self {
            epsilon: 1e-5,
            momentum: 0.1,
        }
    }
}

impl Rules for BatchNormalization {
    fn name(&self) -> &'static str {
        "BatchNormalization"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        match only(inputs)? {
            [] | [0, ..] => Err("it needs channels"),
            shape => Ok(shape.to_vec()),
        }
    }

    fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        let channels = inputs
            .first()
            .and_then(|shape| shape.first())
            .copied()
            .unwrap_or(0);
        let spec = |(part, kind, start): (&str, ParameterKind, f32)| ParameterSpec {
            name: format!("{name}.{part}"),
            shape: vec![channels],
            kind,
            initialisation: Initialisation::Constant(start),
        };
        let parts = [
            ("weight", ParameterKind::Weight, 1.0),
            ("bias", ParameterKind::Weight, 0.0),
            ("running_mean", ParameterKind::RunningStatistic, 0.0),
            ("running_var", ParameterKind::RunningStatistic, 1.0),
        ];
        parts.into_iter().map(spec).collect()
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::float("epsilon", self.epsilon),
            Attribute::float("momentum", 1.0 - self.momentum),
        ]
    }
}
