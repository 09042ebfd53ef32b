//! Axes in another order.

use super::{Rules, only};
use crate::onnx::Attribute;

/// ONNX `Transpose` of each sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transpose {
    /// Which axis comes at each place, the batch as 0 at the first.
    pub perm: Vec<usize>,
}

impl Rules for Transpose {
    fn name(&self) -> &'static str {
        "Transpose"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let shape = only(inputs)?;
        let mut sorted = self.perm.clone();
        sorted.sort_unstable();
        if self.perm.first() != Some(&0) {
            return Err("the batch must stay first");
        }
        if !sorted.into_iter().eq(0..=shape.len()) {
            return Err("every axis must come once");
        }
        Ok(self.perm[1..].iter().map(|&axis| shape[axis - 1]).collect())
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![Attribute::ints("perm", &self.perm)]
    }
}
