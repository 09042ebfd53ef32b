//! The linear layer.

use super::{Rules, only};
use crate::onnx::message::{Node, TensorData};
use crate::onnx::{Attribute, Place};
use crate::{Initialisation, ParameterKind, ParameterSpec};

/// ONNX `Gemm` with `transB = 1`: a linear layer with PyTorch's weight of outputs x inputs.
///
/// On sequences it goes along their features, on images along their channels.
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
        if self.features == 0 {
            return Err("it must give at least one feature");
        }
        match *only(inputs)? {
            [_] => Ok(vec![self.features]),
            [steps, _] => Ok(vec![steps, self.features]),
            [_, height, width] => Ok(vec![self.features, height, width]),
            _ => Err("it takes features, sequences of them, or images"),
        }
    }

    fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        let fan_in = match inputs.first() {
            Some(&&[channels, _, _]) => channels,
            Some(&&[.., features]) => features,
            _ => 0,
        };
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

    fn nodes(&self, place: &Place) -> Vec<Node> {
        let (Some(input), Some(weight)) = (place.inputs.first(), place.parameters.first()) else {
            return Vec::new();
        };
        let shape = place.shapes.first().map_or(&[][..], Vec::as_slice);
        if shape.len() == 1 {
            return vec![place.node("Gemm", self.attributes())];
        }
        let list = |part: &str, values: &[i64]| place.constant(part, TensorData::integers(values));
        let reshape = |part: &str, input: &str, to: &str| {
            place.part(part, "Reshape", &[input, to], Vec::new())
        };
        if let [channels, _, _] = *shape {
            // On images it is a convolution of 1 x 1.
            let kernel = [self.features as i64, channels as i64, 1, 1];
            let (lengths, kernels) = (place.of("kernel_shape"), place.of("kernel"));
            let mut inputs = vec![input.as_str(), kernels.as_str()];
            inputs.extend(place.parameters.iter().skip(1).map(String::as_str));
            return vec![
                list("kernel_shape", &kernel),
                reshape("kernel", weight, &lengths),
                place.last(
                    "Conv",
                    &inputs,
                    vec![Attribute::ints("kernel_shape", &[1, 1])],
                ),
            ];
        }
        let features = shape.last().map_or(0, |&features| features as i64);
        let back: Vec<i64> = std::iter::once(-1)
            .chain(place.shape.iter().map(|&length| length as i64))
            .collect();
        let [row_shape, rows, product, back_shape] =
            ["row_shape", "rows", "product", "back_shape"].map(|part| place.of(part));
        let mut inputs = vec![rows.as_str(), weight.as_str()];
        inputs.extend(place.parameters.iter().skip(1).map(String::as_str));
        let gemm = place.part("product", "Gemm", &inputs, self.attributes());
        vec![
            list("row_shape", &[-1, features]),
            reshape("rows", input, &row_shape),
            gemm,
            list("back_shape", &back),
            place.last("Reshape", &[&product, &back_shape], Vec::new()),
        ]
    }
}
