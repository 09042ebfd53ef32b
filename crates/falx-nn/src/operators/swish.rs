//! `x` times its logistic function.

use super::{Rules, only};
use crate::onnx::Place;
use crate::onnx::message::{Node, TensorData};

/// ONNX `Swish` (SiLU where `alpha` is 1): `x sigmoid(alpha x)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swish {
    /// The steepness.
    pub alpha: f32,
}

impl Rules for Swish {
    fn name(&self) -> &'static str {
        "Swish"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }

    /// `Swish` is younger than the version that we write: its parts.
    fn nodes(&self, place: &Place) -> Vec<Node> {
        let x = place.input();
        let [alpha, scaled, share] = ["alpha", "scaled", "share"].map(|part| place.of(part));
        let mut nodes = Vec::new();
        let mut inner = x;
        if self.alpha != 1.0 {
            nodes.push(place.constant("alpha", TensorData::number(self.alpha)));
            nodes.push(place.part("scaled", "Mul", &[x, &alpha], Vec::new()));
            inner = &scaled;
        }
        nodes.push(place.part("share", "Sigmoid", &[inner], Vec::new()));
        nodes.push(place.last("Mul", &[x, &share], Vec::new()));
        nodes
    }
}
