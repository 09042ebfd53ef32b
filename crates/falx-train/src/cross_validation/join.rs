//! What finished runs of folds say together.

use std::path::Path;

use falx_core::Prediction;
use falx_data::index::Index;
use falx_infer::{Bundle, BundleMetrics, Joining, mean_of_predictions, write_ensemble};

use super::result::{CrossValidation, FoldResult, LockedTest, OutOfFold, Spread};
use super::{Counts, Fold, fold_name};
use crate::cases::Rows;
use crate::decisions::decisions;
use crate::folder::{self, Part, RunFolder};
use crate::metrics::EpochMetrics;
use crate::{AveragedMetrics, Recipe, TrainError, TrainOptions};

/// The locked patients' fold.
const LOCKED: i32 = -1;

/// Writes the predictions, the ensemble and, last, what was reached.
pub(super) fn join(
    out: &Path,
    folds: &[Fold],
    options: &TrainOptions,
    counts: &Counts,
) -> Result<CrossValidation, TrainError> {
    let reached = out.join(folder::CROSS_VALIDATION);
    // Of other folds, perhaps: nothing may be taken for whole while it changes.
    if reached.exists() {
        std::fs::remove_file(&reached).map_err(TrainError::io(&reached))?;
    }
    let joining = folds.iter().map(|fold| {
        Ok(Joining {
            origin: fold_name(fold.number),
            bundle: Bundle::open(&fold.folder.bundle())?,
        })
    });
    let joining: Vec<Joining> = joining.collect::<Result<_, TrainError>>()?;
    let results = folds.iter().zip(&joining);
    let results = results.map(|(fold, joining)| result_of(fold, &joining.bundle, counts));
    let results: Vec<FoldResult> = results.collect::<Result<_, TrainError>>()?;

    let out_of_fold = write_out_of_fold(out, folds)?;
    write_test(out, folds)?;
    let whole = OutOfFold::of(&results);
    let metrics = metrics(&whole);
    let found_on = metrics.measured_on.clone();
    let index = folds.first().map(|fold| &fold.recipe.data.index);
    let index = index.map(Index::read).transpose()?;
    let decisions = index.and_then(|index| decisions(&Rows::new(&index), &out_of_fold, found_on));
    write_ensemble(
        &RunFolder::new(out).bundle(),
        &joining,
        Some(metrics),
        decisions,
    )?;

    let losses: Vec<f64> = results.iter().map(|fold| fold.weighted_log_loss).collect();
    let baselines: Vec<f64> = results
        .iter()
        .map(|fold| fold.prevalence_baseline)
        .collect();
    let (slices, patients) = counts.get(&LOCKED).copied().unwrap_or_default();
    let first = folds.first().map(|fold| &fold.recipe);
    let result = CrossValidation {
        falx_version: env!("CARGO_PKG_VERSION").to_owned(),
        network: first.map(Recipe::networks).unwrap_or_default(),
        engine: options.engine.to_string(),
        weighted_log_loss: Spread::of(&losses),
        prevalence_baseline: Spread::of(&baselines),
        folds: results,
        out_of_fold: whole,
        locked_test: (slices > 0).then_some(LockedTest { slices, patients }),
    };
    let text = serde_json::to_string_pretty(&result)
        .map_err(|error| TrainError::damaged(&reached, error.to_string()))?;
    folder::write(&reached, format!("{text}\n").as_bytes())?;
    Ok(result)
}

fn result_of(fold: &Fold, bundle: &Bundle, counts: &Counts) -> Result<FoldResult, TrainError> {
    let last = fold.folder.last_stage(&fold.recipe);
    let epochs: Vec<EpochMetrics> = folder::read_lines(&last.metrics())?;
    let averaged: Option<AveragedMetrics> = folder::read_json(&last.averaged())?;
    let metrics = &bundle.manifest().metrics;
    let own = i32::try_from(fold.number).unwrap_or(i32::MAX);
    let (validation_slices, validation_patients) = counts.get(&own).copied().unwrap_or_default();
    let others = counts
        .iter()
        .filter(|(other, _)| **other != own && **other != LOCKED);
    Ok(FoldResult {
        fold: fold.number,
        epoch: EpochMetrics::best(&epochs)
            .filter(|_| averaged.is_none())
            .map(|line| line.epoch),
        averaged: averaged.map(|mean| mean.epochs),
        epochs: epochs.len() as u64,
        weighted_log_loss: metrics.weighted_log_loss,
        prevalence_baseline: metrics.prevalence_baseline,
        training_slices: fold.slices[0],
        training_patients: others.map(|(_, (_, patients))| patients).sum(),
        validation_slices,
        validation_patients,
    })
}

/// Every slice of the folds by the run that its fold did not teach.
fn write_out_of_fold(out: &Path, folds: &[Fold]) -> Result<Vec<Prediction>, TrainError> {
    let mut all: Vec<Prediction> = Vec::new();
    for fold in folds {
        let path = fold.folder.predictions(Part::Validation);
        all.extend(falx_eval::predictions::read_csv(&path)?);
    }
    falx_eval::predictions::write_csv(&all, &out_of_fold(out))?;
    Ok(all)
}

/// Where the predictions out of fold lie.
pub(crate) fn out_of_fold(folder: &Path) -> std::path::PathBuf {
    folder.join("predictions-out-of-fold.csv")
}

/// The locked patients by the mean of all runs, where the split locks any.
fn write_test(out: &Path, folds: &[Fold]) -> Result<(), TrainError> {
    if folds.iter().all(|fold| fold.slices[1] == 0) {
        return Ok(());
    }
    let read = |fold: &Fold| falx_eval::predictions::read_csv(&fold.folder.predictions(Part::Test));
    let models: Vec<Vec<Prediction>> = folds.iter().map(read).collect::<Result<_, _>>()?;
    let path = RunFolder::new(out).predictions(Part::Test);
    let Some(mean) = mean_of_predictions(&models) else {
        return Err(TrainError::damaged(
            out,
            "its folds' runs did not predict the same locked slices; were files unreadable in between?".to_owned(),
        ));
    };
    Ok(falx_eval::predictions::write_csv(&mean, &path)?)
}

fn metrics(whole: &OutOfFold) -> BundleMetrics {
    BundleMetrics {
        measured_on: format!(
            "{} slices of {} patients out of fold, each by {}; the ensemble as a whole was not judged on them",
            whole.slices, whole.patients, whole.predicted_by
        ),
        weighted_log_loss: whole.weighted_log_loss,
        prevalence_baseline: whole.prevalence_baseline,
    }
}
