//! A fixed value past the end of each sequence.

use super::{Rules, axis, only};
use crate::onnx::Place;
use crate::onnx::message::Node;

/// Places along `axis` at or past a sequence's length take `value`; without lengths nothing changes.
///
/// ONNX has no such operator; a file holds sequences of full length, where it is `Identity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LengthMask {
    /// The axis of time; the batch is 0.
    pub axis: usize,
    /// What places past the end take.
    pub value: f32,
}

impl Rules for LengthMask {
    fn name(&self) -> &'static str {
        "LengthMask"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let shape = only(inputs)?;
        axis::place(self.axis, shape).map(|_| shape.to_vec())
    }

    fn nodes(&self, place: &Place) -> Vec<Node> {
        vec![place.node("Identity", Vec::new())]
    }
}

impl LengthMask {
    /// For each sample and place in time 1 where it is kept and 0 elsewhere.
    pub(crate) fn kept(steps: usize, lengths: &[usize]) -> Vec<f32> {
        let kept = |length: usize| (0..steps).map(move |time| f32::from(u8::from(time < length)));
        lengths.iter().flat_map(|&length| kept(length)).collect()
    }
}
