//! The recipe: everything a run depends on besides the data and the version.

mod change;
mod network;
mod prediction;
mod schema;
mod sequence;
mod suggest;
mod swa;
#[cfg(test)]
mod tests;
mod training;

use std::path::{Path, PathBuf};

use falx_data::augment::AugmentConfig;
use falx_data::input::InputSpec;
use falx_data::sampler::SamplerConfig;
use falx_nn::loss::LossConfig;
use falx_nn::optim::{OptimizerConfig, ParameterGroup};
use falx_nn::schedule::Schedule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use change::Change;
pub use network::NetworkChoice;
pub use prediction::PredictionConfig;
pub use schema::recipe_schema;
pub use sequence::SequenceChoice;
pub use swa::SwaConfig;
pub use training::{Phase, TrainingConfig};

/// A training recipe, `recipe.toml`. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Where all randomness of the run starts.
    #[serde(default)]
    pub seed: u64,
    /// The learning rate of each module of the backbone is this times that of the module above it; left out = 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_decay: Option<f32>,
    /// What is learnt from.
    pub data: DataConfig,
    /// What the network sees of a slice.
    #[serde(default)]
    pub input: InputSpec,
    /// The network.
    #[serde(default)]
    pub network: NetworkChoice,
    /// How often each slice is shown.
    #[serde(default)]
    pub sampler: SamplerConfig,
    /// Seeded changes of the slices that are shown, by a name (`augment = "full"`), several names, or a table of keys; left
    /// out = none.
    pub augment: Option<AugmentConfig>,
    /// What is made small.
    #[serde(default)]
    pub loss: LossConfig,
    /// How gradients become steps.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// How the learning rate moves.
    #[serde(default)]
    pub schedule: Schedule,
    /// How long, and how much at a time.
    #[serde(default)]
    pub training: TrainingConfig,
    /// How the trained network is used.
    #[serde(default, skip_serializing_if = "PredictionConfig::is_default")]
    pub prediction: PredictionConfig,
    /// A second stage, which reads the slices of a series together; left out = each slice is answered alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<SequenceChoice>,
    /// Which modules learn when, one after the other; none = everything learns throughout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// Modules with a learning rate and a weight decay of their own; `backbone` and `head` mean all of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ParameterGroup>,
}

/// How a recipe names weights that were fetched from a registry.
const PRETRAINED: &str = "pretrained:";

/// What is learnt from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The index; a relative path starts at the recipe's folder.
    pub index: PathBuf,
    /// The split of that index.
    pub split: PathBuf,
    /// A cache of that index (`falx cache`), to load from; files are read for what it lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// The fold that chooses the best checkpoint; the others but the locked test (−1) are learnt from.
    #[serde(default)]
    pub fold: u32,
    /// Deal the labels of what is learnt from out anew among its slices: what comes of it knows nothing, and serves the sanity
    /// check of heat maps alone (`falx explain --judge --shuffled`). Needs `training.swa`, which chooses no epoch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shuffle_labels: bool,
}

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("{path}: {source}; give the path of a recipe.toml")]
    Io {
        /// The recipe.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no recipe.
    #[error("{path}: {reason}")]
    Invalid {
        /// The recipe.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
}

impl Recipe {
    /// Reads and checks a recipe; relative paths in it start at its folder.
    ///
    /// # Errors
    /// [`RecipeError`] when the file cannot be read, has unknown keys, or values that cannot work.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        Self::read_with(path, &[])
    }

    /// The same with some values changed; relative paths among these start at the recipe's folder, too.
    ///
    /// # Errors
    /// As [`Recipe::read`], and where a change is none.
    pub fn read_with(path: &Path, changes: &[Change]) -> Result<Self, RecipeError> {
        let text = std::fs::read_to_string(path).map_err(|source| RecipeError::Io {
            path: path.to_owned(),
            source,
        })?;
        let invalid = |reason: String| RecipeError::Invalid {
            path: path.to_owned(),
            reason: suggest::suggested(&reason),
        };
        let mut recipe: Self = if changes.is_empty() {
            // The error of a text shows the line.
            toml::from_str(&text).map_err(|error| invalid(error.to_string()))?
        } else {
            let changed = change::changed(&text, changes).map_err(invalid)?;
            toml::Value::Table(changed)
                .try_into()
                .map_err(|error: toml::de::Error| invalid(error.to_string()))?
        };
        recipe.check().map_err(invalid)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in recipe.files() {
            *file = folder.join(&file);
        }
        Ok(recipe)
    }

    /// Every file and folder that the recipe names.
    pub(crate) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let is_fetched = self.pretrained().is_some();
        let weights = self.network.weights.as_mut().filter(|_| !is_fetched);
        let sometimes = [
            self.data.cache.as_mut(),
            self.sampler.weights.as_mut(),
            self.network.onnx.as_mut(),
            weights,
        ];
        let always = [&mut self.data.index, &mut self.data.split];
        always.into_iter().chain(sometimes.into_iter().flatten())
    }

    /// The name of the fetched weights that the network starts from, where it does; whoever trains puts their file in
    /// [`NetworkChoice::weights`].
    pub fn pretrained(&self) -> Option<&str> {
        let weights = self.network.weights.as_deref()?;
        weights.to_str()?.strip_prefix(PRETRAINED)
    }

    /// How the slices of `epoch` (from 0) are changed; `None` where they are shown as they are.
    pub fn augment_of_epoch(&self, epoch: u64) -> Option<AugmentConfig> {
        let training = &self.training;
        let augmented = training.epochs.saturating_sub(training.no_augment_epochs);
        self.augment.filter(|_| epoch < augmented)
    }

    /// What the recipe trains, in a word: the network of slices, and the one over series where it has one.
    pub fn networks(&self) -> String {
        match &self.sequence {
            Some(sequence) => format!("{} + {}", self.network.name, sequence.model.name()),
            None => self.network.name.clone(),
        }
    }

    /// The recipe as TOML; equal recipes give equal text.
    ///
    /// # Errors
    /// [`RecipeError::Invalid`] when a path is not text.
    pub fn to_toml(&self) -> Result<String, RecipeError> {
        toml::to_string_pretty(self).map_err(|error| RecipeError::Invalid {
            path: PathBuf::from("recipe"),
            reason: error.to_string(),
        })
    }

    fn check(&self) -> Result<(), String> {
        if let Some(augment) = &self.augment {
            augment.check().map_err(|error| error.to_string())?;
        }
        self.loss.loss().map_err(|error| error.to_string())?;
        self.training.check(self.augment.is_some())?;
        self.prediction.check()?;
        if let Some(sequence) = &self.sequence {
            sequence.check(self.augment.is_some())?;
        }
        Phase::check(&self.phases)?;
        let [black, white] = self.input.range;
        let is_share = |share: f64| (0.0..1.0).contains(&share);
        let rules = [
            (
                is_share(self.network.dropout.into()),
                "network.dropout must be at least 0 and below 1",
            ),
            (
                self.network.onnx.is_none() || self.network.weights.is_none(),
                "network.onnx brings its weights: leave network.weights out",
            ),
            (
                self.network.onnx.is_some() || self.network.cut.is_none(),
                "network.cut names a tensor of network.onnx: give that file too",
            ),
            (
                !self.input.windows.is_empty(),
                "input.windows needs at least one window",
            ),
            (
                !self.input.planes_mm.is_empty(),
                "input.planes_mm needs at least one plane; [0] is the slice itself",
            ),
            (
                (16..=1024).contains(&self.input.size),
                "input.size must be between 16 and 1024 pixels",
            ),
            (
                self.input.clip_hu.is_none_or(|[low, high]| low < high),
                "input.clip_hu needs the lower limit before the upper one, as [0, 80]",
            ),
            (
                !self.input.own_window || self.input.clip_hu.is_some(),
                "input.own_window needs input.clip_hu, which each file's own window becomes: clip_hu = [0, 80]",
            ),
            (
                black.is_finite() && white.is_finite() && black != white,
                "input.range needs two different numbers",
            ),
            (
                self.sampler.positive_any_share.is_none_or(is_share),
                "sampler.positive_any_share must be at least 0 and below 1",
            ),
            (
                !self.data.shuffle_labels || self.training.swa.is_some(),
                "data.shuffle_labels needs training.swa: labels that mean nothing cannot say which epoch is best; \
                 [training.swa] takes the last ones",
            ),
            (
                self.layer_decay
                    .is_none_or(|decay| decay > 0.0 && decay <= 1.0),
                "layer_decay must be above 0 and at most 1",
            ),
            (
                self.groups
                    .iter()
                    .all(|group| group.rate >= 0.0 && group.rate.is_finite() && group.decay >= 0.0),
                "a group's rate and decay must be at least 0",
            ),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, rule)| Err((*rule).to_owned()))
    }
}
