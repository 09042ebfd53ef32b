//! Other lengths for the same numbers.

use super::{Rules, only};

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
}
