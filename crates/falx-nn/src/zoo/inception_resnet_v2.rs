//! Branches of several kernels whose sum is added to what they began with.
//!
//! # Source
//! Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections"; names of timm.

use super::NetworkConfig;
use super::branches::{Branches, Layer};
use super::features::Features;
use super::layers::{max_3x3, mean_3x3};
use crate::{
    Add, Constant, Conv, GraphBuilder, GraphError, Initialisation, Mul, ParameterKind, Relu, Value,
};

const fn square(channels: usize, size: usize) -> Layer {
    Layer::new(channels, [size, size])
}

pub fn inception_resnet_v2(
    graph: &mut GraphBuilder,
    _: &NetworkConfig,
) -> Result<Features, GraphError> {
    let mut x = square(32, 3)
        .halving()
        .add(graph, "conv2d_1a", Value::INPUT)?;
    x = square(32, 3).unpadded().add(graph, "conv2d_2a", x)?;
    x = square(64, 3).add(graph, "conv2d_2b", x)?;
    x = graph.add("maxpool_3a", max_3x3(0), &[x])?;
    x = square(80, 1).add(graph, "conv2d_3b", x)?;
    x = square(192, 3).unpadded().add(graph, "conv2d_4a", x)?;
    x = graph.add("maxpool_5a", max_3x3(0), &[x])?;
    x = Branches::new(graph, "mixed_5b", x)
        .chain(&[("branch0", square(96, 1))])?
        .chain(&[("branch1.0", square(48, 1)), ("branch1.1", square(64, 5))])?
        .chain(&[
            ("branch2.0", square(64, 1)),
            ("branch2.1", square(96, 3)),
            ("branch2.2", square(96, 3)),
        ])?
        .pool(
            "branch3.0",
            mean_3x3(false),
            &[("branch3.1", square(64, 1))],
        )?
        .join()?;
    for index in 0..10 {
        x = block35(graph, &format!("repeat.{index}"), x)?;
    }
    x = Branches::new(graph, "mixed_6a", x)
        .chain(&[("branch0", square(384, 3).halving())])?
        .chain(&[
            ("branch1.0", square(256, 1)),
            ("branch1.1", square(256, 3)),
            ("branch1.2", square(384, 3).halving()),
        ])?
        .pool("branch2", max_3x3(0), &[])?
        .join()?;
    for index in 0..20 {
        x = block17(graph, &format!("repeat_1.{index}"), x)?;
    }
    x = Branches::new(graph, "mixed_7a", x)
        .chain(&[
            ("branch0.0", square(256, 1)),
            ("branch0.1", square(384, 3).halving()),
        ])?
        .chain(&[
            ("branch1.0", square(256, 1)),
            ("branch1.1", square(288, 3).halving()),
        ])?
        .chain(&[
            ("branch2.0", square(256, 1)),
            ("branch2.1", square(288, 3)),
            ("branch2.2", square(320, 3).halving()),
        ])?
        .pool("branch3", max_3x3(0), &[])?
        .join()?;
    for index in 0..9 {
        let block = format!("repeat_2.{index}");
        x = block8(graph, &block, Some(0.2), x)?;
        x = graph.add(&format!("{block}.relu"), Relu, &[x])?;
    }
    x = block8(graph, "block8", None, x)?;
    x = square(1536, 1).add(graph, "conv2d_7b", x)?;
    Ok(Features::new(x, "classif"))
}

fn block35(graph: &mut GraphBuilder, name: &str, x: Value) -> Result<Value, GraphError> {
    let joined = Branches::new(graph, name, x)
        .chain(&[("branch0", square(32, 1))])?
        .chain(&[("branch1.0", square(32, 1)), ("branch1.1", square(32, 3))])?
        .chain(&[
            ("branch2.0", square(32, 1)),
            ("branch2.1", square(48, 3)),
            ("branch2.2", square(64, 3)),
        ])?
        .join()?;
    let sum = scaled_sum(graph, name, 320, Some(0.17), [joined, x])?;
    graph.add(&format!("{name}.relu"), Relu, &[sum])
}

fn block17(graph: &mut GraphBuilder, name: &str, x: Value) -> Result<Value, GraphError> {
    let joined = Branches::new(graph, name, x)
        .chain(&[("branch0", square(192, 1))])?
        .chain(&[
            ("branch1.0", square(128, 1)),
            ("branch1.1", Layer::new(160, [1, 7])),
            ("branch1.2", Layer::new(192, [7, 1])),
        ])?
        .join()?;
    let sum = scaled_sum(graph, name, 1088, Some(0.1), [joined, x])?;
    graph.add(&format!("{name}.relu"), Relu, &[sum])
}

fn block8(
    graph: &mut GraphBuilder,
    name: &str,
    scale: Option<f32>,
    x: Value,
) -> Result<Value, GraphError> {
    let joined = Branches::new(graph, name, x)
        .chain(&[("branch0", square(192, 1))])?
        .chain(&[
            ("branch1.0", square(192, 1)),
            ("branch1.1", Layer::new(224, [1, 3])),
            ("branch1.2", Layer::new(256, [3, 1])),
        ])?
        .join()?;
    scaled_sum(graph, name, 2080, scale, [joined, x])
}

/// The branches, brought to the input's channels, make a small change to it.
fn scaled_sum(
    graph: &mut GraphBuilder,
    name: &str,
    channels: usize,
    scale: Option<f32>,
    [branches, input]: [Value; 2],
) -> Result<Value, GraphError> {
    let conv = Conv {
        bias: true,
        ..Conv::same(channels, 1)
    };
    let mut x = graph.add(&format!("{name}.conv2d"), conv, &[branches])?;
    if let Some(scale) = scale {
        let constant = Constant {
            shape: vec![1],
            kind: ParameterKind::Constant,
            initialisation: Initialisation::Constant(scale),
        };
        x = graph.add(
            &format!("{name}.scale"),
            Mul {
                constant: Some(constant),
            },
            &[x],
        )?;
    }
    graph.add(&format!("{name}.add"), Add::default(), &[x, input])
}
