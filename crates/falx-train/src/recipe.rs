//! The recipe: everything a run depends on besides the data and the version.

use std::path::{Path, PathBuf};

use falx_data::augment::AugmentConfig;
use falx_data::input::InputSpec;
use falx_data::sampler::SamplerConfig;
use falx_nn::optim::OptimizerConfig;
use falx_nn::schedule::Schedule;
use falx_nn::zoo::Pooling;
use serde::{Deserialize, Serialize};

/// A training recipe, `recipe.toml`. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Where all randomness of the run starts.
    #[serde(default)]
    pub seed: u64,
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
    /// How gradients become steps.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// How the learning rate moves.
    #[serde(default)]
    pub schedule: Schedule,
    /// How long, and how much at a time.
    #[serde(default)]
    pub training: TrainingConfig,
}

/// What is learnt from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// The network, and how it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkChoice {
    /// Its name in the zoo.
    pub name: String,
    /// The share of features that dropout hides while training.
    pub dropout: f32,
    /// Channels of the first block; each following block has twice as many.
    pub width: usize,
    /// How a slice's features are summed up: `average` (the seed's) or `maximum` (small findings count fully).
    pub pooling: Pooling,
}

impl Default for NetworkChoice {
    fn default() -> Self {
        Self {
            name: "simple_cnn".to_owned(),
            dropout: 0.2,
            width: 32,
            pooling: Pooling::default(),
        }
    }
}

/// How long, and how much at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the (possibly oversampled) training folds.
    pub epochs: u64,
    /// Slices in a step.
    pub batch: usize,
    /// The base learning rate.
    pub learning_rate: f64,
    /// Gradients are shortened to this norm; left out = never.
    pub clip_norm: Option<f64>,
    /// The most memory that batches in the making may take, in MiB.
    pub loader_memory_mib: usize,
    /// Room beside it for pictures that stay in memory from epoch to epoch, in MiB.
    pub keep_memory_mib: usize,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            epochs: 4,
            batch: 16,
            learning_rate: 1e-3,
            clip_norm: Some(5.0),
            loader_memory_mib: 256,
            keep_memory_mib: 0,
        }
    }
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
        let text = std::fs::read_to_string(path).map_err(|source| RecipeError::Io {
            path: path.to_owned(),
            source,
        })?;
        let invalid = |reason: String| RecipeError::Invalid {
            path: path.to_owned(),
            reason,
        };
        let mut recipe: Self = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        recipe.check().map_err(invalid)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        recipe.data.index = folder.join(&recipe.data.index);
        recipe.data.split = folder.join(&recipe.data.split);
        if let Some(cache) = &mut recipe.data.cache {
            *cache = folder.join(&cache);
        }
        if let Some(weights) = &mut recipe.sampler.weights {
            *weights = folder.join(&weights);
        }
        Ok(recipe)
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
        let say = |bad: bool, what: &str| if bad { Err(what.to_owned()) } else { Ok(()) };
        if let Some(augment) = &self.augment {
            augment.check().map_err(|error| error.to_string())?;
        }
        let training = &self.training;
        say(training.epochs == 0, "training.epochs must be at least 1")?;
        say(training.batch == 0, "training.batch must be at least 1")?;
        let rate = training.learning_rate;
        say(
            !(rate.is_finite() && rate > 0.0),
            "training.learning_rate must be above 0",
        )?;
        say(
            training
                .clip_norm
                .is_some_and(|norm| norm.is_nan() || norm <= 0.0),
            "training.clip_norm must be above 0, or be left out",
        )?;
        say(
            !(0.0..1.0).contains(&self.network.dropout),
            "network.dropout must be at least 0 and below 1",
        )?;
        say(
            self.input.windows.is_empty(),
            "input.windows needs at least one window",
        )?;
        say(
            !(16..=1024).contains(&self.input.size),
            "input.size must be between 16 and 1024 pixels",
        )?;
        say(
            self.sampler
                .positive_any_share
                .is_some_and(|share| !(0.0..1.0).contains(&share)),
            "sampler.positive_any_share must be at least 0 and below 1",
        )
    }
}
