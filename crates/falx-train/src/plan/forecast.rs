//! What a whole run costs: plain arithmetic on speeds and sizes.

use serde::Serialize;

use super::{Figure, Measured, Speeds};
use crate::Recipe;

const MIB: f64 = 1024.0 * 1024.0;
/// What the lists keep of a slice while an epoch is planned: two bytes of labels, four of order.
const LISTED: f64 = 6.0;

/// How many slices a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Learnt from.
    pub training: u64,
    /// Choose the epoch.
    pub validation: u64,
    /// Locked away.
    pub test: u64,
    /// Shown in an epoch, repeated ones as often as they are.
    pub shown: u64,
}

impl Size {
    /// All slices with a label.
    pub const fn all(&self) -> u64 {
        self.training + self.validation + self.test
    }

    /// The same shares of so many slices.
    #[must_use]
    pub fn scaled(&self, all: u64) -> Self {
        let factor = all as f64 / self.all().max(1) as f64;
        let of = |part: u64| (part as f64 * factor).round() as u64;
        let (validation, test) = (of(self.validation), of(self.test));
        // What rounding leaves belongs to the largest part.
        let training = all.saturating_sub(validation + test);
        let repeated = self.shown as f64 / self.training.max(1) as f64;
        Self {
            training,
            validation,
            test,
            shown: (training as f64 * repeated).round() as u64,
        }
    }
}

/// What a run costs on data of one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The data.
    pub size: Size,
    /// Whether these are the data at hand, whose slices were counted.
    pub is_counted: bool,
    /// Steps of a whole epoch.
    pub steps_per_epoch: u64,
    /// Epochs, by the recipe's limits; `patience` may end it sooner.
    pub epochs: u64,
    /// Steps in all.
    pub steps: u64,
    /// The recipe's phases.
    pub stages: Vec<ForecastStage>,
    /// One validation.
    pub validation_seconds: Figure,
    /// All steps.
    pub training_seconds: Figure,
    /// Steps, validation after each epoch, and the bundle's predictions at the end.
    pub whole_seconds: Figure,
    /// Memory of the process.
    pub memory: Memory,
    /// Bytes of the run's folder at its largest: two checkpoints while one takes the other's place, the best weights, the
    /// bundle.
    pub checkpoint_bytes: Figure,
    /// Bytes of all slices in a cache.
    pub cache_bytes: Option<Figure>,
    /// Bytes of all slices' files.
    pub file_bytes: Option<Figure>,
    /// Bytes that an epoch of training reads, where nothing stays in memory.
    pub epoch_read_bytes: Option<Figure>,
}

/// What one phase costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ForecastStage {
    /// Its first epoch, from 1.
    pub first_epoch: u64,
    /// Its steps.
    pub steps: u64,
    /// Seconds of a step.
    pub step_seconds: Figure,
    /// Seconds of a whole epoch, with its validation.
    pub epoch_seconds: Figure,
}

/// Memory of the process in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// The most, where the system told it of the trial: the peak there, kept pictures and longer lists.
    pub peak: Option<Figure>,
    /// In it: weights, their gradients, the optimiser's memory, the average.
    pub network: Figure,
    /// In it: the most that the loader may take, by the recipe.
    pub loader_limit: f64,
    /// In it: pictures that stay from epoch to epoch, at most, by the recipe.
    pub kept_limit: f64,
    /// In it: lists of slices.
    pub lists: Figure,
}

impl Forecast {
    /// The cost on data of some size; `counted` are those at hand.
    pub fn of(
        recipe: &Recipe,
        measured: &Measured,
        speeds: &Speeds,
        size: Size,
        counted: Size,
    ) -> Self {
        let training = &recipe.training;
        let batches = size.shown.div_ceil(training.batch as u64);
        let steps_per_epoch = batches.div_ceil(training.accumulate as u64).max(1);
        let validation = size.validation as f64 / speeds.validation.value;
        let of_step = (training.batch * training.accumulate) as f64;
        let mut stages: Vec<ForecastStage> = speeds
            .stages
            .iter()
            .map(|stage| {
                let step = of_step / stage.training.value;
                ForecastStage {
                    first_epoch: stage.first_epoch,
                    steps: 0,
                    step_seconds: Figure {
                        value: step,
                        ..stage.training
                    },
                    epoch_seconds: Figure::extrapolated(step * steps_per_epoch as f64 + validation),
                }
            })
            .collect();
        let (epochs, steps) = share_out(recipe, steps_per_epoch, &mut stages);
        let seconds: f64 = stages
            .iter()
            .map(|stage| stage.steps as f64 * stage.step_seconds.value)
            .sum();
        let end = (size.validation + size.test) as f64 / speeds.validation.value;
        let all = size.all() as f64;
        let of_all = |bytes: Option<f64>| bytes.map(|bytes| Figure::extrapolated(bytes * all));
        let read = measured.read_bytes();
        Self {
            size,
            is_counted: size == counted,
            steps_per_epoch,
            epochs,
            steps,
            stages,
            validation_seconds: Figure::extrapolated(validation),
            training_seconds: Figure::extrapolated(seconds),
            whole_seconds: Figure::extrapolated(seconds + epochs as f64 * validation + end),
            memory: memory(recipe, measured, size, counted),
            checkpoint_bytes: Figure::extrapolated(checkpoints(measured)),
            cache_bytes: of_all(measured.cached_bytes),
            file_bytes: of_all(measured.file_bytes),
            epoch_read_bytes: read.map(|b| Figure::extrapolated(b * size.shown as f64)),
        }
    }
}

/// Gives each phase its steps; returns the epochs and the steps of the whole run.
fn share_out(recipe: &Recipe, per_epoch: u64, stages: &mut [ForecastStage]) -> (u64, u64) {
    let training = &recipe.training;
    let most = training.steps.unwrap_or(u64::MAX);
    let too_long = training
        .minutes
        .map_or(f64::INFINITY, |minutes| 60.0 * minutes);
    let (mut epochs, mut steps, mut seconds) = (0, 0, 0.0);
    while epochs < training.epochs && steps < most && seconds <= too_long {
        let taken = per_epoch.min(most - steps);
        let of_epoch = stages
            .iter_mut()
            .rfind(|stage| stage.first_epoch <= epochs + 1);
        if let Some(stage) = of_epoch {
            stage.steps += taken;
            seconds += taken as f64 * stage.step_seconds.value;
        }
        steps += taken;
        epochs += 1;
    }
    (epochs, steps)
}

fn memory(recipe: &Recipe, measured: &Measured, size: Size, counted: Size) -> Memory {
    let kept_limit = recipe.training.keep_memory_mib as f64;
    let listed = |size: Size| (2 * size.all() + 4 * size.shown) as f64 / MIB;
    let more = LISTED * size.shown.max(size.all()).saturating_sub(counted.all()) as f64 / MIB;
    // Gradients are as large as the weights.
    let network = 2 * measured.weights_bytes + measured.optimizer_bytes + measured.average_bytes;
    Memory {
        peak: measured
            .peak_mib
            .map(|peak| Figure::extrapolated(peak + kept_limit + more)),
        network: Figure::extrapolated(network as f64 / MIB),
        loader_limit: recipe.training.loader_memory_mib as f64,
        kept_limit,
        lists: Figure::extrapolated(listed(size)),
    }
}

fn checkpoints(measured: &Measured) -> f64 {
    let one = measured.weights_bytes + measured.optimizer_bytes + measured.average_bytes;
    (2 * one + 2 * measured.weights_bytes) as f64
}
