//! Operators of two values, or of one and the operator's own.

use burn_backend::ops::FloatTensorOps;
use burn_backend::{Shape, TensorMetadata, get_device_settings};
use burn_flex::FlexDevice;

use super::super::kernels;
use super::super::remembered::{Computed, Remembered};
use super::super::tape::{Tape, Tracked};
use super::Interpreter;
use crate::operators::Constant;
use crate::{Add, Div, EngineError, MatMul, Mul, Node, Operator, Sub};

impl Interpreter<'_> {
    pub(super) fn pair(&self, node: &Node, inputs: &[&Tracked]) -> Result<Computed, EngineError> {
        let own = match &node.operator {
            Operator::Add(Add { constant })
            | Operator::Sub(Sub { constant })
            | Operator::Mul(Mul { constant })
            | Operator::Div(Div { constant })
            | Operator::MatMul(MatMul { constant }) => constant.as_ref(),
            _ => None,
        };
        let &[left, ..] = inputs else {
            return Err(EngineError::NoOutput(self.graph.name().to_owned()));
        };
        let right = match (own, inputs) {
            (Some(constant), _) => &self.own(node, constant, left)?,
            (None, [_, right, ..]) => *right,
            (None, _) => return Err(EngineError::NoOutput(self.graph.name().to_owned())),
        };
        let (a, b) = (left.clone(), right.clone());
        let value = match &node.operator {
            Operator::Add(_) => Tape::float_add(a, b),
            Operator::Sub(_) => Tape::float_sub(a, b),
            Operator::Mul(_) => {
                let remembered =
                    |at: usize, value: &Tracked| self.remembered(node.inputs.get(at), value);
                return Ok(product(a, b, remembered));
            }
            Operator::Div(_) => Tape::float_div(a, b),
            Operator::MatMul(_) => matrices(a, b),
            _ => inputs.iter().skip(2).fold(larger(a, b), |largest, &value| {
                larger(largest, value.clone())
            }),
        };
        Ok(Computed::whole(value))
    }

    /// The linear layer, over the last dimension.
    pub(super) fn linear(
        &self,
        node: &Node,
        first: &Tracked,
        shape: &[usize],
    ) -> Result<Tracked, EngineError> {
        let weight = Tape::float_transpose(self.leaf(node, "weight")?.clone());
        let features = first.shape().last().copied().unwrap_or(1);
        let rows = first.shape().num_elements() / features.max(1);
        let flat = Tape::float_reshape(first.clone(), Shape::from(vec![rows, features]));
        let product = Tape::float_matmul(flat, weight);
        let product = match self.leaves.get(&format!("{}.bias", node.name)) {
            Some(bias) => {
                let bias = Tape::float_reshape(
                    bias.clone(),
                    Shape::from(vec![1, shape.last().copied().unwrap_or(1)]),
                );
                Tape::float_add(product, bias)
            }
            None => product,
        };
        Ok(Tape::float_reshape(product, Shape::from(shape.to_vec())))
    }

    /// The operator's own operand, with as many dimensions as `beside`, and its layout.
    fn own(
        &self,
        node: &Node,
        constant: &Constant,
        beside: &Tracked,
    ) -> Result<Tracked, EngineError> {
        let leaf = self.leaves.get(&node.name);
        let leaf = leaf.cloned().ok_or_else(|| EngineError::Parameter {
            name: node.name.clone(),
            expected: constant.shape.clone(),
        })?;
        let rank = beside.shape().num_dims();
        let mut shape = vec![1; rank.saturating_sub(constant.shape.len())];
        shape.extend(&constant.shape);
        let value = Tape::float_reshape(leaf, Shape::from(shape));
        Ok(last(value))
    }
}

/// Channels last, where it is an image.
pub(super) fn last(value: Tracked) -> Tracked {
    if value.shape().num_dims() == 4 {
        Tape::float_permute(value, &[0, 2, 3, 1])
    } else {
        value
    }
}

/// Channels first, where it is an image.
pub(super) fn first(value: Tracked) -> Tracked {
    if value.shape().num_dims() == 4 {
        Tape::float_permute(value, &[0, 3, 1, 2])
    } else {
        value
    }
}

/// Matrices lie in the last two dimensions.
fn matrices(a: Tracked, b: Tracked) -> Tracked {
    last(Tape::float_matmul(first(a), first(b)))
}

/// The product; one factor for each channel of an image has a kernel of its own, for which factors are remembered by their place.
fn product(a: Tracked, b: Tracked, remembered: impl Fn(usize, &Tracked) -> Remembered) -> Computed {
    let (left, right) = (a.shape().to_vec(), b.shape().to_vec());
    let is_scale = |images: &[usize], factors: &[usize]| match (images, factors) {
        (&[n, h, w, c], &[m, 1, 1, d]) => n == m && c == d && h * w > 1,
        _ => false,
    };
    if is_scale(&left, &right) {
        kernels::scale((&a, remembered(0, &a)), &b)
    } else if is_scale(&right, &left) {
        kernels::scale((&b, remembered(1, &b)), &a)
    } else {
        Computed::whole(Tape::float_mul(a, b))
    }
}

/// The larger of two values of one shape; of equal ones the first takes the gradient.
fn larger(a: Tracked, b: Tracked) -> Tracked {
    let kind = get_device_settings::<Tape>(&FlexDevice).bool_dtype;
    let is_larger = Tape::float_greater(b.clone(), a.clone(), kind);
    Tape::float_mask_where(a, is_larger, b)
}
