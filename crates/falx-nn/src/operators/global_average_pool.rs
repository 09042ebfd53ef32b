//! The mean of each channel.

use super::{Rules, image};

/// ONNX `GlobalAveragePool`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalAveragePool;

impl Rules for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "GlobalAveragePool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, _, _] = image(inputs)?;
        Ok(vec![channels, 1, 1])
    }
}
