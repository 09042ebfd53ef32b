//! Shares that sum to 1 along an axis.

use super::{Rules, axis, only};
use crate::onnx::Attribute;

/// ONNX `Softmax`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// The axis along which shares sum to 1; the batch is 0.
    pub axis: usize,
}

/// ONNX `LogSoftmax`: the logarithm of [`Softmax`], without its loss of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmax {
    /// The axis along which shares sum to 1; the batch is 0.
    pub axis: usize,
}

macro_rules! along_axis {
    ($name:ident) => {
        impl Rules for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }

            fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
                let shape = only(inputs)?;
                axis::place(self.axis, shape).map(|_| shape.to_vec())
            }

            fn attributes(&self) -> Vec<Attribute> {
                vec![Attribute::int("axis", self.axis)]
            }
        }
    };
}

along_axis!(Softmax);
along_axis!(LogSoftmax);
