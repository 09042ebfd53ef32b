//! Bounds.

use super::{Rules, only};
use crate::onnx::Place;
use crate::onnx::message::{Node, TensorData};

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

    fn nodes(&self, place: &Place) -> Vec<Node> {
        // An input without a name is a bound that does not exist.
        let mut bounds = [String::new(), String::new()];
        let mut nodes = Vec::new();
        for (name, (part, bound)) in bounds
            .iter_mut()
            .zip([("min", self.min), ("max", self.max)])
        {
            if let Some(bound) = bound {
                nodes.push(place.constant(part, TensorData::number(bound)));
                *name = place.of(part);
            }
        }
        let inputs = [place.input(), &bounds[0], &bounds[1]];
        let given = if self.max.is_some() {
            3
        } else {
            1 + usize::from(self.min.is_some())
        };
        nodes.push(place.last("Clip", &inputs[..given], Vec::new()));
        nodes
    }
}
