//! The networks falx knows: a plain function gives the features of an image, another puts a head on them.

mod branches;
mod coherent;
mod config;
mod convnext;
mod densenet;
mod efficientnet;
mod features;
mod head;
mod inception_resnet_v2;
mod inception_v3;
mod inverted;
mod layers;
mod lite0;
mod mobilenet_v3;
mod modules;
mod resnet;
mod sequence;
mod simple_cnn;
mod stem;
mod vgg;

use crate::{Graph, GraphBuilder, GraphError, Value};

pub use config::{Coherence, Head, NetworkConfig, Pooling};
use features::Features;
pub use modules::{Modules, modules};
pub use sequence::{MEAN, SCALE, SequenceConfig, SequenceError, SequenceModel, build_sequence};
pub use stem::{StemError, adapt_stem};

/// A network that cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ZooError {
    /// No network of that name.
    #[error("no network is called `{name}`; the networks are {}", names().join(", "))]
    UnknownName {
        /// The name that was asked for.
        name: String,
    },
    /// A dropout rate that leaves nothing or is no share.
    #[error("a dropout of {0} is no share of features; give a number from 0 to below 1")]
    Dropout(f32),
    /// A rate of stochastic depth that leaves nothing or is no share.
    #[error("a stochastic depth of {0} is no share of images; give a number from 0 to below 1")]
    StochasticDepth(f32),
    /// The network does not fit the images.
    #[error("`{name}` cannot take {channels} channels of {size} x {size} pixels; {source}")]
    Misfit {
        /// The network's name.
        name: String,
        /// Channels of an image.
        channels: usize,
        /// Height and width in pixels.
        size: usize,
        /// What is wrong.
        source: GraphError,
    },
}

type Build = fn(&mut GraphBuilder, &NetworkConfig) -> Result<Features, GraphError>;

const NETWORKS: [(&str, Build); 19] = [
    ("simple_cnn", simple_cnn::simple_cnn),
    ("multi_head", simple_cnn::multi_head),
    ("vgg16", vgg::vgg16),
    ("inception_v3", inception_v3::inception_v3),
    (
        "inception_resnet_v2",
        inception_resnet_v2::inception_resnet_v2,
    ),
    ("resnet18", resnet::resnet18),
    ("resnet34", resnet::resnet34),
    ("resnet50", resnet::resnet50),
    ("resnext50", resnet::resnext50),
    ("densenet121", densenet::densenet121),
    ("efficientnet_b0", efficientnet::b0),
    ("efficientnet_b1", efficientnet::b1),
    ("efficientnet_b2", efficientnet::b2),
    ("efficientnet_b3", efficientnet::b3),
    ("efficientnet_b4", efficientnet::b4),
    ("efficientnet_lite0", lite0::efficientnet_lite0),
    ("convnext_tiny", convnext::convnext_tiny),
    ("mobilenet_v3", mobilenet_v3::large),
    ("mobilenet_v3_small", mobilenet_v3::small),
];
const NAMES: [&str; NETWORKS.len()] = {
    let mut names = [""; NETWORKS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = NETWORKS[index].0;
        index += 1;
    }
    names
};

/// The names of all networks.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The graph of the network that `config` describes.
///
/// # Errors
/// [`ZooError`] when the name is unknown, a number is unusable, or the network does not fit the images.
pub fn build(config: &NetworkConfig) -> Result<Graph, ZooError> {
    if !(0.0..1.0).contains(&config.dropout) {
        return Err(ZooError::Dropout(config.dropout));
    }
    if let Some(rate) = config
        .stochastic_depth
        .filter(|rate| !(0.0..1.0).contains(rate))
    {
        return Err(ZooError::StochasticDepth(rate));
    }
    let network = NETWORKS.iter().find(|(name, _)| *name == config.name);
    let (_, backbone) = network.ok_or_else(|| ZooError::UnknownName {
        name: config.name.clone(),
    })?;
    let network = || {
        let input = [config.channels, config.size, config.size];
        let mut graph = GraphBuilder::new(&config.name, &input);
        let features = backbone(&mut graph, config)?;
        let logits = head::add(&mut graph, &features, config)?;
        graph.output("logits", logits).finish()
    };
    network().map_err(|source| ZooError::Misfit {
        name: config.name.clone(),
        channels: config.channels,
        size: config.size,
        source,
    })
}

/// Adds the head that `config` asks for on features from elsewhere, a map or a row, and returns the logits.
///
/// # Errors
/// [`GraphError`] when the features are neither.
pub(crate) fn add_head(
    graph: &mut GraphBuilder,
    features: Value,
    config: &NetworkConfig,
) -> Result<Value, GraphError> {
    head::add(graph, &Features::new(features, "fc"), config)
}

#[cfg(test)]
mod tests;
