//! The seed's simple CNN: four blocks of convolution, two linear layers.

use super::{NetworkConfig, Pooling};
use crate::{
    BatchNormalization, Conv, Dropout, Flatten, Gemm, GlobalAveragePool, Graph, GraphBuilder,
    GraphError, MaxPool, Relu, Value,
};

const BLOCKS: usize = 4;
const HIDDEN: usize = 128;

pub fn build(config: &NetworkConfig) -> Result<Graph, GraphError> {
    let mut graph = GraphBuilder::new("simple_cnn", &[config.channels, config.size, config.size]);
    let mut x = Value::INPUT;
    for index in 0..BLOCKS {
        let channels = config.width << index;
        let block = format!("blocks.{index}");
        x = graph.add(&format!("{block}.conv"), Conv::same(channels, 3), &[x])?;
        x = graph.add(&format!("{block}.bn"), BatchNormalization::default(), &[x])?;
        x = graph.add(&format!("{block}.relu"), Relu, &[x])?;
        x = graph.add(&format!("{block}.pool"), MaxPool::halving(), &[x])?;
    }
    let side = config.size >> BLOCKS;
    x = match config.pooling {
        Pooling::Average => graph.add("pool", GlobalAveragePool, &[x])?,
        Pooling::Maximum => graph.add("pool", MaxPool::whole(side), &[x])?,
    };
    x = graph.add("flatten", Flatten, &[x])?;
    x = graph.add(
        "fc1",
        Gemm {
            features: HIDDEN,
            bias: true,
        },
        &[x],
    )?;
    x = graph.add("relu", Relu, &[x])?;
    if config.dropout > 0.0 {
        x = graph.add(
            "dropout",
            Dropout {
                ratio: config.dropout,
            },
            &[x],
        )?;
    }
    let features = config.outputs;
    x = graph.add(
        "fc2",
        Gemm {
            features,
            bias: true,
        },
        &[x],
    )?;
    graph.output("logits", x).finish()
}
