//! The product of matrices.

use super::broadcast::operands;
use super::{Constant, Rules};
use crate::ParameterSpec;

/// ONNX `MatMul` of two values, or of one and the operator's own, over the last two dimensions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatMul {
    /// The second operand, where it is the operator's own.
    pub constant: Option<Constant>,
}

impl Rules for MatMul {
    fn name(&self) -> &'static str {
        "MatMul"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [left, right] = operands(inputs, self.constant.as_ref())?;
        let (&[ref before @ .., rows, inner], &[ref others @ .., depth, columns]) =
            (left.as_slice(), right.as_slice())
        else {
            return Err("it takes matrices");
        };
        // The batch itself can be the rows of the only matrix.
        let is_row = before.is_empty();
        if inner != depth {
            return Err("the columns of the first must be as many as the rows of the second");
        }
        if is_row && self.constant.is_none() {
            return Err("rows of features have no matrix product with each other");
        }
        if others.first().is_some_and(|&batch| batch != 1) {
            return Err("its own operand must not have a batch");
        }
        let lengths = before.iter().zip(others).map(|pair| match pair {
            (&a, &b) if a == b || b == 1 => Ok(a),
            (1, &b) => Ok(b),
            _ => Err("lengths before the matrices must be equal, or 1 in one of both"),
        });
        let mut shape: Vec<usize> = lengths.collect::<Result<_, _>>()?;
        shape.extend([rows, columns]);
        Ok(shape[1..].to_vec())
    }

    fn parameters(&self, name: &str, _: &[&[usize]]) -> Vec<ParameterSpec> {
        self.constant
            .iter()
            .map(|own| own.parameter(name))
            .collect()
    }
}
