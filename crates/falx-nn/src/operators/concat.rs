//! Values side by side.

use super::{Rules, axis};
use crate::onnx::Attribute;

/// ONNX `Concat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat {
    /// The axis along which they lie; the batch is 0, 1 are channels or features.
    pub axis: usize,
}

impl Rules for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [first, others @ ..] = inputs else {
            return Err("it takes at least one input");
        };
        let place = axis::place(self.axis, first)?;
        let mut shape = first.to_vec();
        for other in others {
            let same = |(at, pair): (usize, (&usize, &usize))| at == place || pair.0 == pair.1;
            if other.len() != first.len() || !first.iter().zip(*other).enumerate().all(same) {
                return Err("all must have the same lengths but along the axis");
            }
            shape[place] += other[place];
        }
        Ok(shape)
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![Attribute::int("axis", self.axis)]
    }
}
