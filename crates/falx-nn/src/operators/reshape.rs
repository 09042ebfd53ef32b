//! Other lengths for the same numbers.

use super::{Rules, only};
use crate::onnx::Place;
use crate::onnx::message::{Node, TensorData};

/// ONNX `Reshape` of each sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshape {
    /// The new lengths without the batch.
    pub shape: Vec<usize>,
}

impl Rules for Reshape {
    fn name(&self) -> &'static str {
        "Reshape"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let count = |shape: &[usize]| shape.iter().try_fold(1_usize, |n, &x| n.checked_mul(x));
        if count(&self.shape).is_some() && count(&self.shape) == count(only(inputs)?) {
            Ok(self.shape.clone())
        } else {
            Err("the new shape must hold as many numbers")
        }
    }

    fn nodes(&self, place: &Place) -> Vec<Node> {
        // A 0 keeps a length: the batch's.
        let mut lengths = vec![0];
        lengths.extend(place.shape.iter().map(|&length| length as i64));
        let shape = place.constant("shape", TensorData::integers(&lengths));
        let inputs = [place.input(), &place.of("shape")];
        vec![shape, place.last("Reshape", &inputs, Vec::new())]
    }
}
