//! The seed's simple CNNs: four blocks of convolution, and linear layers.

use super::NetworkConfig;
use super::features::{Dense, Features, Own};
use super::layers::Activation;
use crate::{BatchNormalization, Conv, GraphBuilder, GraphError, MaxPool, Relu, Value};

const BLOCKS: usize = 4;

pub fn simple_cnn(
    graph: &mut GraphBuilder,
    config: &NetworkConfig,
) -> Result<Features, GraphError> {
    let map = blocks(graph, config)?;
    let own = Own::Dense(Dense {
        names: ["fc1", "fc2"],
        hidden: 128,
        activation: Activation::Relu,
        two_dropouts: false,
    });
    Ok(Features::new(map, "fc").own(own))
}

/// The same blocks with two linear layers for each label.
pub fn multi_head(
    graph: &mut GraphBuilder,
    config: &NetworkConfig,
) -> Result<Features, GraphError> {
    let map = blocks(graph, config)?;
    Ok(Features::new(map, "fc").own(Own::PerLabel { hidden: 64 }))
}

fn blocks(graph: &mut GraphBuilder, config: &NetworkConfig) -> Result<Value, GraphError> {
    let mut x = Value::INPUT;
    for index in 0..BLOCKS {
        let channels = config.width << index;
        let block = format!("blocks.{index}");
        x = graph.add(&format!("{block}.conv"), Conv::same(channels, 3), &[x])?;
        x = graph.add(&format!("{block}.bn"), BatchNormalization::default(), &[x])?;
        x = graph.add(&format!("{block}.relu"), Relu, &[x])?;
        x = graph.add(&format!("{block}.pool"), MaxPool::halving(), &[x])?;
    }
    Ok(x)
}
