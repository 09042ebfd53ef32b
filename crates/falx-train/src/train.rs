//! A run from its recipe to its bundle.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{Interrupt, Progress};
use falx_data::cache::{Cache, Kept};
use falx_data::sampler::Sampler;
use falx_infer::PriorShift;
use falx_nn::optim::{Ema, Optimizer, WeightMean};
use falx_nn::{Engine, EngineKind, Graph, TrainingSession, TrainingState};

use crate::checkpoint::{Checkpoints, Position};
use crate::data::RunData;
use crate::folder::{self, Part, RunFolder};
use crate::lock::RunLock;
use crate::metrics::EpochMetrics;
use crate::transfer::{self, Plan};
use crate::watch::{About, Watch};
use crate::{AveragedMetrics, Recipe, Timing, TrainError, TrainSummary, finish, sequence};

/// How a run uses the machine.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// The run's folder.
    pub out: PathBuf,
    /// Go on with the run that is there.
    pub resume: bool,
    /// A finished run of the same recipe, whatever either says of a second stage: its network of slices is taken, and only
    /// the second stage is trained.
    pub slices: Option<PathBuf>,
    /// Threads that load slices; results do not depend on it.
    pub threads: usize,
    /// What computes; results of different engines differ by rounding.
    pub engine: EngineKind,
}

/// Trains one run, or goes on with it.
///
/// When `interrupt` is requested the run saves a checkpoint at the next step and returns unfinished; resumed, it goes on
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
    data.check(recipe)?;
    let mut run = Run::open(recipe, &data, options)?;
    tracing::info!(
        network = run.graph.name(),
        engine = %options.engine,
        threads = options.threads,
        steps = run.steps_in_all,
        "training"
    );
    let mut finished = true;
    while !run.is_over() {
        if !run.epoch(progress, interrupt)? {
            finished = false;
            break;
        }
    }
    let weights = run.weights();
    if finished {
        run.finish_mean(progress, interrupt)?;
    }
    let mut second = None;
    if finished && let Some(choice) = &recipe.sequence {
        second = sequence::train(&run, choice, progress, interrupt)?;
        finished = second.is_some();
    }
    if finished {
        finish::finish(&run, second.as_ref(), progress, interrupt)?;
        run.watch.finished();
    } else {
        run.watch.stopped();
    }
    Ok(TrainSummary {
        run: options.out.clone(),
        finished,
        network: run.graph.name().to_owned(),
        weights,
        engine: options.engine.to_string(),
        training_slices: data.training.labelled().count(),
        validation_slices: data.count(Part::Validation),
        test_slices: data.count(Part::Test),
        epochs: run.metrics.clone(),
        sequence: second.map(|second| second.epochs).unwrap_or_default(),
        best: run.position.best.map(|(loss, epoch)| (epoch + 1, loss)),
        averaged: run.averaged,
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
    pub sampler: Sampler,
    pub cache: Option<Arc<Cache>>,
    pub kept: Option<Arc<Kept>>,
    pub engine: Box<dyn Engine>,
    pub session: Box<dyn TrainingSession>,
    pub plan: Plan,
    pub metrics: Vec<EpochMetrics>,
    /// The mean of the weights of the epochs so far that the recipe wants averaged.
    pub mean: Option<WeightMean>,
    /// What it reached, once it is the run's result.
    pub averaged: Option<AveragedMetrics>,
    pub steps_in_all: u64,
    pub timing: Timing,
    pub watch: Watch,
    /// Others keep out of the folder while it lives.
    _claim: File,
}

impl<'a> Run<'a> {
    fn open(
        recipe: &'a Recipe,
        data: &'a RunData,
        options: &TrainOptions,
    ) -> Result<Self, TrainError> {
        let folder = RunFolder::new(&options.out);
        let graph = transfer::graph(recipe)?;
        let plan = Plan::new(recipe, &graph)?;
        let engine = options.engine.start(recipe.seed)?;
        let lock = RunLock::new(recipe, data, options.engine)?;
        let sampler = data.sampler(&recipe.sampler)?;
        let cache = recipe.data.cache.as_deref();
        let cache = cache.map(|folder| Cache::open(folder, &data.data_hash, &recipe.input));
        let cache = cache.transpose()?;
        let keep = Some(recipe.training.keep_memory_mib).filter(|&mib| mib > 0);
        let prior = prior_shift(&sampler, data)?;
        let checkpoints = Checkpoints::new(folder.checkpoints());
        check_folder(&folder, options.resume, &lock)?;
        let claimed = options.resume.then(|| folder.claim()).transpose()?;
        if claimed.is_some() {
            folder.sweep();
        }
        if let Some(finished) = options.slices.as_ref().filter(|_| !options.resume) {
            sequence::adopt(recipe, &lock, &RunFolder::new(finished), &folder)?;
        }
        let saved = if options.resume || options.slices.is_some() {
            let average = recipe.training.ema;
            checkpoints.load(&graph, &recipe.optimizer, average)?
        } else {
            None
        };
        let (position, mut state) = match saved {
            Some(saved) => saved,
            None => (Position::default(), first_state(recipe, &graph)?),
        };
        let mean = checkpoints.load_mean(&graph, position.averaged)?;
        state.optimizer = state.optimizer.grouped(&plan.groups);
        let session = engine.session(&graph, state)?;
        // Whatever may be refused was refused by now: a folder is made for a run that begins.
        let claim = if let Some(claim) = claimed {
            claim
        } else {
            folder.create()?;
            folder.claim()?
        };
        if !options.resume {
            folder::write(&folder.recipe(), absolute(recipe)?.to_toml()?.as_bytes())?;
            folder::write_toml(&folder.lock(), &lock)?;
        }
        // A stop between the line and the checkpoint leaves a line too many.
        let mut metrics: Vec<EpochMetrics> = folder::read_lines(&folder.metrics())?;
        metrics.retain(|line| line.epoch <= position.epoch);
        let training = &recipe.training;
        let batches = sampler.len().div_ceil(training.batch);
        let steps = (batches.div_ceil(training.accumulate) as u64).saturating_mul(training.epochs);
        let steps_in_all = training.steps.map_or(steps, |most| most.min(steps));
        let about = About::new(
            recipe,
            &options.engine.to_string(),
            options.threads,
            steps_in_all,
        );
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
            engine,
            checkpoints,
            position,
            threads: options.threads,
            session,
            plan,
            metrics,
            mean,
            averaged: None,
            steps_in_all,
            timing: Timing::default(),
            watch,
            _claim: claim,
        })
    }

    /// Whether there is nothing more to learn, by the recipe's limits.
    fn is_over(&self) -> bool {
        let (training, position) = (&self.recipe.training, &self.position);
        let too_long = |minutes: f64| position.seconds.unwrap_or(0.0) > 60.0 * minutes;
        let is_fresh = position.batch == 0;
        position.epoch >= training.epochs
            || position.step >= self.steps_in_all && is_fresh
            || is_fresh && training.minutes.is_some_and(too_long)
            || is_fresh
                && training
                    .patience
                    .is_some_and(|most| position.since_best >= most)
    }

    /// How many weights are trained or could be.
    fn weights(&self) -> usize {
        let weights = self.graph.parameters().iter();
        weights
            .filter(|spec| spec.kind == falx_nn::ParameterKind::Weight)
            .map(|spec| spec.shape.iter().product::<usize>())
            .sum()
    }

    pub(crate) fn save(&mut self) -> Result<(), TrainError> {
        self.watch.before_checkpoint();
        let state = self.session.state()?;
        self.checkpoints
            .save(&self.position, &state, self.mean.as_ref())
    }
}

/// Where training starts.
pub(crate) fn first_state(recipe: &Recipe, graph: &Graph) -> Result<TrainingState, TrainError> {
    let (parameters, mapping) = transfer::start(recipe, graph)?;
    if let Some(mapping) = mapping {
        tracing::info!("{}", mapping.to_text());
    }
    let optimizer = Optimizer::new(&recipe.optimizer, &parameters);
    let average = recipe
        .training
        .ema
        .map(|config| Ema::new(config, parameters.clone()));
    Ok(TrainingState {
        parameters,
        optimizer,
        average,
    })
}

/// The correction that oversampling makes necessary.
fn prior_shift(sampler: &Sampler, data: &RunData) -> Result<Option<PriorShift>, TrainError> {
    let (shown, own) = (sampler.shown(), data.prevalence);
    if shown == own {
        return Ok(None);
    }
    Ok(Some(PriorShift::between(shown, own)?))
}

/// Checks that the folder is free for a new run, or holds this one.
fn check_folder(folder: &RunFolder, resume: bool, lock: &RunLock) -> Result<(), TrainError> {
    let path = folder.path().to_owned();
    match (folder.lock().is_file(), resume) {
        (true, false) => Err(TrainError::RunExists(path)),
        (false, true) => Err(TrainError::NoRun(path)),
        (false, false) if folder.has_leftovers() => Err(TrainError::Leftovers(path)),
        (false, false) => Ok(()),
        (true, true) => lock.check_same(folder),
    }
}

/// The recipe as it is kept in the run: it must find its data from another folder.
fn absolute(recipe: &Recipe) -> Result<Recipe, TrainError> {
    let mut kept = recipe.clone();
    for path in kept.files() {
        *path = std::path::absolute(&*path).map_err(TrainError::io(path))?;
    }
    Ok(kept)
}
