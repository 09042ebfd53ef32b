//! One run a fold, and what they say together.
//!
//! `CV/fold-K` are ordinary runs. From them follow `predictions-out-of-fold.csv` (every slice by the one run that never
//! learnt from it, and whose epoch was chosen on its fold), `predictions-test.csv` (of the locked patients: the mean of
//! all runs), `bundle` (the ensemble of all runs) and, last, `cross-validation.json`.

mod join;
mod result;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use falx_core::{Interrupt, Progress};
use falx_data::split::{IndexColumns, Slices, Split};

use crate::data::RunData;
use crate::folder::{self, Part, RunFolder};
use crate::lock::RunLock;
use crate::{Recipe, TrainError, TrainOptions, train};

pub(crate) use join::out_of_fold;
pub use result::{
    CrossValidation, CrossValidationSummary, FoldResult, LockedTest, OutOfFold, Spread,
};

/// Which folds to train a run for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folds {
    /// All that the split has.
    All,
    /// These.
    Some(BTreeSet<u32>),
}

/// `all`, or numbers with commas.
impl FromStr for Folds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let folds: Result<BTreeSet<u32>, _> =
            text.split(',').map(|fold| fold.trim().parse()).collect();
        folds
            .map(Self::Some)
            .map_err(|_| "give `all`, or folds with commas, as 0,1,3".to_owned())
    }
}

/// A fold's run in the folder of a cross-validation.
pub(crate) fn fold_folder(folder: &Path, fold: u32) -> RunFolder {
    RunFolder::new(folder.join(fold_name(fold)))
}

fn fold_name(fold: u32) -> String {
    format!("fold-{fold}")
}

/// A fold before its run.
struct Fold {
    number: u32,
    recipe: Recipe,
    folder: RunFolder,
    is_begun: bool,
    is_finished: bool,
    slices: [usize; 2],
}

/// Labelled slices and their patients, of each fold.
type Counts = BTreeMap<i32, (usize, usize)>;

/// Trains one run for each fold, goes on with those that are half done, and leaves those that are finished; then puts
/// together what they predict.
///
/// When `interrupt` is requested the run in progress saves a checkpoint, and everything returns unfinished.
///
/// # Errors
/// [`TrainError`]; everything that can be refused of any fold is refused before the first step.
pub fn cross_validate(
    recipe: &Recipe,
    folds: &Folds,
    options: &TrainOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<CrossValidationSummary, TrainError> {
    if RunFolder::new(&options.out).lock().is_file() {
        return Err(TrainError::RunExists(options.out.clone()));
    }
    let (numbers, counts) = chosen(recipe, folds)?;
    let folds = planned(recipe, &numbers, options)?;
    for (at, fold) in folds.iter().enumerate() {
        let told = OfFold {
            inner: progress,
            fold: fold.number,
        };
        let is_stopped = interrupt.is_requested()
            || !fold.is_finished && !trained(fold, options, &told, interrupt)?;
        if is_stopped {
            let (done, left) = numbers.split_at(at);
            return Ok(CrossValidationSummary::stopped(&options.out, done, left));
        }
    }
    let result = join::join(&options.out, &folds, options, &counts)?;
    Ok(CrossValidationSummary::finished(&options.out, result))
}

/// Trains or goes on with the run of a fold; false when it was stopped.
fn trained(
    fold: &Fold,
    options: &TrainOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<bool, TrainError> {
    let options = TrainOptions {
        out: fold.folder.path().to_owned(),
        resume: fold.is_begun,
        // A cross-validation lends each fold's network.
        slices: options
            .slices
            .as_ref()
            .map(|of| of.join(fold_name(fold.number))),
        ..options.clone()
    };
    Ok(train(&fold.recipe, &options, progress, interrupt)?.finished)
}

/// The folds asked for, in order, and how much each of the split holds.
fn chosen(recipe: &Recipe, folds: &Folds) -> Result<(Vec<u32>, Counts), TrainError> {
    let columns = IndexColumns::read(&recipe.data.index)?;
    let split = Split::read(&recipe.data.split)?;
    let there = split.options.folds;
    let numbers: Vec<u32> = match folds {
        Folds::All => (0..there).collect(),
        Folds::Some(folds) => folds.iter().copied().collect(),
    };
    if let Some(&fold) = numbers.iter().find(|&&fold| fold >= there) {
        return Err(TrainError::NoFold { fold, folds: there });
    }
    if numbers.len() < 2 {
        return Err(TrainError::OneFold);
    }
    let by_image: std::collections::HashMap<&str, i32> = split
        .folds()
        .into_iter()
        .map(|(image, fold)| (image.as_str(), fold))
        .collect();
    let mut found: BTreeMap<i32, (usize, BTreeSet<&str>)> = BTreeMap::new();
    let slices = columns.slices();
    for slice in slices.iter().filter(|s| s.usable && !s.labels.is_empty()) {
        if let Some(&fold) = by_image.get(slice.image_id) {
            let (count, patients) = found.entry(fold).or_default();
            *count += 1;
            patients.insert(slice.patient.or(slice.study).unwrap_or(slice.image_id));
        }
    }
    let counts = found.into_iter();
    let counts = counts.map(|(fold, (slices, patients))| (fold, (slices, patients.len())));
    Ok((numbers, counts.collect()))
}

/// Checks every fold before the first step of any.
fn planned(
    recipe: &Recipe,
    numbers: &[u32],
    options: &TrainOptions,
) -> Result<Vec<Fold>, TrainError> {
    let mut folds = Vec::with_capacity(numbers.len());
    for &number in numbers {
        let mut recipe = recipe.clone();
        recipe.data.fold = number;
        let data = RunData::load(&recipe)?;
        data.check(&recipe)?;
        let folder = fold_folder(&options.out, number);
        let is_begun = folder.lock().is_file();
        if is_begun {
            RunLock::new(&recipe, &data, options.engine)?.check_same(&folder)?;
        }
        // The last file that a run writes.
        let last = data.judged_part();
        let is_finished = is_begun && folder.predictions(last).is_file();
        if is_begun && !is_finished && !options.resume {
            return Err(TrainError::RunExists(folder.path().to_owned()));
        }
        folds.push(Fold {
            number,
            recipe,
            folder,
            is_begun,
            is_finished,
            slices: [data.training.labelled().count(), data.count(Part::Test)],
        });
    }
    if options.resume && !folds.iter().any(|fold| fold.is_begun) {
        return Err(TrainError::NoRun(options.out.clone()));
    }
    Ok(folds)
}

/// Says of which fold a run's progress is.
struct OfFold<'a> {
    inner: &'a dyn Progress,
    fold: u32,
}

impl Progress for OfFold<'_> {
    fn begin(&self, what: &str, total: Option<u64>) {
        self.inner
            .begin(&format!("fold {}: {what}", self.fold), total);
    }

    fn advance(&self, parts: u64) {
        self.inner.advance(parts);
    }

    fn note(&self, text: &str) {
        self.inner.note(text);
    }

    fn finish(&self) {
        self.inner.finish();
    }
}

/// Whether a folder holds runs of folds.
pub(crate) fn has_folds(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.filter_map(Result::ok).any(|entry| {
        let is_fold = entry.file_name().to_string_lossy().starts_with("fold-");
        is_fold && RunFolder::new(entry.path()).lock().is_file()
    })
}

/// What the cross-validation in a folder reached.
pub(crate) fn read(folder: &Path) -> Result<CrossValidation, TrainError> {
    let path = folder.join(folder::CROSS_VALIDATION);
    folder::read_json(&path)?.ok_or_else(|| TrainError::UnfinishedFolds(folder.to_owned()))
}
