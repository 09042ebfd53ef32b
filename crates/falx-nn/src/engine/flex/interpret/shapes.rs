//! Operators that put numbers elsewhere, or sum along axes.

use burn_backend::ops::{ActivationOps, FloatTensorOps};
use burn_backend::{Shape, Slice, TensorMetadata};

use super::super::kernels;
use super::super::remembered::{Computed, Remembered};
use super::super::tape::{Tape, Tracked};
use super::Interpreter;
use super::pairs::{first, last};
use crate::{EngineError, Node, Operator, Value};

impl Interpreter<'_> {
    pub(super) fn reshaped(
        &self,
        index: usize,
        node: &Node,
        inputs: &[&Tracked],
    ) -> Result<Computed, EngineError> {
        let &[value, ..] = inputs else {
            return Err(EngineError::NoOutput(self.graph.name().to_owned()));
        };
        let shape = self.shape(Value::of_node(index));
        if let Operator::Concat(concat) = &node.operator {
            // Channels are the last axis of images.
            let axis = if value.shape().num_dims() == 4 {
                [0, 3, 1, 2][concat.axis]
            } else {
                concat.axis
            };
            let value = joined(inputs, axis);
            let along_last = axis + 1 == value.shape().num_dims();
            let again = along_last.then(|| {
                let parts = node.inputs.iter().zip(inputs);
                let parts = parts.map(|(at, value)| self.remembered(Some(at), value));
                let parts: Vec<Remembered> = parts.collect();
                kernels::join_again(&parts, &value.shape())
            });
            return Ok(Computed {
                value,
                again: again.flatten(),
            });
        }
        // Axes are counted with channels first.
        let value = first(value.clone());
        let value = last(match &node.operator {
            Operator::Flatten(_) | Operator::Reshape(_) => {
                Tape::float_reshape(value, Shape::from(shape))
            }
            Operator::Transpose(transpose) => Tape::float_permute(value, &transpose.perm),
            Operator::Slice(slice) => {
                let lengths = value.shape().to_vec();
                let ranges = slice.ranges(&lengths[1..]).unwrap_or_default();
                let all = Slice::new(0, Some(lengths[0] as isize), 1);
                let of = |[start, end, step]: [usize; 3]| {
                    Slice::new(start as isize, Some(end as isize), step as isize)
                };
                let slices: Vec<Slice> = std::iter::once(all)
                    .chain(ranges.into_iter().map(of))
                    .collect();
                Tape::float_slice(value, &slices)
            }
            Operator::Softmax(softmax) => Tape::softmax(value, softmax.axis),
            Operator::LogSoftmax(softmax) => Tape::log_softmax(value, softmax.axis),
            Operator::ReduceMean(reduce) => {
                reduced(value, &reduce.axes, shape, Tape::float_mean_dim)
            }
            Operator::ReduceSum(reduce) => reduced(value, &reduce.axes, shape, Tape::float_sum_dim),
            Operator::ReduceMax(reduce) => reduced(value, &reduce.axes, shape, Tape::float_max_dim),
            other => {
                return Err(EngineError::Unsupported {
                    node: node.name.clone(),
                    operator: other.name(),
                });
            }
        });
        Ok(Computed::whole(value))
    }

    /// The shape of a value with its batch, in ONNX's order.
    fn shape(&self, value: Value) -> Vec<usize> {
        let shape = self.graph.shape(value).unwrap_or_default();
        std::iter::once(&self.batch).chain(shape).copied().collect()
    }
}

fn reduced(
    value: Tracked,
    axes: &[usize],
    shape: Vec<usize>,
    along: fn(Tracked, usize) -> Tracked,
) -> Tracked {
    let value = axes.iter().fold(value, |value, &axis| along(value, axis));
    Tape::float_reshape(value, Shape::from(shape))
}

/// Values side by side; along the last axis rows are copied side by side.
fn joined(inputs: &[&Tracked], axis: usize) -> Tracked {
    let rank = inputs.first().map_or(0, |value| value.shape().num_dims());
    if axis + 1 != rank {
        let values = inputs.iter().map(|&value| value.clone()).collect();
        return Tape::float_cat(values, axis);
    }
    match *inputs {
        [a] => a.clone(),
        [a, b] => kernels::join([a, b]),
        [a, b, c] => kernels::join([a, b, c]),
        [a, b, c, d] => kernels::join([a, b, c, d]),
        [a, b, c, d, e] => kernels::join([a, b, c, d, e]),
        ref many => {
            let (head, tail) = many.split_at(4);
            let whole = joined(head, axis);
            let rest: Vec<&Tracked> = std::iter::once(&whole)
                .chain(tail.iter().copied())
                .collect();
            joined(&rest, axis)
        }
    }
}
