//! A graph of ONNX operators, its zoo, and the engine that trains it.
//!
//! One definition of a network serves everything: [`zoo::build`] gives a [`Graph`], an [`Engine`] trains it,
//! [`onnx`] writes it for any run-time. No type of the numeric library beneath leaves this crate.

#![allow(clippy::doc_markdown, reason = "PyTorch is a name, not code")]

mod backbone;
pub mod cost;
mod engine;
mod graph;
pub mod loss;
pub mod onnx;
mod operators;
pub mod optim;
mod parameters;
pub mod passes;
pub mod schedule;
mod similar;
mod surgery;
mod targets;
mod tensor;
pub mod weights;
pub mod zoo;

pub use backbone::{Backbone, backbone};
#[cfg(any(feature = "vulkan", feature = "metal"))]
pub use engine::card_engine;
#[cfg(feature = "torch")]
pub use engine::torch_engine;
pub use engine::{
    ActivationGradients, CardInterface, Engine, EngineError, EngineKind, Input, Motion,
    PrepareError, Prepared, StepOutput, StepReport, StepSettings, TorchConfig, TorchDevice,
    Training, TrainingSession, TrainingState, Weights, activation_gradients, flex_engine,
};
pub use graph::{Graph, GraphBuilder, GraphError, Node, Value};
pub use operators::{
    Add, AveragePool, BatchNormalization, Clip, Concat, Constant, Conv, ConvTranspose, Div,
    Dropout, Exp, Flatten, Gelu, Gemm, GlobalAveragePool, GlobalMaxPool, Gru, HardSigmoid,
    HardSwish, LayerNormalization, LeakyRelu, LengthMask, Log, LogSoftmax, Lstm, MatMul, Max,
    MaxPool, Mul, Neg, Operator, Pad, PadMode, Pow, ReduceMax, ReduceMean, ReduceSum, Relu,
    Reshape, Resize, ResizeMode, ShapeError, Sigmoid, Slice, Softmax, Softplus, Sqrt,
    StochasticDepth, Sub, Swish, Tanh, Transpose,
};
pub use parameters::{Gradients, Initialisation, ParameterKind, ParameterSpec, Parameters};
pub use surgery::{EMBEDDING, Head, SurgeryError, import};
pub use targets::Targets;
pub use tensor::{Tensor, TensorError};

#[cfg(test)]
mod reference;
