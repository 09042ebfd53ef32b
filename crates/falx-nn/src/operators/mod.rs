//! The operators a graph is made of, each with its shape rule and its kernels in a file of its own.
//!
//! Kernels work on plain slices in channels-last order (N, H, W, C), so that every inner loop runs over
//! channels; shape rules speak ONNX's order (C, H, W) without the batch.

mod add;
mod batch_normalization;
pub(crate) mod buffers;
mod channels;
#[allow(
    clippy::inline_always,
    reason = "vector code must end up inside the function that was chosen at run time"
)]
mod conv;
mod dropout;
mod flatten;
mod gemm;
mod global_average_pool;
mod max_pool;
mod relu;
mod sigmoid;
#[allow(clippy::inline_always, reason = "as in `conv`")]
mod simd;
mod window;

pub use add::Add;
pub use batch_normalization::BatchNormalization;
pub(crate) use batch_normalization::{Epilogue, Normalisation, Statistics, rectifier_gradient};
pub use conv::Conv;
pub(crate) use conv::{ConvKernel, Finish, PreparedConv};
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use gemm::Gemm;
pub use global_average_pool::GlobalAveragePool;
pub use max_pool::MaxPool;
pub(crate) use max_pool::PoolKernel;
pub use relu::Relu;
pub use sigmoid::Sigmoid;

use crate::ParameterSpec;

/// One operator with its attributes, named as in ONNX.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each variant is the operator of its name")]
pub enum Operator {
    Add(Add),
    BatchNormalization(BatchNormalization),
    Conv(Conv),
    Dropout(Dropout),
    Flatten(Flatten),
    Gemm(Gemm),
    GlobalAveragePool(GlobalAveragePool),
    MaxPool(MaxPool),
    Relu(Relu),
    Sigmoid(Sigmoid),
}

/// Inputs that an operator cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operator} cannot take inputs of the shapes {inputs:?}: {reason}")]
pub struct ShapeError {
    /// The operator's ONNX name.
    pub operator: &'static str,
    /// The shapes without the batch.
    pub inputs: Vec<Vec<usize>>,
    /// What is wrong with them.
    pub reason: &'static str,
}

/// The rules every operator states about itself.
pub(crate) trait Rules {
    /// The operator's name in ONNX.
    const NAME: &'static str;

    /// The output's shape from the inputs', both without the batch.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str>;

    /// The parameters it owns under the module called `name`, in ONNX's order of inputs.
    fn parameters(&self, _name: &str, _inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        Vec::new()
    }
}

macro_rules! for_each_operator {
    ($self:expr, $operator:ident => $body:expr) => {
        match $self {
            Operator::Add($operator) => $body,
            Operator::BatchNormalization($operator) => $body,
            Operator::Conv($operator) => $body,
            Operator::Dropout($operator) => $body,
            Operator::Flatten($operator) => $body,
            Operator::Gemm($operator) => $body,
            Operator::GlobalAveragePool($operator) => $body,
            Operator::MaxPool($operator) => $body,
            Operator::Relu($operator) => $body,
            Operator::Sigmoid($operator) => $body,
        }
    };
}

fn name_of<R: Rules>(_: &R) -> &'static str {
    R::NAME
}

impl Operator {
    /// The operator's name in ONNX.
    pub fn name(&self) -> &'static str {
        for_each_operator!(self, operator => name_of(operator))
    }

    /// The output's shape from the inputs'.
    ///
    /// # Shape
    /// All without the batch: C, H, W of images, or one number of features.
    ///
    /// # Errors
    /// [`ShapeError`] when the operator cannot take such inputs.
    pub fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
        for_each_operator!(self, operator => operator.shape(inputs)).map_err(|reason| ShapeError {
            operator: self.name(),
            inputs: inputs.iter().map(|shape| shape.to_vec()).collect(),
            reason,
        })
    }

    /// The parameters the operator owns under the module called `name`, in ONNX's order of inputs.
    ///
    /// # Shape
    /// `inputs` are the shapes without the batch.
    pub fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        for_each_operator!(self, operator => operator.parameters(name, inputs))
    }
}

macro_rules! into_operator {
    ($($name:ident)*) => {
        $(impl From<$name> for Operator {
            fn from(operator: $name) -> Self {
                Self::$name(operator)
            }
        })*
    };
}
into_operator!(Add BatchNormalization Conv Dropout Flatten Gemm GlobalAveragePool MaxPool Relu Sigmoid);

/// The only input's channels, height and width.
fn image(inputs: &[&[usize]]) -> Result<[usize; 3], &'static str> {
    match *inputs {
        [&[c, h, w]] if c > 0 && h > 0 && w > 0 => Ok([c, h, w]),
        [_] => Err("it needs channels, height and width, none of them 0"),
        _ => Err("it takes one input"),
    }
}

/// The only input's shape.
fn only<'a>(inputs: &[&'a [usize]]) -> Result<&'a [usize], &'static str> {
    match inputs {
        [one] => Ok(one),
        _ => Err("it takes one input"),
    }
}
