//! Residual networks.
//!
//! # Source
//! He et al. 2015, "Deep Residual Learning"; Xie et al. 2016, "Aggregated Residual Transformations"; strides lie in
//! the 3 x 3 convolution, as in torchvision, whose names these are.

use super::NetworkConfig;
use super::features::Features;
use super::layers::{Activation, ConvNorm, kernel, max_3x3};
use crate::{Add, BatchNormalization, GraphBuilder, GraphError, Relu, Value};

struct Residual {
    blocks: [usize; 4],
    /// `None` for two 3 x 3 convolutions; else groups and channels a group of the 3 x 3 in the middle of three.
    bottleneck: Option<[usize; 2]>,
}

pub fn resnet18(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    let blocks = [2, 2, 2, 2];
    Residual {
        blocks,
        bottleneck: None,
    }
    .add(graph)
}

pub fn resnet34(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    let blocks = [3, 4, 6, 3];
    Residual {
        blocks,
        bottleneck: None,
    }
    .add(graph)
}

pub fn resnet50(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    let blocks = [3, 4, 6, 3];
    Residual {
        blocks,
        bottleneck: Some([1, 64]),
    }
    .add(graph)
}

pub fn resnext50(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    let blocks = [3, 4, 6, 3];
    Residual {
        blocks,
        bottleneck: Some([32, 4]),
    }
    .add(graph)
}

fn norm(channels: usize, size: usize, stride: usize, groups: usize, rectify: bool) -> ConvNorm {
    ConvNorm {
        conv: kernel(channels, [size, size], stride, groups),
        norm: BatchNormalization::default(),
        activation: if rectify {
            Activation::Relu
        } else {
            Activation::None
        },
    }
}

impl Residual {
    fn add(&self, graph: &mut GraphBuilder) -> Result<Features, GraphError> {
        let mut x = norm(64, 7, 2, 1, true).add(graph, ["conv1", "bn1"], Value::INPUT)?;
        x = graph.add("maxpool", max_3x3(1), &[x])?;
        let mut channels = 64;
        for (stage, &blocks) in self.blocks.iter().enumerate() {
            for index in 0..blocks {
                let stride = if index == 0 && stage > 0 { 2 } else { 1 };
                let block = format!("layer{}.{index}", stage + 1);
                let wide = (64 << stage) * self.bottleneck.map_or(1, |_| 4);
                let mut shortcut = x;
                if stride > 1 || channels != wide {
                    let names = [
                        format!("{block}.downsample.0"),
                        format!("{block}.downsample.1"),
                    ];
                    let layer = norm(wide, 1, stride, 1, false);
                    shortcut = layer.add(graph, names.each_ref().map(String::as_str), x)?;
                }
                let result = self.block(graph, &block, 64 << stage, stride, x)?;
                x = graph.add(&format!("{block}.add"), Add::default(), &[result, shortcut])?;
                x = graph.add(&format!("{block}.relu"), Relu, &[x])?;
                channels = wide;
            }
        }
        Ok(Features::new(x, "fc"))
    }

    fn block(
        &self,
        graph: &mut GraphBuilder,
        block: &str,
        channels: usize,
        stride: usize,
        mut x: Value,
    ) -> Result<Value, GraphError> {
        let layers = match self.bottleneck {
            None => vec![
                norm(channels, 3, stride, 1, true),
                norm(channels, 3, 1, 1, false),
            ],
            Some([groups, width]) => {
                let inner = channels * width / 64 * groups;
                vec![
                    norm(inner, 1, 1, 1, true),
                    norm(inner, 3, stride, groups, true),
                    norm(channels * 4, 1, 1, 1, false),
                ]
            }
        };
        for (layer, index) in layers.iter().zip(1..) {
            let names = [format!("{block}.conv{index}"), format!("{block}.bn{index}")];
            x = layer.add(graph, names.each_ref().map(String::as_str), x)?;
        }
        Ok(x)
    }
}
