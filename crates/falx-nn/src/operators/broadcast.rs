//! How shapes of two operands become one.

use super::Rules;
use crate::onnx::Attribute;
use crate::{Initialisation, ParameterKind, ParameterSpec};

/// An operand that an operator owns: a parameter called like the node, without a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// Whether it is trained.
    pub kind: ParameterKind,
    /// How it starts.
    pub initialisation: Initialisation,
}

impl Constant {
    pub(super) fn parameter(&self, name: &str) -> ParameterSpec {
        ParameterSpec {
            name: name.to_owned(),
            shape: self.shape.clone(),
            kind: self.kind,
            initialisation: self.initialisation,
        }
    }
}

/// The operands' shapes, the batch as 1, of equal rank: two values of the graph, or one and the operator's own.
pub(super) fn operands(
    inputs: &[&[usize]],
    constant: Option<&Constant>,
) -> Result<[Vec<usize>; 2], &'static str> {
    let with_batch = |shape: &[usize]| -> Vec<usize> { [&[1], shape].concat() };
    match (inputs, constant) {
        ([left, right], None) if left.len() == right.len() => {
            Ok([with_batch(left), with_batch(right)])
        }
        ([_, _], None) => Err("both must have the same number of dimensions; reshape one of them"),
        ([left], Some(constant)) => {
            let left = with_batch(left);
            let missing = left.len().checked_sub(constant.shape.len());
            let missing = missing.ok_or("its own operand has more dimensions than its input")?;
            let mut right = vec![1; missing];
            right.extend(&constant.shape);
            Ok([left, right])
        }
        (_, None) => Err("it takes two inputs"),
        (_, Some(_)) => Err("it takes one input beside its own operand"),
    }
}

/// The shape, without the batch, of two operands after each has been stretched to the other.
pub(super) fn stretched(
    inputs: &[&[usize]],
    constant: Option<&Constant>,
) -> Result<Vec<usize>, &'static str> {
    let [left, right] = operands(inputs, constant)?;
    if right.first().is_some_and(|&batch| batch != 1) {
        return Err("its own operand must not have a batch");
    }
    let lengths = left.iter().zip(&right).map(|pair| match pair {
        (&a, &b) if a == b || b == 1 => Ok(a),
        (1, &b) => Ok(b),
        _ => Err("lengths must be equal, or 1 in one of both"),
    });
    let shape: Vec<usize> = lengths.collect::<Result<_, _>>()?;
    Ok(shape[1..].to_vec())
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq)]
            pub struct $name {
                /// The second operand, where it is the operator's own.
                pub constant: Option<Constant>,
            }

            impl Rules for $name {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }

                fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
                    stretched(inputs, self.constant.as_ref())
                }

                fn parameters(&self, name: &str, _: &[&[usize]]) -> Vec<ParameterSpec> {
                    self.constant.iter().map(|own| own.parameter(name)).collect()
                }

                fn attributes(&self) -> Vec<Attribute> {
                    Vec::new()
                }
            }
        )*
    };
}

binary! {
    /// ONNX `Add`: the sum of two values, or of one and the operator's own, each stretched to the other.
    Add
    /// ONNX `Sub`: the difference.
    Sub
    /// ONNX `Mul`: the product.
    Mul
    /// ONNX `Div`: the ratio.
    Div
}
