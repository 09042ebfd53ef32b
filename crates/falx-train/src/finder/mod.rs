//! Before a run: which learning rate and which batch to try.
//!
//! Both work on a network of their own, from the recipe's first weights, and never touch a run's folder.

mod batch;
pub(crate) mod machine;
mod rate;
mod report;
#[cfg(test)]
mod tests;
mod trial;

use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Progress};
use falx_nn::EngineKind;

pub use batch::{BatchEnd, BatchFinding, BatchPoint, find_batch};
pub use rate::{RateEnd, RateFinding, RatePoint, RateTest, find_rate};
pub use report::{BatchReport, RateReport};

use crate::data::RunData;
use crate::{Recipe, RunFolder, TrainError, folder};
pub(crate) use trial::Trial;

/// Where a finder writes, and how it uses the machine.
#[derive(Clone, Debug)]
pub struct FindOptions {
    /// The folder to write: no run's.
    pub out: PathBuf,
    /// Threads that load slices.
    pub threads: usize,
    /// What computes.
    pub engine: EngineKind,
}

/// Finds a learning rate for a recipe, and writes `learning_rate.json` and `learning_rate.html`.
///
/// Equal recipes, data and seeds give equal files.
///
/// # Errors
/// [`TrainError`] as training has them; [`TrainError::IsRun`] where the folder holds a run.
pub fn find_learning_rate(
    recipe: &Recipe,
    test: &RateTest,
    options: &FindOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<RateReport, TrainError> {
    refuse_run(&options.out)?;
    let data = RunData::load(recipe)?;
    data.check_labels(&recipe.loss.label_weights)?;
    let mut trial = Trial::new(
        recipe,
        &data,
        recipe.training.batch,
        options.threads,
        options.engine,
    )?;
    progress.begin("learning rates", Some(test.steps as u64));
    let finding = find_rate(test, |rate| {
        if interrupt.is_requested() {
            return Err(TrainError::Interrupted);
        }
        let loss = trial.step(rate)?;
        progress.advance(1);
        progress.note(&format!("rate {rate:.1e}, loss {loss:.4}"));
        Ok(loss)
    })?;
    progress.finish();
    let report = RateReport::new(
        recipe,
        &options.engine.to_string(),
        *test,
        finding,
        &options.out,
    );
    create(&options.out)?;
    write_json(&report.json, &report)?;
    falx_eval::report::write_plain(&report.page(), &report.page)?;
    Ok(report)
}

/// Finds a batch size for a recipe, and writes `batch_size.json`.
///
/// `memory_mib` bounds the memory of this process; left out = what the machine has available.
///
/// # Errors
/// [`TrainError`] as training has them; [`TrainError::IsRun`] where the folder holds a run.
pub fn find_batch_size(
    recipe: &Recipe,
    memory_mib: Option<f64>,
    options: &FindOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<BatchReport, TrainError> {
    refuse_run(&options.out)?;
    let data = RunData::load(recipe)?;
    data.check_labels(&recipe.loss.label_weights)?;
    let budget = memory_mib.or_else(machine::available_mib);
    let idle = machine::resident_mib();
    let most = data.training.labelled().count();
    progress.begin("batch sizes", None);
    let finding = find_batch(budget, idle, most, |batch| {
        if interrupt.is_requested() {
            return Err(TrainError::Interrupted);
        }
        progress.note(&format!("batches of {batch}"));
        let mut trial = Trial::new(recipe, &data, batch, options.threads, options.engine)?;
        let point = trial.measure(recipe.training.learning_rate)?;
        progress.advance(1);
        Ok(point)
    })?;
    progress.finish();
    let report = BatchReport::new(
        recipe,
        &options.engine.to_string(),
        budget,
        finding,
        &options.out,
    );
    create(&options.out)?;
    write_json(&report.json, &report)?;
    Ok(report)
}

fn refuse_run(out: &Path) -> Result<(), TrainError> {
    if RunFolder::new(out).lock().exists() {
        return Err(TrainError::IsRun(out.to_owned()));
    }
    Ok(())
}

fn create(out: &Path) -> Result<(), TrainError> {
    std::fs::create_dir_all(out).map_err(|source| TrainError::Write {
        path: out.to_owned(),
        source,
    })
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), TrainError> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| TrainError::damaged(path, error.to_string()))?;
    text.push('\n');
    folder::write(path, text.as_bytes()).map_err(|error| match error {
        TrainError::Io { path, source } | TrainError::NoRoom { path, source } => {
            TrainError::Write { path, source }
        }
        other => other,
    })
}
