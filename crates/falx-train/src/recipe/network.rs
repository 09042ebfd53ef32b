//! The network of a recipe, and how it starts.

use std::path::PathBuf;

use falx_data::input::InputSpec;
use falx_nn::zoo::{Coherence, Head, NetworkConfig, Pooling};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network, and how it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkChoice {
    /// Its name in the zoo (`falx models list`); with `onnx`, what the run calls it.
    #[schemars(extend("enum" = falx_nn::zoo::names()))]
    pub name: String,
    /// The share of features that dropout hides while training.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f32,
    /// Channels of the first block of the simple networks; each following block has twice as many.
    pub width: usize,
    /// How a slice's features are summed up: `average` (the seed's), `maximum` (small findings count fully) or
    /// `generalised_mean` (between both).
    pub pooling: Pooling,
    /// The layers behind the pooling: `own` (the network's), `linear`, `dense` (the seed's: dropout, dense, dropout,
    /// dense) or `per_label` (two layers for each label).
    pub head: Head,
    /// How `any` keeps to the subtypes: `none`, `maximum` (never below the largest) or `product` (1 − Π(1 − p)).
    pub coherence: Coherence,
    /// The share of images that skip the last residual block in training, earlier blocks less; left out: as published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stochastic_depth: Option<f32>,
    /// An ONNX file of any exporter to take as the backbone, with its weights, instead of a network of the zoo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onnx: Option<PathBuf>,
    /// The tensor or node of that file whose value the head reads: the last map of features, or a row of features. Left out: the
    /// file's first output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Weights to start from: a file that `falx models import` would take, or `pretrained:NAME` for weights that
    /// `falx models fetch-pretrained NAME` fetched. Left out: drawn from the seed. The head always starts anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

impl Default for NetworkChoice {
    fn default() -> Self {
        Self {
            name: "simple_cnn".to_owned(),
            dropout: 0.2,
            width: 32,
            pooling: Pooling::default(),
            head: Head::default(),
            coherence: Coherence::default(),
            stochastic_depth: None,
            onnx: None,
            cut: None,
            weights: None,
        }
    }
}

impl NetworkChoice {
    /// The network of the zoo for pictures as `input` draws them.
    pub fn config(&self, input: &InputSpec) -> NetworkConfig {
        NetworkConfig {
            name: self.name.clone(),
            channels: input.channels(),
            size: input.size,
            outputs: falx_core::LABELS.len(),
            dropout: self.dropout,
            width: self.width,
            pooling: self.pooling,
            head: self.head,
            coherence: self.coherence,
            stochastic_depth: self.stochastic_depth,
        }
    }
}
