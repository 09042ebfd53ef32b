//! The loop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use falx_core::{Interrupt, Label, Probability, Progress};
use falx_data::cache::{Cache, Kept};
use falx_data::loader::{Batch, Loader, LoaderOptions};
use falx_data::sampler::Sampler;
use falx_infer::PriorShift;
use falx_nn::optim::Optimizer;
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Engine, Graph, Parameters, Targets, Tensor};

use crate::checkpoint::{Checkpoints, Position};
use crate::data::RunData;
use crate::failed::FailedStep;
use crate::folder::{self, Part, RunFolder};
use crate::lock::RunLock;
use crate::metrics::{self, EpochMetrics, EpochSums};
use crate::watch::{About, StepFacts, Watch};
use crate::{Recipe, Timing, TrainError, TrainSummary, finish};

/// How a run uses the machine; results do not depend on it.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// The run's folder.
    pub out: PathBuf,
    /// Go on with the run that is there.
    pub resume: bool,
    /// Threads that load slices.
    pub threads: usize,
}

/// Trains one run, or goes on with it.
///
/// When `interrupt` is requested the run saves a checkpoint at the next batch and returns unfinished; resumed, it goes on
/// as if it had never stopped.
///
/// # Errors
/// [`TrainError`]; what was written before stays usable.
pub fn train(
    recipe: &Recipe,
    options: &TrainOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<TrainSummary, TrainError> {
    let data = RunData::load(recipe)?;
    let mut run = Run::open(recipe, &data, options)?;
    let mut finished = true;
    while run.position.epoch < recipe.training.epochs {
        if !run.epoch(progress, interrupt)? {
            finished = false;
            break;
        }
    }
    if finished {
        finish::finish(&run, progress, interrupt)?;
        run.watch.finished();
    } else {
        run.watch.stopped();
    }
    Ok(TrainSummary {
        run: options.out.clone(),
        finished,
        training_slices: data.training.labelled().count(),
        validation_slices: data.count(Part::Validation),
        test_slices: data.count(Part::Test),
        epochs: run.metrics.clone(),
        best: run.position.best.map(|(loss, epoch)| (epoch + 1, loss)),
        bundle: finished.then(|| run.folder.bundle()),
        timing: run.timing,
    })
}

/// A run in progress.
pub(crate) struct Run<'a> {
    pub recipe: &'a Recipe,
    pub data: &'a RunData,
    pub folder: RunFolder,
    pub graph: Graph,
    pub prior: Option<PriorShift>,
    pub checkpoints: Checkpoints,
    pub position: Position,
    pub threads: usize,
    sampler: Sampler,
    cache: Option<Arc<Cache>>,
    kept: Option<Arc<Kept>>,
    engine: Box<dyn Engine>,
    parameters: Parameters,
    optimizer: Optimizer,
    metrics: Vec<EpochMetrics>,
    steps_in_all: u64,
    timing: Timing,
    watch: Watch,
}

impl<'a> Run<'a> {
    fn open(
        recipe: &'a Recipe,
        data: &'a RunData,
        options: &TrainOptions,
    ) -> Result<Self, TrainError> {
        let folder = RunFolder::new(&options.out);
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
        let engine = falx_nn::flex_engine(recipe.seed);
        let lock = RunLock::new(recipe, data, engine.as_ref())?;
        let sampler = data.sampler(&recipe.sampler)?;
        let cache = recipe.data.cache.as_deref();
        let cache = cache.map(|folder| Cache::open(folder, &data.data_hash, &recipe.input));
        let cache = cache.transpose()?;
        let keep = Some(recipe.training.keep_memory_mib).filter(|&mib| mib > 0);
        let prior = prior_shift(&sampler, data)?;
        enter(&folder, options.resume, &lock, recipe)?;

        let checkpoints = Checkpoints::new(folder.checkpoints());
        let (position, parameters, optimizer) =
            if let Some(saved) = checkpoints.load(&graph, &recipe.optimizer)? {
                saved
            } else {
                let parameters = Parameters::initialise(&graph, recipe.seed);
                let optimizer = Optimizer::new(&recipe.optimizer, &parameters);
                (Position::default(), parameters, optimizer)
            };
        // A stop between the line and the checkpoint leaves a line too many.
        let mut metrics = metrics::read(&folder.metrics())?;
        metrics.retain(|line| line.epoch <= position.epoch);
        let steps_in_all =
            (sampler.len().div_ceil(recipe.training.batch) as u64) * recipe.training.epochs;
        let about = About::new(recipe, engine.name(), options.threads, steps_in_all);
        let watch = Watch::begin(&folder, about, position.step, &metrics);
        Ok(Self {
            recipe,
            data,
            folder,
            graph,
            prior,
            sampler,
            cache: cache.map(Arc::new),
            kept: keep.map(|mib| Arc::new(Kept::new(mib))),
            checkpoints,
            position,
            threads: options.threads,
            engine,
            parameters,
            optimizer,
            metrics,
            steps_in_all,
            timing: Timing::default(),
            watch,
        })
    }

    /// One epoch, or what is left of it; false when it was stopped.
    fn epoch(
        &mut self,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<bool, TrainError> {
        let epoch = self.position.epoch;
        let order = self.sampler.order(self.recipe.seed, epoch)?;
        let mut loader = Loader::new(
            Arc::clone(&self.data.training),
            order,
            LoaderOptions {
                augment: self.recipe.augment,
                epoch,
                start_batch: self.position.batch,
                ..self.loader_options()
            },
        )?;
        let batches = loader.batches() as u64;
        progress.begin(
            &format!("train {}/{}", epoch + 1, self.recipe.training.epochs),
            Some(batches.saturating_sub(self.position.batch as u64)),
        );
        self.watch.begin_epoch();
        let start = Instant::now();
        let mut rate = 0.0;
        let mut is_stopped = false;
        while let Some(batch) = loader.next() {
            let (used, images) = self.step(batch?, loader.waited())?;
            rate = used;
            loader.recycle(images);
            progress.advance(1);
            progress.note(&format!("loss {:.4}", self.position.sums.mean()));
            if interrupt.is_requested() {
                is_stopped = true;
                break;
            }
        }
        self.timing.training_seconds += start.elapsed().as_secs_f64();
        self.timing.waiting_seconds += loader.waited().as_secs_f64();
        if loader.damaged() > 0 {
            tracing::warn!(
                slices = loader.damaged(),
                "copies in the cache are damaged, and their files were read; `falx cache --check` mends it"
            );
        }
        // Its buffers make room for those of the validation.
        drop(loader);
        if is_stopped {
            self.save()?;
            return Ok(false);
        }
        progress.finish();
        self.end_epoch(rate, progress)?;
        Ok(true)
    }

    /// One step; returns its learning rate, and the images' buffer to be used again.
    fn step(&mut self, batch: Batch, waited: Duration) -> Result<(f64, Vec<f32>), TrainError> {
        let step = self.position.step;
        let training = &self.recipe.training;
        let rate = self
            .recipe
            .schedule
            .rate(training.learning_rate, step, self.steps_in_all);
        let slices = batch.labels.len();
        let images = Tensor {
            shape: batch.shape.to_vec(),
            data: batch.images.into(),
        };
        let targets = Targets {
            labels: batch.labels,
            weights: batch.weights,
        };
        let mut output =
            self.engine
                .gradients(&self.graph, &mut self.parameters, &images, &targets, step)?;
        let gradient_norm = match training.clip_norm {
            Some(norm) => output.gradients.clip(norm),
            None => output.gradients.norm(),
        };
        let finite = [
            ("loss", output.loss.is_finite()),
            ("gradient", gradient_norm.is_finite()),
        ];
        if let Some(&(what, _)) = finite.iter().find(|(_, finite)| !finite) {
            let failed = FailedStep {
                what,
                step,
                epoch: self.position.epoch + 1,
                batch: self.position.batch,
                seed: self.recipe.seed,
                learning_rate: rate,
                augment: self.recipe.augment,
                ids: &batch.ids,
                images: &images,
                targets: &targets,
                parameters: &self.parameters,
            };
            return Err(failed.keep(&self.folder));
        }
        self.optimizer
            .step(&mut self.parameters, &output.gradients, rate as f32);
        self.position.sums.add(output.loss, slices);
        self.position.batch += 1;
        self.position.step += 1;
        self.watch.step(&StepFacts {
            step: self.position.step,
            loss: output.loss,
            learning_rate: rate,
            gradient_norm,
            slices,
            waited,
        });
        Ok((rate, images.data))
    }

    /// Validates, keeps the best, and saves.
    fn end_epoch(&mut self, rate: f64, progress: &dyn Progress) -> Result<(), TrainError> {
        let truth = self.data.truth(Part::Validation);
        let predictions = self.predict(Part::Validation, progress)?;
        // RunData has checked that the validation fold has labels.
        let loss = falx_eval::weighted_log_loss(&truth, &predictions).unwrap_or(f64::NAN);
        let baseline = self.baseline(&truth);
        let epoch = self.position.epoch;
        self.position.epoch += 1;
        self.position.batch = 0;
        self.metrics.push(EpochMetrics {
            epoch: epoch + 1,
            step: self.position.step,
            learning_rate: rate,
            training_loss: self.position.sums.mean(),
            validation_loss: loss,
            validation_baseline: baseline,
            validation_auc_any: auc_of_any(&truth, &predictions),
        });
        self.position.sums = EpochSums::default();
        if self.position.best.is_none_or(|(best, _)| loss < best) {
            self.position.best = Some((loss, epoch));
            self.checkpoints.save_best(&self.parameters)?;
        }
        tracing::info!(epoch = epoch + 1, loss, baseline, "validated");
        metrics::write(&self.folder.metrics(), &self.metrics)?;
        if let Some(line) = self.metrics.last() {
            self.watch.end_epoch(line);
        }
        self.save()
    }

    fn predict(
        &mut self,
        part: Part,
        progress: &dyn Progress,
    ) -> Result<Vec<[Probability; 6]>, TrainError> {
        let order = self.data.labelled(part);
        let count = order.len();
        let samples = Arc::clone(self.data.part(part));
        let loader = Loader::new(samples, order, self.loader_options())?;
        progress.begin("validate", Some(count as u64));
        let mut predictions = Vec::with_capacity(count);
        for batch in loader {
            let batch = batch?;
            let images = Tensor {
                shape: batch.shape.to_vec(),
                data: batch.images.into(),
            };
            let logits = self.engine.logits(&self.graph, &self.parameters, &images)?;
            let rows = logits.data.as_chunks::<6>().0;
            progress.advance(rows.len() as u64);
            predictions.extend(rows.iter().map(|row| {
                let row = row.map(|logit| Probability::from_logit(logit.into()));
                self.prior.map_or(row, |prior| prior.correct(row))
            }));
        }
        progress.finish();
        Ok(predictions)
    }

    pub(crate) fn baseline(&self, truth: &[falx_core::LabelRow]) -> f64 {
        let row = self
            .data
            .prevalence
            .map(|share| Probability::new(share).unwrap_or_default());
        falx_eval::weighted_log_loss(truth, &vec![row; truth.len()]).unwrap_or(f64::NAN)
    }

    fn loader_options(&self) -> LoaderOptions {
        LoaderOptions {
            batch: self.recipe.training.batch,
            threads: self.threads,
            memory_mib: self.recipe.training.loader_memory_mib,
            input: self.recipe.input.clone(),
            seed: self.recipe.seed,
            cache: self.cache.clone(),
            kept: self.kept.clone(),
            ..LoaderOptions::default()
        }
    }

    fn save(&mut self) -> Result<(), TrainError> {
        self.watch.before_checkpoint();
        self.checkpoints
            .save(&self.position, &self.parameters, &self.optimizer)
    }
}

/// The correction that oversampling makes necessary.
fn prior_shift(sampler: &Sampler, data: &RunData) -> Result<Option<PriorShift>, TrainError> {
    let (shown, own) = (sampler.shown(), data.prevalence);
    if shown == own {
        return Ok(None);
    }
    Ok(Some(PriorShift::between(shown, own)?))
}

fn auc_of_any(truth: &[falx_core::LabelRow], predictions: &[[Probability; 6]]) -> Option<f64> {
    let any = Label::Any;
    let (truth, scores): (Vec<bool>, Vec<f64>) = truth
        .iter()
        .zip(predictions)
        .filter_map(|(row, p)| Some((row.get(any)?, p[any.index()].get())))
        .unzip();
    falx_eval::auc(&truth, &scores).ok()
}

/// Starts a run's folder, or checks that the one there is this run.
fn enter(
    folder: &RunFolder,
    resume: bool,
    lock: &RunLock,
    recipe: &Recipe,
) -> Result<(), TrainError> {
    let path = folder.path().to_owned();
    let exists = folder.lock().is_file();
    match (exists, resume) {
        (true, false) => return Err(TrainError::RunExists(path)),
        (false, true) => return Err(TrainError::NoRun(path)),
        (true, true) => {
            let there: RunLock = folder::read_toml(&folder.lock())?;
            if let Some(what) = lock.difference(&there) {
                return Err(TrainError::OtherRun { path, what });
            }
        }
        (false, false) => {
            folder.create()?;
            folder::write(&folder.recipe(), absolute(recipe)?.to_toml()?.as_bytes())?;
            folder::write_toml(&folder.lock(), lock)?;
        }
    }
    Ok(())
}

/// The recipe as it is kept in the run: it must find its data from another folder.
fn absolute(recipe: &Recipe) -> Result<Recipe, TrainError> {
    let mut kept = recipe.clone();
    for path in [&mut kept.data.index, &mut kept.data.split] {
        *path = std::path::absolute(&*path).map_err(TrainError::io(path))?;
    }
    Ok(kept)
}
