//! The natural logarithm.

use super::{Rules, only};

/// ONNX `Log`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log;

impl Rules for Log {
    fn name(&self) -> &'static str {
        "Log"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
