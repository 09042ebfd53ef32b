//! Several axes become one number.

use super::{Rules, axis, only};
use crate::onnx::message::{Node, TensorData};
use crate::onnx::{Attribute, Place};

macro_rules! reduce {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $name {
                /// The axes, in order; the batch is 0.
                pub axes: Vec<usize>,
                /// Whether each stays with a length of 1.
                pub keepdims: bool,
            }

            impl Rules for $name {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }

                fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
                    reduced(&self.axes, self.keepdims, only(inputs)?)
                }

                fn nodes(&self, place: &Place) -> Vec<Node> {
                    nodes(self.name(), &self.axes, self.keepdims, place)
                }
            }
        )*
    };
}

reduce! {
    /// ONNX `ReduceMean`.
    ReduceMean
    /// ONNX `ReduceSum`.
    ReduceSum
    /// ONNX `ReduceMax`; the first of equal values takes the gradient.
    ReduceMax
}

fn reduced(axes: &[usize], keepdims: bool, shape: &[usize]) -> Result<Vec<usize>, &'static str> {
    let places = axes.iter().map(|&axis| axis::place(axis, shape));
    let places: Vec<usize> = places.collect::<Result<_, _>>()?;
    if places.is_empty() || !places.is_sorted_by(|a, b| a < b) {
        return Err("it needs its axes in order, each once");
    }
    let lengths = shape.iter().enumerate();
    Ok(lengths
        .filter_map(|(place, &length)| {
            if places.contains(&place) {
                keepdims.then_some(1)
            } else {
                Some(length)
            }
        })
        .collect())
}

/// The axes are an attribute, but an input of the sum since opset 13.
fn nodes(name: &str, axes: &[usize], keepdims: bool, place: &Place) -> Vec<Node> {
    let keepdims = Attribute::int("keepdims", keepdims.into());
    if name != "ReduceSum" {
        return vec![place.node(name, vec![Attribute::ints("axes", axes), keepdims])];
    }
    let list: Vec<i64> = axes.iter().map(|&axis| axis as i64).collect();
    let inputs = [place.input(), &place.of("axes")];
    vec![
        place.constant("axes", TensorData::integers(&list)),
        place.last(name, &inputs, vec![keepdims]),
    ]
}
