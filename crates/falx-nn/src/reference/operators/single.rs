//! Operators of one value with the attributes of a case.

use super::super::shape;
use super::Case;
use crate::*;

impl Case<'_> {
    #[allow(clippy::too_many_lines, reason = "a table, one case after the other")]
    /// The operator of this case.
    pub(super) fn one(&self, operator: &str) -> Operator {
        let attributes = &self.json["attributes"];
        let rank = self.tensor("X").map_or(2, |x| x.shape.len());
        let ceil_mode = attributes["ceil_mode"] == 1;
        match operator {
            "Conv" => Conv {
                channels: self.tensor("W").unwrap().shape[0],
                kernel: self.numbers("kernel_shape"),
                strides: self.numbers("strides"),
                pads: self.numbers("pads"),
                dilations: self.numbers("dilations"),
                groups: attributes["group"].as_u64().unwrap() as usize,
                bias: self.tensor("B").is_some(),
            }
            .into(),
            "ConvTranspose" => ConvTranspose {
                channels: self.tensor("W").unwrap().shape[1],
                kernel: self.numbers("kernel_shape"),
                strides: self.numbers("strides"),
                pads: self.numbers("pads"),
                output_padding: self.numbers("output_padding"),
                bias: self.tensor("B").is_some(),
            }
            .into(),
            "BatchNormalization" => BatchNormalization {
                epsilon: self.number("epsilon"),
                momentum: attributes["momentum"]
                    .as_f64()
                    .map_or(0.1, |kept| (1.0 - kept) as f32),
            }
            .into(),
            "LayerNormalization" => LayerNormalization {
                axis: self.axis(rank),
                epsilon: self.number("epsilon"),
            }
            .into(),
            "MaxPool" => MaxPool {
                kernel: self.numbers("kernel_shape"),
                strides: self.numbers("strides"),
                pads: self.numbers("pads"),
                ceil_mode,
            }
            .into(),
            "AveragePool" => AveragePool {
                kernel: self.numbers("kernel_shape"),
                strides: self.numbers("strides"),
                pads: self.numbers("pads"),
                ceil_mode,
                count_include_pad: attributes["count_include_pad"] == 1,
            }
            .into(),
            "Gemm" => Gemm {
                features: self.tensor("B").unwrap().shape[0],
                bias: self.tensor("C").is_some(),
            }
            .into(),
            "Pad" => {
                let [_, _, top, left, _, _, bottom, right] = self.numbers("pads");
                let mode = match attributes["mode"].as_str().unwrap() {
                    "reflect" => PadMode::Reflect,
                    _ => PadMode::Constant(self.number("value")),
                };
                let pads = [top, left, bottom, right];
                Pad { mode, pads }.into()
            }
            "Resize" => {
                let [_, _, height, width] = self.numbers("sizes");
                let by = attributes["coordinate_transformation_mode"]
                    .as_str()
                    .unwrap();
                let mode = match (attributes["mode"].as_str().unwrap(), by) {
                    ("nearest", "asymmetric") => ResizeMode::NearestFloor,
                    ("nearest", _) => ResizeMode::NearestExact,
                    ("cubic", _) => ResizeMode::Cubic {
                        coefficient: self.number("cubic_coeff_a"),
                    },
                    (_, by) => ResizeMode::Linear {
                        align_corners: by == "align_corners",
                    },
                };
                let size = [height, width];
                Resize { mode, size }.into()
            }
            "Slice" => {
                let signed = |key: &str| serde_json::from_value(attributes[key].clone()).unwrap();
                let slice = Slice {
                    starts: signed("starts"),
                    ends: signed("ends"),
                    axes: shape(&attributes["axes"]),
                    steps: shape(&attributes["steps"]),
                };
                slice.into()
            }
            "Reshape" => {
                let shape = shape(&serde_json::to_value(&self.tensor("Y").unwrap().shape).unwrap());
                let shape = shape[1..].to_vec();
                Reshape { shape }.into()
            }
            "Transpose" => Transpose {
                perm: shape(&attributes["perm"]),
            }
            .into(),
            "Softmax" => Softmax {
                axis: self.axis(rank),
            }
            .into(),
            "LogSoftmax" => LogSoftmax {
                axis: self.axis(rank),
            }
            .into(),
            "Clip" => Clip {
                min: Some(self.number("min")),
                max: Some(self.number("max")),
            }
            .into(),
            "LeakyRelu" => LeakyRelu {
                alpha: self.number("alpha"),
            }
            .into(),
            "HardSigmoid" => HardSigmoid {
                alpha: self.number("alpha"),
                beta: self.number("beta"),
            }
            .into(),
            "Swish" => Swish {
                alpha: self.number("alpha"),
            }
            .into(),
            "Gelu" => Gelu {
                tanh: attributes["approximate"] == "tanh",
            }
            .into(),
            "HardSwish" => HardSwish.into(),
            "Tanh" => Tanh.into(),
            "Relu" => Relu.into(),
            "Sigmoid" => Sigmoid.into(),
            "Flatten" => Flatten.into(),
            "GlobalAveragePool" => GlobalAveragePool.into(),
            "GlobalMaxPool" => GlobalMaxPool.into(),
            other => panic!("no graph is like {other}"),
        }
    }
}
