//! Inverted residual blocks with piecewise linear activations.
//!
//! # Source
//! Howard et al. 2019, "Searching for MobileNetV3"; names of torchvision.

use super::NetworkConfig;
use super::features::{Dense, Features, Own};
use super::inverted::{Gate, Inverted};
use super::layers::{Activation, ConvNorm, TENSORFLOW_NORM, divisible, kernel};
use crate::{GraphBuilder, GraphError, Value};

use Activation::{HardSwish, Relu};

/// Kernel, expanded channels, channels, whether channels are gated, activation, stride.
type Block = (usize, usize, usize, bool, Activation, usize);

const LARGE: [Block; 15] = [
    (3, 16, 16, false, Relu, 1),
    (3, 64, 24, false, Relu, 2),
    (3, 72, 24, false, Relu, 1),
    (5, 72, 40, true, Relu, 2),
    (5, 120, 40, true, Relu, 1),
    (5, 120, 40, true, Relu, 1),
    (3, 240, 80, false, HardSwish, 2),
    (3, 200, 80, false, HardSwish, 1),
    (3, 184, 80, false, HardSwish, 1),
    (3, 184, 80, false, HardSwish, 1),
    (3, 480, 112, true, HardSwish, 1),
    (3, 672, 112, true, HardSwish, 1),
    (5, 672, 160, true, HardSwish, 2),
    (5, 960, 160, true, HardSwish, 1),
    (5, 960, 160, true, HardSwish, 1),
];

const SMALL: [Block; 11] = [
    (3, 16, 16, true, Relu, 2),
    (3, 72, 24, false, Relu, 2),
    (3, 88, 24, false, Relu, 1),
    (5, 96, 40, true, HardSwish, 2),
    (5, 240, 40, true, HardSwish, 1),
    (5, 240, 40, true, HardSwish, 1),
    (5, 120, 48, true, HardSwish, 1),
    (5, 144, 48, true, HardSwish, 1),
    (5, 288, 96, true, HardSwish, 2),
    (5, 576, 96, true, HardSwish, 1),
    (5, 576, 96, true, HardSwish, 1),
];

pub fn large(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    blocks(graph, &LARGE, 1280)
}

pub fn small(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    blocks(graph, &SMALL, 1024)
}

fn blocks(
    graph: &mut GraphBuilder,
    blocks: &[Block],
    hidden: usize,
) -> Result<Features, GraphError> {
    let layer = |channels, size, stride| ConvNorm {
        conv: kernel(channels, [size, size], stride, 1),
        norm: TENSORFLOW_NORM,
        activation: HardSwish,
    };
    let mut x = layer(16, 3, 2).add(graph, ["features.0.0", "features.0.1"], Value::INPUT)?;
    let mut before = 16;
    for (&(size, expanded, wide, gated, activation, stride), place) in blocks.iter().zip(1..) {
        let block = Inverted {
            channels: [before, expanded, wide],
            kernel: size,
            stride,
            norm: TENSORFLOW_NORM,
            activation,
            gate: gated.then(|| Gate::hard(divisible((expanded / 4) as f64))),
            skipped: 0.0,
        };
        x = block.add(graph, &format!("features.{place}"), x)?;
        before = wide;
    }
    let last = format!("features.{}", blocks.len() + 1);
    x = layer(6 * before, 1, 1).add(graph, [&format!("{last}.0"), &format!("{last}.1")], x)?;
    let own = Own::Dense(Dense {
        names: ["classifier.0", "classifier.3"],
        hidden,
        activation: HardSwish,
        two_dropouts: false,
    });
    Ok(Features::new(x, "classifier.3").own(own))
}
