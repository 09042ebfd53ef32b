//! The largest of several values.

use super::Rules;

/// ONNX `Max` of values of one shape; the first of equal values takes the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Max;

impl Rules for Max {
    fn name(&self) -> &'static str {
        "Max"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        match inputs {
            [first, others @ ..] if others.iter().all(|other| other == first) => Ok(first.to_vec()),
            [] => Err("it takes at least one input"),
            _ => Err("all must have the same shape"),
        }
    }
}
