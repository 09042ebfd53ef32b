//! A network in training that is thrown away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use falx_data::cache::Cache;
use falx_data::loader::{Batch, Loader, LoaderOptions};
use falx_data::sampler::Sampler;
use falx_nn::{
    EngineError, EngineKind, Motion, StepSettings, Tensor, Training, TrainingSession,
    TrainingState, Weights,
};

use super::batch::BatchPoint;
use super::machine;
use crate::data::RunData;
use crate::epoch::Shown;
use crate::train::first_state;
use crate::transfer::{self, Plan};
use crate::{Recipe, TrainError};

/// Steps of a measurement, without the first.
const MEASURED: usize = 3;

/// A measurement of loading alone takes at least so long.
const LOADED_FOR: Duration = Duration::from_millis(500);

/// A network in training on a recipe's slices, epoch after epoch.
pub(crate) struct Trial<'a> {
    recipe: &'a Recipe,
    data: &'a RunData,
    session: Box<dyn TrainingSession>,
    plan: Plan,
    /// How the epoch trains, and the factor on its rate.
    training: Training,
    factor: f64,
    sampler: Sampler,
    options: LoaderOptions,
    loader: Loader,
    step: u64,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(
        recipe: &'a Recipe,
        data: &'a RunData,
        batch: usize,
        threads: usize,
        engine: EngineKind,
    ) -> Result<Self, TrainError> {
        let graph = transfer::graph(recipe)?;
        let plan = Plan::new(recipe, &graph)?;
        let mut state = first_state(recipe, &graph)?;
        state.optimizer = state.optimizer.grouped(&plan.groups);
        let session = engine.start(recipe.seed)?.session(&graph, state)?;
        let (training, factor) = plan.of_epoch(0);
        let cache = recipe.data.cache.as_deref();
        let cache = cache.map(|folder| Cache::open(folder, &data.data_hash, &recipe.input));
        let options = LoaderOptions {
            batch,
            threads,
            memory_mib: recipe.training.loader_memory_mib,
            input: recipe.input.clone(),
            augment: recipe.augment,
            seed: recipe.seed,
            cache: cache.transpose()?.map(Arc::new),
            ..LoaderOptions::default()
        };
        let sampler = data.sampler(&recipe.sampler)?;
        Ok(Self {
            recipe,
            data,
            session,
            plan,
            training,
            factor,
            loader: load(data, &sampler, &options)?,
            sampler,
            options,
            step: 0,
        })
    }

    /// The next batch; the epoch after the last begins anew.
    fn batch(&mut self) -> Result<Batch, TrainError> {
        if let Some(batch) = self.loader.next() {
            return Ok(batch?);
        }
        self.options.epoch += 1;
        self.loader = load(self.data, &self.sampler, &self.options)?;
        match self.loader.next() {
            Some(batch) => Ok(batch?),
            None => Err(TrainError::NoSamples {
                what: "an epoch of the sampler has".to_owned(),
            }),
        }
    }

    /// One step at a rate; gives the loss before it.
    pub(super) fn step(&mut self, rate: f64) -> Result<f64, TrainError> {
        let batch = self.batch()?;
        let (loss, images) = self.learn(batch, rate)?;
        self.loader.recycle(images);
        Ok(loss)
    }

    fn learn(&mut self, batch: Batch, rate: f64) -> Result<(f64, Vec<f32>), TrainError> {
        let Shown {
            images, targets, ..
        } = batch.into();
        let settings = StepSettings {
            rng_step: self.step,
            training: &self.training,
            motion: Motion {
                rate: (rate * self.factor) as f32,
                momentum: None,
                clip_norm: self.recipe.training.clip_norm,
            },
        };
        let report = self.session.step((&images).into(), &targets, &settings)?;
        self.step += 1;
        Ok((report.loss, images.data))
    }

    /// Trains from now on as the recipe does in `epoch` (from 0).
    pub(crate) fn begin_epoch(&mut self, epoch: u64) -> Result<(), TrainError> {
        (self.training, self.factor) = self.plan.of_epoch(epoch);
        self.reload()
    }

    /// A loader that has made nothing yet.
    fn reload(&mut self) -> Result<(), TrainError> {
        self.options.epoch += 1;
        self.loader = load(self.data, &self.sampler, &self.options)?;
        Ok(())
    }

    /// Slices a second of loading at least so many batches, its start among it: small pictures are loaded so fast that a few of
    /// them say nothing.
    pub(crate) fn loader_speed(&mut self, batches: usize) -> Result<f64, TrainError> {
        // The first batch pays for buffers.
        let first = self.batch()?;
        self.loader.recycle(first.images.into());
        let began = Instant::now();
        self.reload()?;
        let (mut loaded, mut slices) = (0, 0);
        while loaded < batches || began.elapsed() < LOADED_FOR {
            let batch = self.batch()?;
            loaded += 1;
            slices += batch.labels.len();
            self.loader.recycle(batch.images.into());
        }
        Ok(slices as f64 / began.elapsed().as_secs_f64().max(1e-9))
    }

    /// Slices a second of so many steps, without loading: the middle one counts. One more step before them pays for memory.
    pub(crate) fn step_speed(&mut self, rate: f64, steps: usize) -> Result<f64, TrainError> {
        let mut speeds = Vec::with_capacity(steps);
        for number in 0..=steps {
            let batch = self.batch()?;
            let slices = batch.labels.len();
            let began = Instant::now();
            let (_, images) = self.learn(batch, rate)?;
            if number > 0 {
                speeds.push(slices as f64 / began.elapsed().as_secs_f64().max(1e-9));
            }
            self.loader.recycle(images);
        }
        Ok(middle(&mut speeds))
    }

    /// Slices a second of so many steps with a loader that begins with them, and the share of the time in which they waited
    /// for it.
    pub(crate) fn training_speed(
        &mut self,
        rate: f64,
        steps: usize,
    ) -> Result<(f64, f64), TrainError> {
        let began = Instant::now();
        self.reload()?;
        let (mut slices, mut waited) = (0, Duration::ZERO);
        for _ in 0..steps {
            let asked = Instant::now();
            let batch = self.batch()?;
            waited += asked.elapsed();
            slices += batch.labels.len();
            let (_, images) = self.learn(batch, rate)?;
            self.loader.recycle(images);
        }
        let seconds = began.elapsed().as_secs_f64().max(1e-9);
        Ok((slices as f64 / seconds, waited.as_secs_f64() / seconds))
    }

    /// Slices a second of the way forward; the middle one of so many batches counts.
    pub(crate) fn forward_speed(&mut self, batches: usize) -> Result<f64, TrainError> {
        let mut speeds = Vec::with_capacity(batches);
        for number in 0..=batches {
            let batch = self.batch()?;
            let images = Tensor {
                shape: batch.shape.to_vec(),
                data: batch.images.into(),
            };
            let began = Instant::now();
            self.session.logits((&images).into(), Weights::Averaged)?;
            if number > 0 {
                speeds.push(batch.labels.len() as f64 / began.elapsed().as_secs_f64().max(1e-9));
            }
            self.loader.recycle(images.data);
        }
        Ok(middle(&mut speeds))
    }

    /// What a checkpoint would hold.
    pub(crate) fn state(&self) -> Result<TrainingState, TrainError> {
        Ok(self.session.state()?.into_owned())
    }

    /// What some steps cost; `None` where the network cannot be trained on batches of this size.
    pub(super) fn measure(&mut self, rate: f64) -> Result<Option<BatchPoint>, TrainError> {
        machine::forget_peak();
        let mut fastest = f64::INFINITY;
        for number in 0..=MEASURED {
            let batch = self.batch()?;
            let slices = batch.labels.len();
            let began = Instant::now();
            let images = match self.learn(batch, rate) {
                Ok((_, images)) => images,
                Err(TrainError::Engine(EngineError::OneValue { .. })) => return Ok(None),
                Err(error) => return Err(error),
            };
            // The first step pays for memory and caches; of the others the fastest is the least disturbed.
            if number > 0 {
                fastest = fastest.min(began.elapsed().as_secs_f64() / slices.max(1) as f64);
            }
            self.loader.recycle(images);
        }
        Ok(Some(BatchPoint {
            batch: self.options.batch,
            images_per_second: 1.0 / fastest.max(1e-9),
            peak_mib: machine::peak_mib(),
        }))
    }
}

/// The middle of some values: one that was disturbed moves it little.
fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn load(data: &RunData, sampler: &Sampler, options: &LoaderOptions) -> Result<Loader, TrainError> {
    let order = sampler.order(options.seed, options.epoch)?;
    let samples = Arc::clone(&data.training);
    Ok(Loader::new(samples, order, options.clone())?)
}
