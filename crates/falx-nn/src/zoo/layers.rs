//! The few layers that most networks are made of.

use crate::{
    AveragePool, BatchNormalization, Clip, Conv, Gemm, GraphBuilder, GraphError, HardSwish,
    MaxPool, Operator, Relu, StochasticDepth, Swish, Value,
};

/// A batch normalisation with TensorFlow's epsilon, as the Inception networks and those for small devices have it.
///
/// EfficientNet-Lite0 and MobileNet v3 were published with a momentum of .01, for hundreds of thousands of steps. Fine-tuning takes some
/// hundred, at whose end such running statistics still lag far behind the weights (docs/default-model.md has an example).
pub const TENSORFLOW_NORM: BatchNormalization = BatchNormalization {
    epsilon: 1e-3,
    momentum: 0.1,
};

/// What follows a normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// `Relu`.
    Relu,
    /// `Clip` from 0 to 6.
    Relu6,
    /// `Swish`.
    Silu,
    /// `HardSwish`.
    HardSwish,
}

impl Activation {
    /// Its operator, and how its node is called.
    pub fn operator(self) -> Option<(&'static str, Operator)> {
        match self {
            Self::None => None,
            Self::Relu => Some(("relu", Relu.into())),
            Self::Relu6 => Some(("relu6", Clip::relu6().into())),
            Self::Silu => Some(("silu", Swish { alpha: 1.0 }.into())),
            Self::HardSwish => Some(("hardswish", HardSwish.into())),
        }
    }

    /// Adds it as a part of module `name`.
    pub fn add(self, graph: &mut GraphBuilder, name: &str, x: Value) -> Result<Value, GraphError> {
        match self.operator() {
            None => Ok(x),
            Some((part, operator)) => graph.add(&format!("{name}.{part}"), operator, &[x]),
        }
    }
}

/// A convolution without bias, its normalisation, and what follows.
pub struct ConvNorm {
    pub conv: Conv,
    pub norm: BatchNormalization,
    pub activation: Activation,
}

impl ConvNorm {
    /// Adds them; `names` are those of the convolution and of the normalisation.
    pub fn add(
        &self,
        graph: &mut GraphBuilder,
        names: [&str; 2],
        x: Value,
    ) -> Result<Value, GraphError> {
        let x = graph.add(names[0], self.conv, &[x])?;
        let x = graph.add(names[1], self.norm, &[x])?;
        self.activation.add(graph, names[1], x)
    }
}

/// A kernel of rows x columns without bias whose padding keeps the size at stride 1.
pub const fn kernel(channels: usize, kernel: [usize; 2], stride: usize, groups: usize) -> Conv {
    let [rows, columns] = [kernel[0] / 2, kernel[1] / 2];
    Conv {
        channels,
        kernel,
        strides: [stride; 2],
        pads: [rows, columns, rows, columns],
        dilations: [1, 1],
        groups,
        bias: false,
    }
}

/// `conv` without padding.
pub const fn unpadded(conv: Conv) -> Conv {
    Conv {
        pads: [0; 4],
        ..conv
    }
}

/// A maximum of 3 x 3 every second pixel.
pub const fn max_3x3(pad: usize) -> MaxPool {
    MaxPool {
        kernel: [3, 3],
        strides: [2, 2],
        pads: [pad; 4],
        ceil_mode: false,
    }
}

/// A mean of 3 x 3 that keeps the size.
pub const fn mean_3x3(count_include_pad: bool) -> AveragePool {
    AveragePool {
        kernel: [3, 3],
        strides: [1, 1],
        pads: [1; 4],
        ceil_mode: false,
        count_include_pad,
    }
}

/// Channels as networks for mobile devices round them: to a multiple of 8, by at most a tenth downwards.
///
/// # Source
/// `_make_divisible` of torchvision.
pub fn divisible(channels: f64) -> usize {
    let rounded = (((channels + 4.0) / 8.0) as usize * 8).max(8);
    if (rounded as f64) < 0.9 * channels {
        rounded + 8
    } else {
        rounded
    }
}

/// Adds a block's result to what it began with; in training some images skip the block.
pub fn residual(
    graph: &mut GraphBuilder,
    name: &str,
    [result, input]: [Value; 2],
    skipped: f32,
) -> Result<Value, GraphError> {
    let mut x = result;
    if skipped > 0.0 {
        let depth = StochasticDepth { ratio: skipped };
        x = graph.add(&format!("{name}.stochastic_depth"), depth, &[x])?;
    }
    graph.add(&format!("{name}.add"), crate::Add::default(), &[x, input])
}

/// A linear layer with bias.
pub fn linear(
    graph: &mut GraphBuilder,
    name: &str,
    features: usize,
    x: Value,
) -> Result<Value, GraphError> {
    graph.add(
        name,
        Gemm {
            features,
            bias: true,
        },
        &[x],
    )
}
