//! `run.lock`: what the run's results depend on, and the end it reached.

use std::path::Path;

use falx_nn::EngineKind;
use serde::{Deserialize, Serialize};

use crate::data::RunData;
use crate::folder::{self, RunFolder};
use crate::{Recipe, TrainError};

/// Everything that a run's results depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLock {
    /// The version of falx.
    pub falx_version: String,
    /// What computed.
    pub engine: String,
    /// Where randomness started.
    pub seed: u64,
    /// Hash of the recipe without the places of its files.
    pub recipe_hash: String,
    /// Hash of the index's ids, pixels and labels.
    pub data_hash: String,
    /// Hash of which slices were learnt from, chose the best epoch, and stayed locked.
    pub split_hash: String,
}

impl RunLock {
    pub(crate) fn new(
        recipe: &Recipe,
        data: &RunData,
        engine: EngineKind,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            falx_version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: engine.to_string(),
            seed: recipe.seed,
            recipe_hash: blake3::hash(Self::comparable(recipe)?.as_bytes())
                .to_hex()
                .to_string(),
            data_hash: data.data_hash.clone(),
            split_hash: split_hash(data)?,
        })
    }

    /// A recipe as text that is the same wherever its files lie.
    pub(crate) fn comparable(recipe: &Recipe) -> Result<String, TrainError> {
        // The same data in another folder is the same run.
        let mut elsewhere = recipe.clone();
        elsewhere.data.index = "index".into();
        elsewhere.data.split = "split".into();
        // Neither changes what is loaded.
        elsewhere.data.cache = None;
        elsewhere.training.keep_memory_mib = 0;
        let files = [
            &mut elsewhere.sampler.weights,
            &mut elsewhere.network.weights,
            &mut elsewhere.network.onnx,
        ];
        for file in files.into_iter().flatten() {
            *file = file_hash(file)?.into();
        }
        Ok(elsewhere.to_toml()?)
    }

    /// Checks that data are still those that the run at `path` was trained with.
    ///
    /// # Errors
    /// [`TrainError::OtherData`].
    pub(crate) fn check_data(&self, data: &RunData, path: &Path) -> Result<(), TrainError> {
        for (what, then, now) in [
            ("data set", &self.data_hash, &data.data_hash),
            ("split", &self.split_hash, &split_hash(data)?),
        ] {
            if then != now {
                let path = path.to_owned();
                return Err(TrainError::OtherData { path, what });
            }
        }
        Ok(())
    }

    /// Checks that the run in `folder` is of the same.
    ///
    /// # Errors
    /// [`TrainError::OtherRun`].
    pub(crate) fn check_same(&self, folder: &RunFolder) -> Result<(), TrainError> {
        let there: Self = folder::read_toml(&folder.lock())?;
        match self.difference(&there) {
            Some(what) => Err(TrainError::OtherRun {
                path: folder.path().to_owned(),
                what,
            }),
            None => Ok(()),
        }
    }

    /// What differs first, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        let pairs = [
            ("version of falx", &self.falx_version, &other.falx_version),
            ("engine", &self.engine, &other.engine),
            ("recipe", &self.recipe_hash, &other.recipe_hash),
            ("data set", &self.data_hash, &other.data_hash),
            ("split", &self.split_hash, &other.split_hash),
        ];
        pairs
            .into_iter()
            .find(|(_, a, b)| a != b)
            .map(|(what, _, _)| what)
    }
}

/// A hash of a file's content; its place does not matter.
fn file_hash(path: &Path) -> Result<String, TrainError> {
    let bytes = std::fs::read(path).map_err(TrainError::input(path))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// A hash of which slices are on which side.
fn split_hash(data: &RunData) -> Result<String, TrainError> {
    let mut hasher = blake3::Hasher::new();
    for side in [&data.training, &data.validation, &data.test] {
        hasher.update(&(side.labelled().count() as u64).to_le_bytes());
        for at in side.labelled() {
            hasher.update(side.get(at)?.image_id.as_str().as_bytes());
            hasher.update(&[0]);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}
