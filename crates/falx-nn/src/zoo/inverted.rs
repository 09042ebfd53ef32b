//! The block of networks for mobile devices: widen, look at each channel, weigh the channels, narrow.

use super::layers::{Activation, ConvNorm, kernel, residual};
use crate::{
    BatchNormalization, Conv, GlobalAveragePool, GraphBuilder, GraphError, HardSigmoid, Mul,
    Operator, Sigmoid, Value,
};

/// How channels are weighed by the whole image ("squeeze and excitation").
pub struct Gate {
    squeezed: usize,
    inner: Activation,
    outer: Operator,
}

impl Gate {
    /// Through `squeezed` channels, SiLU and the logistic function.
    pub fn logistic(squeezed: usize) -> Self {
        let (inner, outer) = (Activation::Silu, Sigmoid.into());
        Self {
            squeezed,
            inner,
            outer,
        }
    }

    /// Through `squeezed` channels, ReLU and a straight line.
    pub fn hard(squeezed: usize) -> Self {
        let outer = HardSigmoid {
            alpha: 1.0 / 6.0,
            beta: 0.5,
        }
        .into();
        let inner = Activation::Relu;
        Self {
            squeezed,
            inner,
            outer,
        }
    }

    fn add(
        &self,
        graph: &mut GraphBuilder,
        name: &str,
        channels: usize,
        input: Value,
    ) -> Result<Value, GraphError> {
        let linear = |channels| Conv {
            bias: true,
            ..Conv::same(channels, 1)
        };
        let mut x = graph.add(&format!("{name}.avgpool"), GlobalAveragePool, &[input])?;
        x = graph.add(&format!("{name}.fc1"), linear(self.squeezed), &[x])?;
        x = self.inner.add(graph, &format!("{name}.activation"), x)?;
        x = graph.add(&format!("{name}.fc2"), linear(channels), &[x])?;
        x = graph.add(
            &format!("{name}.scale_activation"),
            self.outer.clone(),
            &[x],
        )?;
        graph.add(&format!("{name}.scale"), Mul::default(), &[input, x])
    }
}

/// One block.
pub struct Inverted {
    /// Channels before, within and after.
    pub channels: [usize; 3],
    pub kernel: usize,
    pub stride: usize,
    pub norm: BatchNormalization,
    pub activation: Activation,
    pub gate: Option<Gate>,
    /// The share of images that skip it in training.
    pub skipped: f32,
}

impl Inverted {
    /// Adds it as module `name`, whose layers are torchvision's `block.0`, `block.1` and so on.
    pub fn add(
        &self,
        graph: &mut GraphBuilder,
        name: &str,
        input: Value,
    ) -> Result<Value, GraphError> {
        let [before, inner, after] = self.channels;
        let (mut x, mut place) = (input, 0..);
        let mut part = || format!("{name}.block.{}", place.next().unwrap_or(0));
        let layer = |channels, size, stride, groups, activation| ConvNorm {
            conv: kernel(channels, [size, size], stride, groups),
            norm: self.norm,
            activation,
        };
        let add = |graph: &mut GraphBuilder, layer: &ConvNorm, part: &str, x| {
            layer.add(graph, [&format!("{part}.0"), &format!("{part}.1")], x)
        };
        if inner != before {
            x = add(graph, &layer(inner, 1, 1, 1, self.activation), &part(), x)?;
        }
        let each = layer(inner, self.kernel, self.stride, inner, self.activation);
        x = add(graph, &each, &part(), x)?;
        if let Some(gate) = &self.gate {
            x = gate.add(graph, &part(), inner, x)?;
        }
        x = add(graph, &layer(after, 1, 1, 1, Activation::None), &part(), x)?;
        if self.stride == 1 && before == after {
            x = residual(graph, name, [x, input], self.skipped)?;
        }
        Ok(x)
    }
}
