//! Normalisation of each row or pixel by itself.

use super::{Rules, axis, only};
use crate::{Initialisation, ParameterKind, ParameterSpec};

/// ONNX `LayerNormalization` along one axis: the last, or the channels of images (exported between two `Transpose`).
///
/// # Source
/// Ba et al. 2016, "Layer Normalization".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormalization {
    /// The axis that is normalised; the batch is 0.
    pub axis: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Rules for LayerNormalization {
    fn name(&self) -> &'static str {
        "LayerNormalization"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let shape = only(inputs)?;
        let place = axis::place(self.axis, shape)?;
        if place + 1 == shape.len() || (place == 0 && shape.len() == 3) {
            Ok(shape.to_vec())
        } else {
            Err("it goes along the last axis, or the channels of images")
        }
    }

    fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        let shape = inputs.first().copied().unwrap_or_default();
        let length = axis::place(self.axis, shape).map_or(0, |place| shape[place]);
        let spec = |(part, start): (&str, f32)| ParameterSpec {
            name: format!("{name}.{part}"),
            shape: vec![length],
            kind: ParameterKind::Weight,
            initialisation: Initialisation::Constant(start),
        };
        [("weight", 1.0), ("bias", 0.0)]
            .into_iter()
            .map(spec)
            .collect()
    }
}
