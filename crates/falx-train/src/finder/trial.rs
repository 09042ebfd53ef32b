//! A network in training that is thrown away.

use std::sync::Arc;
use std::time::Instant;

use falx_data::cache::Cache;
use falx_data::loader::{Batch, Loader, LoaderOptions};
use falx_data::sampler::Sampler;
use falx_nn::optim::Optimizer;
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Engine, EngineError, Graph, Parameters, Targets, Tensor};

use super::batch::BatchPoint;
use super::machine;
use crate::data::RunData;
use crate::{Recipe, TrainError};

/// Steps of a measurement, without the first.
const MEASURED: usize = 3;

/// A network in training on a recipe's slices, epoch after epoch.
pub(super) struct Trial<'a> {
    recipe: &'a Recipe,
    data: &'a RunData,
    graph: Graph,
    engine: Box<dyn Engine>,
    parameters: Parameters,
    optimizer: Optimizer,
    sampler: Sampler,
    options: LoaderOptions,
    loader: Loader,
    step: u64,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        recipe: &'a Recipe,
        data: &'a RunData,
        batch: usize,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let graph = zoo::build(&NetworkConfig {
            name: recipe.network.name.clone(),
            channels: recipe.input.channels(),
            size: recipe.input.size,
            outputs: falx_core::LABELS.len(),
            dropout: recipe.network.dropout,
            width: recipe.network.width,
            pooling: recipe.network.pooling,
            ..NetworkConfig::default()
        })?;
        let parameters = Parameters::initialise(&graph, recipe.seed);
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
            graph,
            engine: falx_nn::flex_engine(recipe.seed),
            optimizer: Optimizer::new(&recipe.optimizer, &parameters),
            parameters,
            loader: load(data, &sampler, &options)?,
            sampler,
            options,
            step: 0,
        })
    }

    /// The engine's name.
    pub(super) fn engine(&self) -> &str {
        self.engine.name()
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
        let images = Tensor {
            shape: batch.shape.to_vec(),
            data: batch.images.into(),
        };
        let targets = Targets {
            labels: batch.labels,
            weights: batch.weights,
        };
        let (graph, parameters) = (&self.graph, &mut self.parameters);
        let mut output = self
            .engine
            .gradients(graph, parameters, &images, &targets, self.step)?;
        if let Some(norm) = self.recipe.training.clip_norm {
            output.gradients.clip(norm);
        }
        self.optimizer
            .step(&mut self.parameters, &output.gradients, rate as f32);
        self.step += 1;
        Ok((output.loss, images.data))
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

fn load(data: &RunData, sampler: &Sampler, options: &LoaderOptions) -> Result<Loader, TrainError> {
    let order = sampler.order(options.seed, options.epoch)?;
    let samples = Arc::clone(&data.training);
    Ok(Loader::new(samples, order, options.clone())?)
}
