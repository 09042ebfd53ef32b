//! `metrics.jsonl`: one line an epoch, each loss beside its baseline.

use serde::{Deserialize, Serialize};

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

impl EpochMetrics {
    /// The epoch with the lowest validation loss, the first of them, as a run chooses it.
    pub fn best(epochs: &[Self]) -> Option<&Self> {
        let finite = epochs
            .iter()
            .filter(|line| line.validation_loss.is_finite());
        finite.reduce(|best, line| {
            if line.validation_loss < best.validation_loss {
                line
            } else {
                best
            }
        })
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
