//! The largest value of each channel.

use super::{Rules, image};

/// ONNX `GlobalMaxPool`; the first of equal values takes the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalMaxPool;

impl Rules for GlobalMaxPool {
    fn name(&self) -> &'static str {
        "GlobalMaxPool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, _, _] = image(inputs)?;
        Ok(vec![channels, 1, 1])
    }
}
