//! Convolutions of 7 x 7, channel by channel, and two linear layers at every pixel.
//!
//! # Source
//! Liu et al. 2022, "A ConvNet for the 2020s"; names of torchvision.

use super::NetworkConfig;
use super::features::Features;
use super::layers::residual;
use crate::{
    Constant, Conv, Gelu, Gemm, GraphBuilder, GraphError, Initialisation, LayerNormalization, Mul,
    ParameterKind, Value,
};

const STAGES: [(usize, usize); 4] = [(96, 3), (192, 3), (384, 9), (768, 3)];
const BLOCKS: usize = 18;
const RATE: f32 = 0.1;

/// Normalises the channels of each pixel.
pub const NORM: LayerNormalization = LayerNormalization {
    axis: 1,
    epsilon: 1e-6,
};

pub fn convnext_tiny(
    graph: &mut GraphBuilder,
    config: &NetworkConfig,
) -> Result<Features, GraphError> {
    let mut x = graph.add("features.0.0", patches(96, 4), &[Value::INPUT])?;
    x = graph.add("features.0.1", NORM, &[x])?;
    let mut before = 0;
    for (stage, (channels, blocks)) in STAGES.into_iter().enumerate() {
        if stage > 0 {
            let name = format!("features.{}", 2 * stage);
            x = graph.add(&format!("{name}.0"), NORM, &[x])?;
            x = graph.add(&format!("{name}.1"), patches(channels, 2), &[x])?;
        }
        for index in 0..blocks {
            let skipped = config.skipped(RATE, before as f32 / (BLOCKS - 1) as f32);
            x = block(
                graph,
                &format!("features.{}.{index}", 2 * stage + 1),
                channels,
                skipped,
                x,
            )?;
            before += 1;
        }
    }
    Ok(Features::new(x, "classifier.2").normalised("classifier.0"))
}

const fn patches(channels: usize, size: usize) -> Conv {
    Conv {
        channels,
        kernel: [size, size],
        strides: [size, size],
        pads: [0; 4],
        dilations: [1, 1],
        groups: 1,
        bias: true,
    }
}

fn block(
    graph: &mut GraphBuilder,
    name: &str,
    channels: usize,
    skipped: f32,
    input: Value,
) -> Result<Value, GraphError> {
    let conv = Conv {
        groups: channels,
        bias: true,
        ..Conv::same(channels, 7)
    };
    let linear = |features| Gemm {
        features,
        bias: true,
    };
    let mut x = graph.add(&format!("{name}.block.0"), conv, &[input])?;
    x = graph.add(&format!("{name}.block.2"), NORM, &[x])?;
    x = graph.add(&format!("{name}.block.3"), linear(4 * channels), &[x])?;
    x = graph.add(&format!("{name}.block.4"), Gelu { tanh: false }, &[x])?;
    x = graph.add(&format!("{name}.block.5"), linear(channels), &[x])?;
    let scale = Constant {
        shape: vec![channels, 1, 1],
        kind: ParameterKind::Weight,
        initialisation: Initialisation::Constant(1e-6),
    };
    let scale = Mul {
        constant: Some(scale),
    };
    x = graph.add(&format!("{name}.layer_scale"), scale, &[x])?;
    residual(graph, name, [x, input], skipped)
}
