//! The networks falx knows, each a plain function that builds a graph.

mod simple_cnn;

use serde::{Deserialize, Serialize};

use crate::{Graph, GraphError};

/// Which network, and for what images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// One of [`names`].
    pub name: String,
    /// Channels of an image.
    pub channels: usize,
    /// Height and width of an image in pixels.
    pub size: usize,
    /// How many logits a slice gets.
    pub outputs: usize,
    /// The share of features that training drops before the last layer.
    pub dropout: f32,
    /// Channels of the first block; each following block has twice as many.
    pub width: usize,
    /// How a slice's features are summed up before the linear layers.
    pub pooling: Pooling,
}

/// How the last features of a slice become one number per channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean, as in the seed.
    #[default]
    Average,
    /// The largest: a finding that fills a hundredth of the slice is not diluted a hundredfold.
    Maximum,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            name: "simple_cnn".to_owned(),
            channels: 3,
            size: 128,
            outputs: 6,
            dropout: 0.0,
            width: 32,
            pooling: Pooling::default(),
        }
    }
}

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

type Build = fn(&NetworkConfig) -> Result<Graph, GraphError>;

const NETWORKS: [(&str, Build); 1] = [("simple_cnn", simple_cnn::build)];
const NAMES: [&str; 1] = [NETWORKS[0].0];

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
    let network = NETWORKS.iter().find(|(name, _)| *name == config.name);
    let (_, build) = network.ok_or_else(|| ZooError::UnknownName {
        name: config.name.clone(),
    })?;
    build(config).map_err(|source| ZooError::Misfit {
        name: config.name.clone(),
        channels: config.channels,
        size: config.size,
        source,
    })
}

#[cfg(test)]
mod tests;
