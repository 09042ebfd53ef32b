//! `x` times its hard sigmoid.

use super::{Rules, only};

/// ONNX `HardSwish`: `x max(0, min(1, x / 6 + 1/2))`; its gradient is 0 at -3 and 1 at 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardSwish;

impl Rules for HardSwish {
    fn name(&self) -> &'static str {
        "HardSwish"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }
}
