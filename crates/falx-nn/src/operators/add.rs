//! Element-wise sum of two values of one shape.

use super::Rules;

/// ONNX `Add` of two values of the same shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Add;

impl Rules for Add {
    const NAME: &'static str = "Add";

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        match inputs {
            [left, right] if left == right => Ok(left.to_vec()),
            [_, _] => Err("both must have the same shape"),
            _ => Err("it takes two inputs"),
        }
    }
}
