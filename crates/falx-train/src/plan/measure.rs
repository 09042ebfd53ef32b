//! What some steps cost, alone and with the loader beside them.

use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Progress};
use falx_data::cache::{CacheManifest, pack_slice};
use falx_data::location::Location;
use falx_data::source::{Place, SliceReader};
use falx_nn::TrainingState;
use serde::Serialize;

use super::PlanOptions;
use crate::data::RunData;
use crate::finder::{Trial, machine};
use crate::{Recipe, TrainError};

/// Files whose sizes are looked at, at most.
const FILES: usize = 256;
/// Slices that are packed as a cache would hold them, at most.
const PACKED: usize = 32;

/// What was measured on this machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Steps behind each speed.
    pub steps: usize,
    /// Slices in a batch.
    pub batch: usize,
    /// Slices in a second of loading alone, training's.
    pub loader_slices_per_second: f64,
    /// Slices in a second of the network's way forward, as in validation.
    pub forward_slices_per_second: f64,
    /// The recipe's phases; without any, the whole run is one.
    pub stages: Vec<MeasuredStage>,
    /// The most memory of this process meanwhile, in MiB, where the system tells; not a card's.
    pub peak_mib: Option<f64>,
    /// Bytes of the weights as a file.
    pub weights_bytes: u64,
    /// Bytes of what the optimiser remembers.
    pub optimizer_bytes: u64,
    /// Bytes of the weights' average; 0 without one.
    pub average_bytes: u64,
    /// Mean bytes of a slice's file; `None` where slices lie in archives or volumes.
    pub file_bytes: Option<f64>,
    /// Mean bytes of a slice in a cache: the recipe's own, else one of whole slices.
    pub cached_bytes: Option<f64>,
    /// Whether the recipe loads from a cache.
    pub has_cache: bool,
    /// Pictures that are read for a slice: it and its neighbours.
    pub planes: usize,
}

/// A part of the run in which the same modules learn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeasuredStage {
    /// Its first epoch, from 1.
    pub first_epoch: u64,
    /// Slices in a second of steps alone.
    pub step_slices_per_second: f64,
    /// Slices in a second of steps with the loader at work, as in training.
    pub training_slices_per_second: f64,
    /// The share of that time in which the network waited for slices.
    pub waiting_share: f64,
}

pub(super) fn measure(
    recipe: &Recipe,
    data: &RunData,
    options: &PlanOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Measured, TrainError> {
    let (steps, batch) = (options.steps, recipe.training.batch);
    let firsts = firsts(recipe);
    let going_on = || {
        if interrupt.is_requested() {
            return Err(TrainError::Interrupted);
        }
        progress.advance(1);
        Ok(())
    };
    progress.begin("trial steps", Some(2 * firsts.len() as u64 + 2));
    machine::forget_peak();
    let mut trial = Trial::new(recipe, data, batch, options.threads, options.engine)?;
    let rate = recipe.training.learning_rate;
    let loader = trial.loader_speed(steps)?;
    going_on()?;
    let mut stages = Vec::with_capacity(firsts.len());
    for first in firsts {
        trial.begin_epoch(first)?;
        let step = trial.step_speed(rate, steps)?;
        going_on()?;
        let (training, waiting_share) = trial.training_speed(rate, steps)?;
        going_on()?;
        stages.push(MeasuredStage {
            first_epoch: first + 1,
            step_slices_per_second: step,
            training_slices_per_second: training,
            waiting_share,
        });
    }
    let forward = trial.forward_speed(steps)?;
    going_on()?;
    // The files below would only add to it.
    let peak_mib = machine::peak_mib();
    let [weights, optimizer, average] = bytes(&trial.state()?)?;
    // The mean of some epochs' weights, which no first step has yet.
    let average = average.max(recipe.training.swa.map_or(0, |_| weights));
    progress.finish();
    let cache = recipe.data.cache.as_deref();
    Ok(Measured {
        steps,
        batch,
        loader_slices_per_second: loader,
        forward_slices_per_second: forward,
        stages,
        peak_mib,
        weights_bytes: weights,
        optimizer_bytes: optimizer,
        average_bytes: average,
        file_bytes: file_bytes(data)?,
        cached_bytes: match cache {
            Some(folder) => Some(cache_bytes(folder)?),
            None => packed_bytes(data)?,
        },
        has_cache: cache.is_some(),
        planes: recipe.input.planes_mm.len(),
    })
}

/// The epochs (from 0) with which the recipe's phases begin, as far as they are reached.
fn firsts(recipe: &Recipe) -> Vec<u64> {
    let mut firsts = vec![0];
    let mut next = 0;
    for epochs in recipe.phases.iter().map_while(|phase| phase.epochs) {
        next += epochs;
        if next < recipe.training.epochs && firsts.len() < recipe.phases.len() {
            firsts.push(next);
        }
    }
    firsts
}

/// What a checkpoint of a network holds: weights, optimiser, average.
fn bytes(state: &TrainingState) -> Result<[u64; 3], TrainError> {
    let weights = falx_nn::weights::save(&state.parameters)?.len();
    let optimizer = state.optimizer.to_bytes()?.len();
    let average = match &state.average {
        Some(average) => falx_nn::weights::save(average.parameters())?.len(),
        None => 0,
    };
    Ok([weights, optimizer, average].map(|bytes| bytes as u64))
}

/// Some places of the slices that are learnt from, far apart.
fn some(data: &RunData, most: usize) -> impl Iterator<Item = usize> + '_ {
    let all = data.training.len();
    let apart = all.div_ceil(most).max(1);
    (0..all).step_by(apart)
}

fn mean(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().sum();
    (!values.is_empty()).then(|| sum / values.len() as f64)
}

fn file_bytes(data: &RunData) -> Result<Option<f64>, TrainError> {
    let mut sizes = Vec::new();
    for at in some(data, FILES) {
        let path = data.training.get(at)?.path;
        if let Location::File(path) = Location::parse(&path) {
            sizes.push(size(&path)? as f64);
        }
    }
    Ok(mean(&sizes))
}

fn size(path: &Path) -> Result<u64, TrainError> {
    let found = std::fs::metadata(path);
    Ok(found.map_err(TrainError::input(path))?.len())
}

/// What a slice takes in a cache that is there.
fn cache_bytes(folder: &Path) -> Result<f64, TrainError> {
    let rows = CacheManifest::read(folder)?.rows;
    let mut sum = 0;
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).map_err(TrainError::input(&next))? {
            let path = entry.map_err(TrainError::input(&next))?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                sum += size(&path)?;
            }
        }
    }
    Ok(sum as f64 / f64::from(rows.max(1)))
}

/// What a slice would take in a cache of whole slices.
fn packed_bytes(data: &RunData) -> Result<Option<f64>, TrainError> {
    let mut reader = SliceReader::new();
    let mut sizes = Vec::new();
    for at in some(data, PACKED) {
        let sample = data.training.get(at)?;
        let place = Place {
            path: &sample.path,
            window: sample.window,
        };
        // A slice that cannot be read, or not be packed, is in no cache either.
        let packed = reader.read(place).ok().and_then(|slice| pack_slice(&slice));
        sizes.extend(packed.map(|bytes| bytes.len() as f64));
    }
    Ok(mean(&sizes))
}
