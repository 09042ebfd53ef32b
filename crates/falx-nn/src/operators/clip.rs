//! Bounds.

use super::{Rules, only};

/// ONNX `Clip`: values are kept within bounds; the gradient at both is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clip {
    /// The lower bound, where there is one.
    pub min: Option<f32>,
    /// The upper bound, where there is one.
    pub max: Option<f32>,
}

impl Clip {
    /// From 0 to 6, as in mobile networks.
    pub const fn relu6() -> Self {
        Self {
            min: Some(0.0),
            max: Some(6.0),
        }
    }
}

impl Rules for Clip {
    fn name(&self) -> &'static str {
        "Clip"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [min, max] = [self.min.unwrap_or(f32::MIN), self.max.unwrap_or(f32::MAX)];
        if min <= max {
            only(inputs).map(<[usize]>::to_vec)
        } else {
            Err("the lower bound must not be above the upper one")
        }
    }
}
