//! The square root.

use super::{Rules, only};

/// ONNX `Sqrt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sqrt;

impl Rules for Sqrt {
    fn name(&self) -> &'static str {
        "Sqrt"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
