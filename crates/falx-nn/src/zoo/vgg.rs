//! Thirteen convolutions of 3 x 3.
//!
//! # Source
//! Simonyan and Zisserman 2014, "Very Deep Convolutional Networks"; names of torchvision's `features`.

use super::NetworkConfig;
use super::features::{Dense, Features, Own};
use super::layers::Activation;
use crate::{Conv, GraphBuilder, GraphError, MaxPool, Relu, Value};

const STAGES: [(usize, usize); 5] = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];

pub fn vgg16(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    let (mut x, mut place) = (Value::INPUT, 0);
    for (channels, layers) in STAGES {
        for _ in 0..layers {
            let conv = Conv {
                bias: true,
                ..Conv::same(channels, 3)
            };
            x = graph.add(&format!("features.{place}"), conv, &[x])?;
            x = graph.add(&format!("features.{}", place + 1), Relu, &[x])?;
            place += 2;
        }
        x = graph.add(&format!("features.{place}"), MaxPool::halving(), &[x])?;
        place += 1;
    }
    let own = Own::Dense(Dense {
        names: ["classifier.0", "classifier.2"],
        hidden: 256,
        activation: Activation::Relu,
        two_dropouts: true,
    });
    Ok(Features::new(x, "classifier").own(own))
}
