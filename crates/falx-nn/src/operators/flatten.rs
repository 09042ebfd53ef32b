//! Channels, rows and columns become one row of features.

use super::{Rules, only};

/// ONNX `Flatten` from the first dimension after the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flatten;

impl Rules for Flatten {
    const NAME: &'static str = "Flatten";

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        Ok(vec![only(inputs)?.iter().product()])
    }
}
