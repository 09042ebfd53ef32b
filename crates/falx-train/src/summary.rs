//! What a run reached, for people and programs.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::AveragedMetrics;
use crate::metrics::EpochMetrics;

/// What a run reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainSummary {
    /// The run's folder.
    pub run: PathBuf,
    /// False when it was stopped; `--resume` goes on.
    pub finished: bool,
    /// The network.
    pub network: String,
    /// How many weights it has.
    pub weights: usize,
    /// What computed, and where.
    pub engine: String,
    /// Slices learnt from.
    pub training_slices: usize,
    /// Slices that chose the best epoch.
    pub validation_slices: usize,
    /// Slices that stayed locked.
    pub test_slices: usize,
    /// Epochs that were completed.
    pub epochs: Vec<EpochMetrics>,
    /// Epochs of the second stage, where the recipe has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<EpochMetrics>,
    /// The epoch (from 1) with the lowest validation loss, and that loss.
    pub best: Option<(u64, f64)>,
    /// What the mean of several epochs' weights reached, where the recipe asks for it: it is the result then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub averaged: Option<AveragedMetrics>,
    /// The bundle, once finished.
    pub bundle: Option<PathBuf>,
    /// How long this call trained; no result depends on it.
    pub timing: Timing,
}

/// Where the time of training went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Seconds in epochs, without validation.
    pub training_seconds: f64,
    /// Of these, seconds in which the network had to wait for slices.
    pub waiting_seconds: f64,
}

impl Timing {
    /// The share of its time that training waited for slices; 0 where it did not train.
    pub fn waiting_share(&self) -> f64 {
        self.waiting_seconds / self.training_seconds.max(f64::MIN_POSITIVE)
    }
}

/// The epochs, each loss beside its baseline.
fn table(text: &mut String, epochs: &[EpochMetrics]) {
    text.push_str("epoch  training  validation  no skill  AUC of any\n");
    for line in epochs {
        let auc = line
            .validation_auc_any
            .map_or_else(|| "-".to_owned(), |auc| format!("{auc:.3}"));
        let _ = writeln!(
            text,
            "{:>5}  {:>8.4}  {:>10.4}  {:>8.4}  {auc:>10}",
            line.epoch, line.training_loss, line.validation_loss, line.validation_baseline
        );
    }
}

/// The best epoch's loss, beside its baseline.
fn best(text: &mut String, epoch: u64, [loss, baseline]: [f64; 2]) {
    let _ = writeln!(
        text,
        "\nbest: epoch {epoch} with {loss:.4}, beside {baseline:.4} for predicting prevalence"
    );
}

impl TrainSummary {
    /// What the run reached, with every loss beside its baseline.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{} ({} weights) on {}: learnt from {} slices, epoch chosen on {}, locked test {}\n\n",
            self.network,
            self.weights,
            self.engine,
            self.training_slices,
            self.validation_slices,
            self.test_slices
        );
        table(&mut text, &self.epochs);
        // The loss that the run ends with, and its baseline.
        let mut reached = None;
        if let (Some((epoch, loss)), Some(line)) = (self.best, self.epochs.last()) {
            best(&mut text, epoch, [loss, line.validation_baseline]);
            reached = Some([loss, line.validation_baseline]);
            if let Some(mean) = &self.averaged {
                let _ = writeln!(
                    text,
                    "kept: the mean of {} epochs' weights with {:.4}, as the recipe asks",
                    mean.epochs, mean.validation_loss
                );
                reached = Some([mean.validation_loss, line.validation_baseline]);
            }
        }
        if let Some(line) = EpochMetrics::best(&self.sequence) {
            text.push_str("\nover series:\n");
            table(&mut text, &self.sequence);
            let losses = [line.validation_loss, line.validation_baseline];
            best(&mut text, line.epoch, losses);
            reached = Some(losses);
        }
        if reached.is_some_and(|[loss, baseline]| loss >= baseline) {
            text.push_str("This is not better than no skill: do not use this model.\n");
        }
        if self.timing.training_seconds > 0.0 {
            let _ = writeln!(
                text,
                "trained for {:.1} s, {:.1} % of them waiting for slices",
                self.timing.training_seconds,
                100.0 * self.timing.waiting_share()
            );
        }
        match &self.bundle {
            Some(bundle) => {
                let _ = writeln!(text, "bundle: {}", bundle.display());
            }
            None => {
                let _ = writeln!(
                    text,
                    "stopped before the end; the checkpoint is saved, go on with --resume"
                );
            }
        }
        text
    }
}
