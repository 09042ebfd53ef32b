//! The second stage of a recipe: a network over the slices of each series.

use falx_nn::optim::OptimizerConfig;
use falx_nn::schedule::Schedule;
use falx_nn::zoo::{Coherence, SequenceConfig, SequenceModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network over series, and how it is trained once the network of slices is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SequenceChoice {
    /// What reads the slices: `gru`, `lstm` or `transformer`.
    pub model: SequenceModel,
    /// Features of a state in each direction; those of the transformer in all.
    pub hidden: usize,
    /// Layers above each other.
    pub layers: usize,
    /// Heads of the transformer's attention, which share its features.
    pub heads: usize,
    /// The share of features that training drops before the last layer.
    pub dropout: f32,
    /// Whether each slice also comes with its differences to the slices before and after it.
    pub differences: bool,
    /// How `any` keeps to the subtypes: `none`, `maximum` or `product`.
    pub coherence: Coherence,
    /// How many times each training slice is also embedded as augmentation changes it; 0 = as it is alone. Each epoch
    /// shows a series as one of these.
    pub views: usize,
    /// Passes over the training series.
    pub epochs: u64,
    /// Series that go through the network at once.
    pub batch: usize,
    /// The base learning rate.
    pub learning_rate: f64,
    /// Gradients are shortened to this norm.
    pub clip_norm: f64,
    /// Training ends when so many epochs in a row were not better than the best; left out = never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// How gradients become steps.
    pub optimizer: OptimizerConfig,
    /// How the learning rate moves.
    pub schedule: Schedule,
}

impl Default for SequenceChoice {
    fn default() -> Self {
        Self {
            model: SequenceModel::default(),
            hidden: 64,
            layers: 1,
            heads: 4,
            dropout: 0.2,
            differences: true,
            coherence: Coherence::default(),
            views: 0,
            epochs: 12,
            batch: 8,
            learning_rate: 2e-3,
            clip_norm: 1.0,
            patience: None,
            optimizer: OptimizerConfig::default(),
            schedule: Schedule::default(),
        }
    }
}

impl SequenceChoice {
    /// The network for series of at most so many `slices`, each described by so many `features`.
    pub(crate) fn config(&self, slices: usize, features: usize) -> SequenceConfig {
        SequenceConfig {
            model: self.model,
            slices,
            features,
            hidden: self.hidden,
            layers: self.layers,
            heads: self.heads,
            outputs: falx_core::LABELS.len(),
            dropout: self.dropout,
            differences: self.differences,
            standardise: true,
            coherence: self.coherence,
        }
    }

    pub(super) fn check(&self, is_augmented: bool) -> Result<(), String> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let rules = [
            (
                (0.0..1.0).contains(&self.dropout),
                "sequence.dropout must be at least 0 and below 1",
            ),
            (
                self.views == 0 || is_augmented,
                "sequence.views asks for changed slices, but the recipe has no `augment`; give one, or leave views 0",
            ),
            (self.epochs > 0, "sequence.epochs must be at least 1"),
            (self.batch > 0, "sequence.batch must be at least 1"),
            (
                positive(self.learning_rate),
                "sequence.learning_rate must be above 0",
            ),
            (
                self.clip_norm > 0.0,
                "sequence.clip_norm must be above 0; inf never shortens",
            ),
            (
                self.patience != Some(0),
                "sequence.patience must be at least 1, or be left out",
            ),
        ];
        if let Some((_, rule)) = rules.iter().find(|(holds, _)| !holds) {
            return Err((*rule).to_owned());
        }
        // A length of 2 stands for any: no number of the network depends on it but the transformer's positions.
        falx_nn::zoo::build_sequence(&self.config(2, 8))
            .map(drop)
            .map_err(|error| format!("sequence: {error}"))
    }
}
