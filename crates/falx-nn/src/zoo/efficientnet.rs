//! Inverted residual blocks, scaled in width and depth together.
//!
//! # Source
//! Tan and Le 2019, "EfficientNet"; names of torchvision.

use super::NetworkConfig;
use super::features::Features;
use super::inverted::{Gate, Inverted};
use super::layers::{Activation, ConvNorm, divisible, kernel};
use crate::{BatchNormalization, GraphBuilder, GraphError, Value};

/// Expansion, kernel, stride, channels, blocks of each stage, of B0 and of its lite form.
pub const STAGES: [[usize; 5]; 7] = [
    [1, 3, 1, 16, 1],
    [6, 3, 2, 24, 2],
    [6, 5, 2, 40, 2],
    [6, 3, 2, 80, 3],
    [6, 5, 1, 112, 3],
    [6, 5, 2, 192, 4],
    [6, 3, 1, 320, 1],
];
const RATE: f32 = 0.2;

pub fn b0(graph: &mut GraphBuilder, config: &NetworkConfig) -> Result<Features, GraphError> {
    scaled(graph, config, 1.0, 1.0)
}

pub fn b1(graph: &mut GraphBuilder, config: &NetworkConfig) -> Result<Features, GraphError> {
    scaled(graph, config, 1.0, 1.1)
}

pub fn b2(graph: &mut GraphBuilder, config: &NetworkConfig) -> Result<Features, GraphError> {
    scaled(graph, config, 1.1, 1.2)
}

pub fn b3(graph: &mut GraphBuilder, config: &NetworkConfig) -> Result<Features, GraphError> {
    scaled(graph, config, 1.2, 1.4)
}

pub fn b4(graph: &mut GraphBuilder, config: &NetworkConfig) -> Result<Features, GraphError> {
    scaled(graph, config, 1.4, 1.8)
}

fn scaled(
    graph: &mut GraphBuilder,
    config: &NetworkConfig,
    width: f64,
    depth: f64,
) -> Result<Features, GraphError> {
    let channels = |count: usize| divisible(count as f64 * width);
    let blocks = |count: usize| (count as f64 * depth).ceil() as usize;
    let total: usize = STAGES.iter().map(|stage| blocks(stage[4])).sum();
    let layer = |channels, size, stride| ConvNorm {
        conv: kernel(channels, [size, size], stride, 1),
        norm: BatchNormalization::default(),
        activation: Activation::Silu,
    };
    let mut x =
        layer(channels(32), 3, 2).add(graph, ["features.0.0", "features.0.1"], Value::INPUT)?;
    let (mut before, mut done) = (channels(32), 0);
    for (&[expansion, size, stride, wide, count], stage) in STAGES.iter().zip(1..) {
        for index in 0..blocks(count) {
            let block = Inverted {
                channels: [
                    before,
                    divisible((before * expansion) as f64),
                    channels(wide),
                ],
                kernel: size,
                stride: if index == 0 { stride } else { 1 },
                norm: BatchNormalization::default(),
                activation: Activation::Silu,
                gate: Some(Gate::logistic((before / 4).max(1))),
                skipped: config.skipped(RATE, done as f32 / total as f32),
            };
            x = block.add(graph, &format!("features.{stage}.{index}"), x)?;
            before = channels(wide);
            done += 1;
        }
    }
    x = layer(4 * before, 1, 1).add(graph, ["features.8.0", "features.8.1"], x)?;
    Ok(Features::new(x, "classifier.1"))
}
