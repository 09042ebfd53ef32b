//! `metrics.jsonl`: one line an epoch, each loss beside its baseline.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{TrainError, folder};

/// Sums over the batches of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochSums {
    /// Loss times slices.
    pub loss: f64,
    /// Slices shown.
    pub slices: u64,
    /// The gradients' lengths, where they were measured, and how many these were.
    #[serde(default)]
    pub norms: (f64, u64),
}

impl EpochSums {
    pub(crate) fn add(&mut self, loss: f64, slices: usize) {
        self.loss += loss * slices as f64;
        self.slices += slices as u64;
    }

    pub(crate) fn add_norm(&mut self, norm: f64) {
        self.norms.0 += norm;
        self.norms.1 += 1;
    }

    /// The mean length of the gradients before they were shortened; `None` where nobody measured it.
    pub fn gradient_norm(&self) -> Option<f64> {
        let (sum, count) = self.norms;
        (count > 0).then(|| sum / count as f64)
    }

    /// The mean loss over the slices shown.
    pub fn mean(&self) -> f64 {
        self.loss / self.slices.max(1) as f64
    }
}

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps taken since the start.
    pub step: u64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The mean length of the gradients before they were shortened, where `clip_norm` asks for it.
    #[serde(default)]
    pub gradient_norm: Option<f64>,
    /// Mean training loss on the slices as shown (oversampled, augmented, dropout on, by the recipe's loss): no score, only
    /// a sign of progress.
    pub training_loss: f64,
    /// Weighted log loss on the validation fold, prior corrected.
    pub validation_loss: f64,
    /// The same loss when the prevalence of the training folds is predicted for every slice.
    pub validation_baseline: f64,
    /// AUC of `any` on the validation fold, where both classes are there.
    pub validation_auc_any: Option<f64>,
}

/// Reads all lines; no file means no epochs yet.
///
/// # Errors
/// [`TrainError`] when the file cannot be read or a line is no epoch.
pub fn read(path: &Path) -> Result<Vec<EpochMetrics>, TrainError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|error| TrainError::damaged(path, error.to_string()))
        })
        .collect()
}

/// Writes all lines anew: the file is small, and so a stop can never leave half a line.
pub(crate) fn write(path: &Path, epochs: &[EpochMetrics]) -> Result<(), TrainError> {
    let mut text = String::new();
    for epoch in epochs {
        let line = serde_json::to_string(epoch)
            .map_err(|error| TrainError::damaged(path, error.to_string()))?;
        text.push_str(&line);
        text.push('\n');
    }
    folder::write(path, text.as_bytes())
}
