//! A network whose layers see all layers before them.
//!
//! # Source
//! Huang et al. 2016, "Densely Connected Convolutional Networks"; names of torchvision.

use super::NetworkConfig;
use super::features::Features;
use super::layers::{Activation, ConvNorm, kernel, max_3x3};
use crate::{AveragePool, BatchNormalization, Concat, Conv, GraphBuilder, GraphError, Relu, Value};

const GROWTH: usize = 32;
const BLOCKS: [usize; 4] = [6, 12, 24, 16];

pub fn densenet121(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    let stem = ConvNorm {
        conv: kernel(64, [7, 7], 2, 1),
        norm: BatchNormalization::default(),
        activation: Activation::Relu,
    };
    let mut x = stem.add(graph, ["features.conv0", "features.norm0"], Value::INPUT)?;
    x = graph.add("features.pool0", max_3x3(1), &[x])?;
    let mut channels = 64;
    for (&layers, stage) in BLOCKS.iter().zip(1..) {
        for layer in 1..=layers {
            let name = format!("features.denseblock{stage}.denselayer{layer}");
            let mut new = rectified(
                graph,
                [&format!("{name}.norm1"), &format!("{name}.conv1")],
                kernel(4 * GROWTH, [1, 1], 1, 1),
                x,
            )?;
            new = rectified(
                graph,
                [&format!("{name}.norm2"), &format!("{name}.conv2")],
                kernel(GROWTH, [3, 3], 1, 1),
                new,
            )?;
            x = graph.add(&format!("{name}.concat"), Concat { axis: 1 }, &[x, new])?;
        }
        channels += layers * GROWTH;
        if stage < BLOCKS.len() {
            channels /= 2;
            let name = format!("features.transition{stage}");
            let names = [&format!("{name}.norm"), &format!("{name}.conv")];
            x = rectified(
                graph,
                names.map(String::as_str),
                kernel(channels, [1, 1], 1, 1),
                x,
            )?;
            let pool = AveragePool {
                kernel: [2, 2],
                strides: [2, 2],
                pads: [0; 4],
                ceil_mode: false,
                count_include_pad: true,
            };
            x = graph.add(&format!("{name}.pool"), pool, &[x])?;
        }
    }
    x = graph.add("features.norm5", BatchNormalization::default(), &[x])?;
    x = graph.add("features.relu5", Relu, &[x])?;
    Ok(Features::new(x, "classifier"))
}

/// Here the normalisation comes before the convolution.
fn rectified(
    graph: &mut GraphBuilder,
    names: [&str; 2],
    conv: Conv,
    x: Value,
) -> Result<Value, GraphError> {
    let x = graph.add(names[0], BatchNormalization::default(), &[x])?;
    let x = graph.add(&format!("{}.relu", names[0]), Relu, &[x])?;
    graph.add(names[1], conv, &[x])
}
