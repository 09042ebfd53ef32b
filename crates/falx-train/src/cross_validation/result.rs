//! What a cross-validation reached, for people and programs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::folder::RunFolder;

/// What a cross-validation reached, `cross-validation.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossValidation {
    /// The version of falx.
    pub falx_version: String,
    /// The network's name, and that of the second stage.
    pub network: String,
    /// What computed.
    pub engine: String,
    /// Every fold's run, by its number.
    pub folds: Vec<FoldResult>,
    /// The folds' weighted log losses on their own slices.
    pub weighted_log_loss: Spread,
    /// The same of predicting each training set's prevalence.
    pub prevalence_baseline: Spread,
    /// All folds' slices together.
    pub out_of_fold: OutOfFold,
    /// The patients that are locked away, where there are any: nothing was measured on them.
    pub locked_test: Option<LockedTest>,
}

/// The run of a fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldResult {
    /// The fold that it did not learn from.
    pub fold: u32,
    /// The epoch (from 1) whose weights are kept: the one with the lowest loss on the fold, of the second stage where the
    /// recipe has one. Absent where the mean of several epochs' weights is.
    pub epoch: Option<u64>,
    /// How many epochs' weights the run's are the mean of, where the recipe asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub averaged: Option<u64>,
    /// Epochs that were trained, of that stage.
    pub epochs: u64,
    /// Weighted multi-label log loss on the fold's slices.
    pub weighted_log_loss: f64,
    /// The same loss when the prevalence of the training folds is predicted for each of these slices.
    pub prevalence_baseline: f64,
    /// Slices learnt from.
    pub training_slices: usize,
    /// Their patients.
    pub training_patients: usize,
    /// The fold's slices.
    pub validation_slices: usize,
    /// Their patients.
    pub validation_patients: usize,
}

/// A number that the folds have, over the folds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean, every fold counting the same.
    pub mean: f64,
    /// The standard deviation (n − 1). Folds share most of their training slices: it is no standard error of the mean.
    pub standard_deviation: f64,
}

/// All folds' slices, each predicted once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutOfFold {
    /// Labelled slices.
    pub slices: usize,
    /// Their patients.
    pub patients: usize,
    /// Weighted multi-label log loss over all of them.
    pub weighted_log_loss: f64,
    /// The same loss when each is predicted the prevalence of the folds that its run learnt from.
    pub prevalence_baseline: f64,
    /// Which run predicts a slice.
    pub predicted_by: String,
}

/// Patients that are locked away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedTest {
    /// Labelled slices.
    pub slices: usize,
    /// Their patients.
    pub patients: usize,
}

impl Spread {
    pub(super) fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self {
            mean,
            standard_deviation: (squares / (count - 1.0)).sqrt(),
        }
    }
}

impl OutOfFold {
    /// The folds' losses are means over their slices, so their mean by slices is that over all.
    pub(super) fn of(folds: &[FoldResult]) -> Self {
        let slices: usize = folds.iter().map(|fold| fold.validation_slices).sum();
        let mean = |value: fn(&FoldResult) -> f64| {
            let parts = folds
                .iter()
                .map(|fold| value(fold) * fold.validation_slices as f64);
            parts.sum::<f64>() / slices as f64
        };
        Self {
            slices,
            patients: folds.iter().map(|fold| fold.validation_patients).sum(),
            weighted_log_loss: mean(|fold| fold.weighted_log_loss),
            prevalence_baseline: mean(|fold| fold.prevalence_baseline),
            predicted_by: if folds.iter().all(|fold| fold.epoch.is_none()) {
                "the one run that never learnt from the slice's fold; its weights are the mean of several epochs', none of \
                 which was chosen"
            } else {
                "the one run that never learnt from the slice's fold, and whose epoch was chosen on it: the losses are a \
                 little too good"
            }
            .to_owned(),
        }
    }
}

/// How far a cross-validation came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossValidationSummary {
    /// Its folder.
    pub folder: PathBuf,
    /// False when it was stopped; `--resume` goes on.
    pub finished: bool,
    /// Folds whose runs are finished.
    pub folds_done: Vec<u32>,
    /// Folds whose runs are not.
    pub folds_left: Vec<u32>,
    /// What it reached, once finished.
    pub result: Option<CrossValidation>,
    /// The ensemble of all runs, once finished.
    pub bundle: Option<PathBuf>,
}

impl CrossValidationSummary {
    pub(super) fn stopped(folder: &Path, done: &[u32], left: &[u32]) -> Self {
        Self {
            folder: folder.to_owned(),
            finished: false,
            folds_done: done.to_vec(),
            folds_left: left.to_vec(),
            result: None,
            bundle: None,
        }
    }

    pub(super) fn finished(folder: &Path, result: CrossValidation) -> Self {
        Self {
            folder: folder.to_owned(),
            finished: true,
            folds_done: result.folds.iter().map(|fold| fold.fold).collect(),
            folds_left: Vec::new(),
            result: Some(result),
            bundle: Some(RunFolder::new(folder).bundle()),
        }
    }

    /// What was reached, with every loss beside its baseline.
    pub fn to_text(&self) -> String {
        let Some(result) = &self.result else {
            return format!(
                "stopped with {} of {} folds done; the checkpoint is saved, go on with --resume\n",
                self.folds_done.len(),
                self.folds_done.len() + self.folds_left.len()
            );
        };
        let mut text = result.to_text();
        if let Some(bundle) = &self.bundle {
            let _ = writeln!(
                text,
                "bundle: {}, the mean of all folds' networks",
                bundle.display()
            );
        }
        text
    }
}

impl CrossValidation {
    fn to_text(&self) -> String {
        let mut text = format!(
            "{} on {}\n\nfold  learnt from  judged on  patients  epoch  validation  no skill\n",
            self.network, self.engine
        );
        for fold in &self.folds {
            let _ = writeln!(
                text,
                "{:>4}  {:>11}  {:>9}  {:>8}  {:>5}  {:>10.4}  {:>8.4}",
                fold.fold,
                fold.training_slices,
                fold.validation_slices,
                fold.validation_patients,
                fold.epoch.map_or("mean".to_owned(), |epoch| format!(
                    "{epoch}/{}",
                    fold.epochs
                )),
                fold.weighted_log_loss,
                fold.prevalence_baseline
            );
        }
        let (loss, baseline, whole) = (
            &self.weighted_log_loss,
            &self.prevalence_baseline,
            &self.out_of_fold,
        );
        let _ = writeln!(
            text,
            "\nmean over folds: {:.4} (standard deviation {:.4}), beside {:.4} for predicting prevalence\n\
             out of fold: {:.4} over {} slices of {} patients, beside {:.4}; each slice by {}",
            loss.mean,
            loss.standard_deviation,
            baseline.mean,
            whole.weighted_log_loss,
            whole.slices,
            whole.patients,
            whole.prevalence_baseline,
            whole.predicted_by
        );
        if whole.weighted_log_loss >= whole.prevalence_baseline {
            text.push_str("This is not better than no skill: do not use these models.\n");
        }
        if let Some(test) = &self.locked_test {
            let _ = writeln!(
                text,
                "locked test: {} slices of {} patients, predicted and not judged; `falx evaluate` does",
                test.slices, test.patients
            );
        }
        text
    }
}
