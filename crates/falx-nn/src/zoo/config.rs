//! Which network, for what images, and with which head.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which network, and for what images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// One of [`super::names`].
    pub name: String,
    /// Channels of an image.
    pub channels: usize,
    /// Height and width of an image in pixels.
    pub size: usize,
    /// How many logits a slice gets.
    pub outputs: usize,
    /// The share of features that training drops before the head's linear layers.
    pub dropout: f32,
    /// Channels of the first block of the simple networks; each following block has twice as many.
    pub width: usize,
    /// How a slice's features are summed up before the linear layers.
    pub pooling: Pooling,
    /// The layers behind the pooling.
    #[serde(skip_serializing_if = "is_default")]
    pub head: Head,
    /// How `any` keeps to the subtypes.
    #[serde(skip_serializing_if = "is_default")]
    pub coherence: Coherence,
    /// The share of images that skip the last residual block in training, earlier blocks less; left out: as published.
    #[serde(skip_serializing_if = "is_default")]
    pub stochastic_depth: Option<f32>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How the last features of a slice become one number per channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their mean, as in the seed.
    #[default]
    Average,
    /// The largest: a finding that fills a hundredth of the slice is not diluted a hundredfold.
    Maximum,
    /// The cubic root of the mean cube, between both.
    ///
    /// # Source
    /// Radenović et al. 2018, "Fine-tuning CNN Image Retrieval with No Human Annotation".
    GeneralisedMean,
}

/// The layers between pooled features and logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// What the network is published with; the seed's for the seed's networks.
    #[default]
    Own,
    /// Dropout and one linear layer.
    Linear,
    /// The seed's: dropout, a linear layer to a quarter of the features, ReLU, dropout, a linear layer.
    Dense,
    /// Two linear layers for each label.
    PerLabel,
}

/// How the last logit, `any`, keeps to the subtypes before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coherence {
    /// Not at all.
    #[default]
    None,
    /// `any` is the largest of its own logit and all subtypes'.
    Maximum,
    /// `any` is `1 - Π(1 - p)` of the subtypes' probabilities: the layers learn no logit for it.
    Product,
}

impl NetworkConfig {
    /// The share of images that skip a block at the part `depth` of the way, where `published` skip the last.
    pub(super) fn skipped(&self, published: f32, depth: f32) -> f32 {
        self.stochastic_depth.unwrap_or(published) * depth
    }
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
            head: Head::default(),
            coherence: Coherence::default(),
            stochastic_depth: None,
        }
    }
}
