//! ONNX's operators as ours: attributes and inputs of every opset in one form.

mod elementwise;
mod layers;
mod parts;
mod reduce;
mod resize;
mod shapes;
mod windows;

use std::rc::Rc;

use super::array::{Array, Data, Size};
use super::error::ReadError;
use super::evaluate::part_of_shape;
use super::lower::{Known, Lowering};
use super::view::View;
use crate::{Operator, Value};

/// One node of the file on its way to ours.
pub struct Step<'s, 'a> {
    pub lowering: &'s mut Lowering<'a>,
    pub view: View<'a>,
    pub inputs: &'s mut [Option<Known>],
}

impl Step<'_, '_> {
    /// The input at `index` as a value of the graph.
    pub fn value(&self, index: usize) -> Result<Value, ReadError> {
        match self.inputs.get(index) {
            Some(Some(Known::Value(value))) => Ok(*value),
            Some(Some(Known::Partial(partial))) => Err(self.view.form(format!(
                "reads {}, which is only read as a part of Gelu",
                partial.words()
            ))),
            _ => Err(self.view.form(format!(
                "its input {index} must depend on the network's input"
            ))),
        }
    }

    /// The input at `index` as known numbers; `None` where it is left out.
    pub fn optional(&self, index: usize) -> Result<Option<Array>, ReadError> {
        match self.inputs.get(index) {
            None | Some(None) => Ok(None),
            Some(Some(Known::Array(array))) => Ok(Some(array.as_ref().clone())),
            Some(Some(_)) => Err(self.view.form(format!(
                "its input {index} depends on the network's input; falx's operator has it fixed"
            ))),
        }
    }

    /// The input at `index` as known numbers.
    pub fn array(&self, index: usize) -> Result<Array, ReadError> {
        let array = self.optional(index)?;
        array.ok_or_else(|| self.view.form(format!("lacks its input {index}")))
    }

    /// The same, for what is read once: large weights are moved, not copied.
    pub fn taken(&mut self, index: usize) -> Result<Array, ReadError> {
        match self.inputs.get_mut(index).map(Option::take) {
            Some(Some(Known::Array(array))) => Ok(Rc::unwrap_or_clone(array)),
            Some(other) => {
                self.inputs[index] = other;
                self.array(index)
            }
            None => self.array(index),
        }
    }

    /// The only number of the input at `index`, else the attribute `name`.
    pub fn number(&self, index: usize, name: &str) -> Result<Option<f32>, ReadError> {
        match self.optional(index)? {
            None => Ok(self.view.float(name)),
            Some(array) => match array.only() {
                Some(number) if !number.is_nan() => Ok(Some(number)),
                _ => Err(self.view.form(format!("its `{name}` is not one number"))),
            },
        }
    }

    /// The shape of a value without the batch.
    pub fn shape(&self, value: Value) -> Vec<usize> {
        self.lowering.shape(value).to_vec()
    }

    /// Adds an operator without parameters.
    pub fn plain(
        &mut self,
        operator: impl Into<Operator>,
        inputs: &[Value],
    ) -> Result<Value, ReadError> {
        self.add(operator, inputs, Vec::new())
    }

    /// Adds an operator with the parameters that it owns.
    pub fn add(
        &mut self,
        operator: impl Into<Operator>,
        inputs: &[Value],
        arrays: Vec<Array>,
    ) -> Result<Value, ReadError> {
        self.lowering.add(&self.view, operator, inputs, arrays)
    }

    /// An axis, batch included, that is not the batch's.
    pub fn axis(&self, axis: i64, value: Value) -> Result<usize, ReadError> {
        let rank = self.lowering.shape(value).len() + 1;
        match self.view.axis(axis, rank)? {
            0 => Err(self
                .view
                .form("works along the batch, whose images must not see each other")),
            axis => Ok(axis),
        }
    }
}

/// What the node gives; at least one of its inputs depends on the network's input.
pub fn convert<'a>(
    lowering: &mut Lowering<'a>,
    view: &View<'a>,
    inputs: &mut [Option<Known>],
) -> Result<Vec<Known>, ReadError> {
    let mut step = Step {
        lowering,
        view: *view,
        inputs,
    };
    let value = match view.operator() {
        "Shape" => {
            let sizes = step.lowering.sizes(step.value(0)?);
            let sizes = part_of_shape(view, &sizes)?;
            return Ok(vec![Known::Array(Rc::new(Array::sizes(sizes)))]);
        }
        "Size" => {
            let sizes = step.lowering.sizes(step.value(0)?);
            let count = sizes
                .iter()
                .try_fold(Size::of(1), |count, &size| count.times(size));
            let count = count.ok_or_else(|| view.form("is too large"))?;
            let array = Array::scalar(Data::Sizes(vec![count]));
            return Ok(vec![Known::Array(Rc::new(array))]);
        }
        "Split" => {
            let parts = parts::split(&mut step)?;
            return Ok(parts.into_iter().map(Known::Value).collect());
        }
        "Erf" | "Add" | "Sub" | "Mul" | "Div" => {
            return Ok(vec![elementwise::arithmetic(&mut step)?]);
        }
        "CastLike" if step.value(0).is_err() => {
            // The value alone is known; what it is cast like holds floats, as all values of a graph.
            let array = step.array(0)?;
            let floats = array
                .floats()
                .ok_or_else(|| view.form("casts truths to floats"))?;
            let data = Data::Floats(floats);
            return Ok(vec![Known::Array(Rc::new(Array { data, ..array }))]);
        }
        "Conv" => windows::conv(&mut step)?,
        "ConvTranspose" => windows::conv_transpose(&mut step)?,
        "MaxPool" => windows::max_pool(&mut step)?,
        "AveragePool" => windows::average_pool(&mut step)?,
        "GlobalAveragePool" | "GlobalMaxPool" => windows::global(&mut step)?,
        "Resize" | "Upsample" => resize::resize(&mut step)?,
        "Gemm" => layers::gemm(&mut step)?,
        "MatMul" => layers::mat_mul(&mut step)?,
        "BatchNormalization" => layers::batch_normalization(&mut step)?,
        "LayerNormalization" => layers::layer_normalization(&mut step)?,
        "Dropout" => layers::dropout(&mut step)?,
        "QuantizeLinear" | "DequantizeLinear" => {
            step.lowering
                .note("activations that the file rounds to 8 bits are not rounded");
            step.value(0)?
        }
        "Identity" | "Cast" | "CastLike" => shapes::unchanged(&mut step)?,
        "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten" | "Expand" => shapes::reshape(&mut step)?,
        "Transpose" => shapes::transpose(&mut step)?,
        "Concat" => shapes::concat(&mut step)?,
        "Slice" => parts::slice(&mut step)?,
        "Gather" => parts::gather(&mut step)?,
        "Pad" => parts::pad(&mut step)?,
        "ReduceMean" | "ReduceSum" | "ReduceMax" => reduce::reduce(&mut step)?,
        "Softmax" | "LogSoftmax" => reduce::softmax(&mut step)?,
        _ => match elementwise::function(&mut step)? {
            Some(value) => value,
            None => return Err(ReadError::Operator(view.place())),
        },
    };
    Ok(vec![Known::Value(value)])
}
