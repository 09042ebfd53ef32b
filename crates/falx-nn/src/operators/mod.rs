//! The operators a graph is made of, each with its shape rule and its kernels in a file of its own.
//!
//! Kernels work on plain slices in channels-last order (N, H, W, C), so that every inner loop runs over
//! channels; shape rules speak ONNX's order (C, H, W) without the batch.

mod average_pool;
mod axis;
mod batch_normalization;
mod broadcast;
pub(crate) mod buffers;
mod channels;
mod clip;
mod concat;
#[allow(
    clippy::inline_always,
    reason = "vector code must end up inside the function that was chosen at run time"
)]
mod conv;
mod conv_transpose;
mod dropout;
mod elementwise;
mod exp;
mod flatten;
mod gelu;
mod gemm;
mod global_average_pool;
mod global_max_pool;
mod hard_sigmoid;
mod hard_swish;
mod layer_normalization;
mod leaky_relu;
mod length_mask;
mod log;
mod mat_mul;
mod max;
mod max_pool;
mod neg;
mod pad;
mod pow;
mod recurrent;
mod reduce;
mod relu;
mod resample;
mod reshape;
mod resize;
pub(crate) mod scale;
mod sigmoid;
#[allow(clippy::inline_always, reason = "as in `conv`")]
mod simd;
mod slice;
mod softmax;
mod softplus;
mod sqrt;
mod stochastic_depth;
mod swish;
mod tanh;
mod transpose;
mod window;

pub use average_pool::AveragePool;
pub use batch_normalization::BatchNormalization;
pub(crate) use batch_normalization::{Epilogue, Normalisation, Statistics, rectifier_gradient};
pub use broadcast::{Add, Constant, Div, Mul, Sub};
pub(crate) use channels::sums as channel_sums;
pub use clip::Clip;
pub use concat::Concat;
pub(crate) use concat::{join, part};
pub use conv::Conv;
pub(crate) use conv::{ConvKernel, Finish, PreparedConv};
pub use conv_transpose::ConvTranspose;
pub use dropout::Dropout;
pub(crate) use elementwise::Function;
pub use exp::Exp;
pub use flatten::Flatten;
pub use gelu::Gelu;
pub use gemm::Gemm;
pub use global_average_pool::GlobalAveragePool;
pub(crate) use global_average_pool::{means, means_gradient};
pub use global_max_pool::GlobalMaxPool;
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use layer_normalization::LayerNormalization;
pub(crate) use layer_normalization::RowNormalisation;
pub use leaky_relu::LeakyRelu;
pub use length_mask::LengthMask;
pub use log::Log;
pub use mat_mul::MatMul;
pub use max::Max;
pub use max_pool::MaxPool;
pub(crate) use max_pool::PoolKernel;
pub use neg::Neg;
pub use pad::{Pad, PadMode};
pub use pow::Pow;
pub(crate) use recurrent::{Cell, Kept, PARTS, Recurrence, States};
pub use recurrent::{Gru, Lstm};
pub use reduce::{ReduceMax, ReduceMean, ReduceSum};
pub use relu::Relu;
pub(crate) use resample::Resample;
pub use reshape::Reshape;
pub use resize::{Resize, ResizeMode};
pub use sigmoid::Sigmoid;
pub use slice::Slice;
pub use softmax::{LogSoftmax, Softmax};
pub use softplus::Softplus;
pub use sqrt::Sqrt;
pub use stochastic_depth::StochasticDepth;
pub use swish::Swish;
pub use tanh::Tanh;
pub use transpose::Transpose;

use crate::ParameterSpec;
use crate::onnx::{Attribute, Place, message};

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

/// What every operator states about itself.
pub(crate) trait Rules {
    /// The operator's name in ONNX.
    fn name(&self) -> &'static str;

    /// The output's shape from the inputs', both without the batch.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str>;

    /// The parameters it owns under the module called `name`, in ONNX's order of inputs.
    fn parameters(&self, _name: &str, _inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// Its ONNX attributes.
    fn attributes(&self) -> Vec<Attribute> {
        Vec::new()
    }

    /// It in ONNX: one node, or several where ONNX of the version that we write has no such operator.
    fn nodes(&self, place: &Place) -> Vec<message::Node> {
        vec![place.node(self.name(), self.attributes())]
    }
}

macro_rules! operators {
    ($($name:ident)*) => {
        /// One operator with its attributes, named as in ONNX.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is the operator of its name")]
        pub enum Operator {
            $($name($name),)*
        }

        impl Operator {
            fn rules(&self) -> &dyn Rules {
                match self {
                    $(Self::$name(operator) => operator,)*
                }
            }
        }

        $(impl From<$name> for Operator {
            fn from(operator: $name) -> Self {
                Self::$name(operator)
            }
        })*
    };
}

operators! {
    Add AveragePool BatchNormalization Clip Concat Conv ConvTranspose Div Dropout Exp Flatten Gelu Gemm
    GlobalAveragePool GlobalMaxPool Gru HardSigmoid HardSwish LayerNormalization LeakyRelu LengthMask Log LogSoftmax
    Lstm
    MatMul Max MaxPool Mul Neg Pad Pow ReduceMax ReduceMean ReduceSum Relu Reshape Resize Sigmoid Slice
    Softmax Softplus Sqrt StochasticDepth Sub Swish Tanh Transpose
}

impl Operator {
    /// The operator's name in ONNX.
    pub fn name(&self) -> &'static str {
        self.rules().name()
    }

    /// The output's shape from the inputs'.
    ///
    /// # Shape
    /// All without the batch: C, H, W of images, T, F of sequences, or one number of features.
    ///
    /// # Errors
    /// [`ShapeError`] when the operator cannot take such inputs.
    pub fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
        self.rules().shape(inputs).map_err(|reason| ShapeError {
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
        self.rules().parameters(name, inputs)
    }

    /// It in ONNX.
    pub(crate) fn nodes(&self, place: &Place) -> Vec<message::Node> {
        self.rules().nodes(place)
    }
}

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
