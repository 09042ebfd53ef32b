//! Checkpoints: everything a run needs to go on as if it had never stopped.
//!
//! A checkpoint is a folder that appears whole (written beside, synced, renamed) under a name that says its step; the
//! newest one wins, older ones go once a newer one stands. All other state follows from the recipe, the seed and the
//! position, because every random number is drawn by its place and not by its turn.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use falx_nn::optim::{Ema, EmaConfig, Optimizer, OptimizerConfig, WeightMean};
use falx_nn::schedule::PlateauState;
use falx_nn::{Graph, Parameters, TrainingState, weights};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::metrics::{EpochMetrics, EpochSums};

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The epoch in progress (from 0).
    pub epoch: u64,
    /// Batches of it that are done.
    pub batch: usize,
    /// Steps taken in all.
    pub step: u64,
    /// The best validation loss so far, and its epoch.
    pub best: Option<(f64, u64)>,
    /// Epochs since then.
    #[serde(default)]
    pub since_best: u64,
    /// What validation has made of the learning rate, where the schedule asks.
    #[serde(default)]
    pub plateau: PlateauState,
    /// Seconds of training so far, where the recipe limits them; results depend on them then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How many epochs' weights are in the mean, where the recipe asks for one.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub averaged: u64,
    /// Sums over the batches of the epoch in progress.
    pub sums: EpochSums,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_none_yet(count: &u64) -> bool {
    *count == 0
}

/// What the validation fold says at the end of an epoch.
pub(crate) struct Validated {
    /// The learning rate of the epoch's last step.
    pub rate: f64,
    /// The weighted log loss.
    pub loss: f64,
    /// The same of predicting the prevalence of the training folds.
    pub baseline: f64,
    /// The area under the curve of `any`, where both classes are there.
    pub auc_any: Option<f64>,
}

impl Position {
    /// Ends the epoch in progress; returns its line, and whether it is the best so far.
    pub(crate) fn end_epoch(&mut self, validated: &Validated) -> (EpochMetrics, bool) {
        let epoch = self.epoch;
        self.epoch += 1;
        self.batch = 0;
        let sums = std::mem::take(&mut self.sums);
        self.since_best += 1;
        let is_best = self.best.is_none_or(|(best, _)| validated.loss < best);
        if is_best {
            self.best = Some((validated.loss, epoch));
            self.since_best = 0;
        }
        let metrics = EpochMetrics {
            epoch: epoch + 1,
            step: self.step,
            learning_rate: validated.rate,
            gradient_norm: sums.gradient_norm(),
            training_loss: sums.mean(),
            validation_loss: validated.loss,
            validation_baseline: validated.baseline,
            validation_auc_any: validated.auc_any,
        };
        (metrics, is_best)
    }
}

const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const AVERAGE: &str = "average.safetensors";
const MEAN: &str = "mean.safetensors";
const POSITION: &str = "position.json";
const BEST: &str = "best.safetensors";
const AVERAGED: &str = "averaged.safetensors";
const PREFIX: &str = "step-";
const BESIDE: &str = "writing";

/// The checkpoints of one run.
#[derive(Clone, Debug)]
pub struct Checkpoints(PathBuf);

impl Checkpoints {
    /// The checkpoints in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Where the weights of the best epoch lie.
    pub fn best_path(&self) -> PathBuf {
        self.0.join(BEST)
    }

    /// Where the mean of several epochs' weights lies, ready for use.
    pub fn averaged_path(&self) -> PathBuf {
        self.0.join(AVERAGED)
    }

    /// Keeps these weights as the mean, ready for use.
    pub(crate) fn save_averaged(&self, parameters: &Parameters) -> Result<(), TrainError> {
        crate::folder::write(&self.averaged_path(), &weights::save(parameters)?)
    }

    /// Keeps these weights as the best.
    pub(crate) fn save_best(&self, parameters: &Parameters) -> Result<(), TrainError> {
        crate::folder::write(&self.best_path(), &weights::save(parameters)?)
    }

    /// The weights in one of these files.
    pub(crate) fn load_weights(path: &Path, graph: &Graph) -> Result<Parameters, TrainError> {
        let bytes = std::fs::read(path).map_err(TrainError::io(path))?;
        Ok(weights::load(&bytes, graph)?)
    }

    /// The mean of so many epochs' weights in the newest checkpoint.
    pub(crate) fn load_mean(
        &self,
        graph: &Graph,
        count: u64,
    ) -> Result<Option<WeightMean>, TrainError> {
        let newest = self.list()?.pop().filter(|_| count > 0);
        let mean = newest.map(|folder| Self::load_weights(&folder.join(MEAN), graph));
        Ok(mean.transpose()?.map(|mean| WeightMean::new(mean, count)))
    }

    /// Writes a checkpoint and removes the older ones; where it cannot be written whole, nothing of it stays.
    pub(crate) fn save(
        &self,
        position: &Position,
        state: &TrainingState,
        mean: Option<&WeightMean>,
    ) -> Result<(), TrainError> {
        let saved = self.write(position, state, mean);
        if saved.is_err() {
            // Half a checkpoint on a full disk only takes room; the first error is the one to tell.
            let _ = std::fs::remove_dir_all(self.0.join(BESIDE));
        }
        saved
    }

    fn write(
        &self,
        position: &Position,
        state: &TrainingState,
        mean: Option<&WeightMean>,
    ) -> Result<(), TrainError> {
        let target = self.0.join(format!(
            "{PREFIX}{:010}-{:06}",
            position.step, position.epoch
        ));
        let beside = self.0.join(BESIDE);
        if beside.exists() {
            std::fs::remove_dir_all(&beside).map_err(TrainError::io(&beside))?;
        }
        std::fs::create_dir_all(&beside).map_err(TrainError::io(&beside))?;
        let position = serde_json::to_vec_pretty(position)
            .map_err(|error| TrainError::damaged(&target, error.to_string()))?;
        write_synced(&beside.join(WEIGHTS), &weights::save(&state.parameters)?)?;
        write_synced(&beside.join(OPTIMIZER), &state.optimizer.to_bytes()?)?;
        if let Some(average) = &state.average {
            write_synced(&beside.join(AVERAGE), &weights::save(average.parameters())?)?;
        }
        if let Some(mean) = mean {
            write_synced(&beside.join(MEAN), &weights::save(mean.parameters())?)?;
        }
        write_synced(&beside.join(POSITION), &position)?;
        if target.exists() {
            std::fs::remove_dir_all(&target).map_err(TrainError::io(&target))?;
        }
        std::fs::rename(&beside, &target).map_err(TrainError::io(&target))?;
        sync(&self.0)?;
        for older in self.list()?.into_iter().filter(|path| *path != target) {
            std::fs::remove_dir_all(&older).map_err(TrainError::io(&older))?;
        }
        Ok(())
    }

    /// The newest checkpoint, if there is one.
    pub(crate) fn load(
        &self,
        graph: &Graph,
        config: &OptimizerConfig,
        average: Option<EmaConfig>,
    ) -> Result<Option<(Position, TrainingState)>, TrainError> {
        let Some(folder) = self.list()?.pop() else {
            return Ok(None);
        };
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(TrainError::io(&path))
        };
        let position = serde_json::from_slice(&read(POSITION)?)
            .map_err(|error| TrainError::damaged(&folder.join(POSITION), error.to_string()))?;
        let parameters = weights::load(&read(WEIGHTS)?, graph)?;
        let optimizer = Optimizer::from_bytes(config, &parameters, &read(OPTIMIZER)?)?;
        let average = match average {
            Some(config) => Some(Ema::new(config, weights::load(&read(AVERAGE)?, graph)?)),
            None => None,
        };
        let state = TrainingState {
            parameters,
            optimizer,
            average,
        };
        Ok(Some((position, state)))
    }

    /// Complete checkpoints, oldest first: their names sort by step, then epoch.
    fn list(&self) -> Result<Vec<PathBuf>, TrainError> {
        if !self.0.is_dir() {
            return Ok(Vec::new());
        }
        let entries = std::fs::read_dir(&self.0).map_err(TrainError::io(&self.0))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(TrainError::io(&self.0))?;
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let attempt = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    attempt().map_err(TrainError::io(path))
}

/// A rename is only safe once the folder that holds the name is on disk.
fn sync(folder: &Path) -> Result<(), TrainError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(TrainError::io(folder))
}
