//! A fixed power.

use super::{Rules, only};
use crate::onnx::Place;
use crate::onnx::message::{Node, TensorData};

/// ONNX `Pow` with a constant exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pow {
    /// The exponent.
    pub exponent: f32,
}

impl Rules for Pow {
    fn name(&self) -> &'static str {
        "Pow"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }

    fn nodes(&self, place: &Place) -> Vec<Node> {
        let exponent = place.constant("exponent", TensorData::number(self.exponent));
        let inputs = [place.input(), &place.of("exponent")];
        vec![exponent, place.last("Pow", &inputs, Vec::new())]
    }
}
