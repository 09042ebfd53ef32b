//! Channels, rows and columns become one row of features.

use super::{Rules, only};
use crate::onnx::Attribute;

/// ONNX `Flatten` from the first dimension after the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flatten;

impl Rules for Flatten {
    fn name(&self) -> &'static str {
        "Flatten"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        Ok(vec![only(inputs)?.iter().product()])
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![Attribute::int("axis", 1)]
    }
}
