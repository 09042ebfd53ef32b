//! A second stage on the slices' network of a run that is finished already.

use std::path::Path;

use crate::folder::{self, RunFolder};
use crate::lock::RunLock;
use crate::{Recipe, TrainError};

/// Puts the first stage of the finished run in `from` into the new run's folder `to`, whose recipe and lock these are.
///
/// # Errors
/// [`TrainError`] where that run is not finished, or its first stage is not that of the recipe.
pub fn adopt(
    recipe: &Recipe,
    lock: &RunLock,
    from: &RunFolder,
    to: &RunFolder,
) -> Result<(), TrainError> {
    let path = from.path();
    if !from.lock().is_file() {
        return Err(TrainError::NoRun(path.to_owned()));
    }
    if !from.bundle().join("bundle.toml").is_file() {
        return Err(TrainError::Unfinished(path.to_owned()));
    }
    let there: RunLock = folder::read_toml(&from.lock())?;
    let theirs = Recipe::read(&from.recipe())?;
    let other = if first_stage(recipe)? == first_stage(&theirs)? {
        // The recipes differ in what follows the first stage at most.
        let same = RunLock {
            recipe_hash: there.recipe_hash.clone(),
            ..lock.clone()
        };
        same.difference(&there)
    } else {
        Some("first stage in its recipe")
    };
    if let Some(what) = other {
        let path = path.to_owned();
        return Err(TrainError::OtherRun { path, what });
    }
    to.create()?;
    copy(&from.metrics(), &to.metrics())?;
    copy(&from.timing(), &to.timing())?;
    if from.averaged().is_file() {
        copy(&from.averaged(), &to.averaged())?;
    }
    copy_all(&from.checkpoints(), &to.checkpoints())
}

/// What the first stage depends on, as text: neither what follows it nor where files lie.
fn first_stage(recipe: &Recipe) -> Result<String, TrainError> {
    let mut alone = recipe.clone();
    alone.sequence = None;
    // Comes after all training.
    alone.prediction.smooth_mm = None;
    RunLock::comparable(&alone)
}

fn copy_all(from: &Path, to: &Path) -> Result<(), TrainError> {
    std::fs::create_dir_all(to).map_err(TrainError::io(to))?;
    for entry in std::fs::read_dir(from).map_err(TrainError::io(from))? {
        let entry = entry.map_err(TrainError::io(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_all(&path, &target)?;
        } else {
            copy(&path, &target)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), TrainError> {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(TrainError::io(to))
}
