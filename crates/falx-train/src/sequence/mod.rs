//! The second stage: a network that reads the slices of a series together.
//!
//! The best network of slices describes every slice by numbers (`embed`), which stay on the disk; series of these are
//! the samples (`series`) of a network over series, which is trained like the first: steps, validation, checkpoints
//! (`epoch`). Everything lies in the run's folder `sequence/`.

mod adopt;
mod embed;
mod epoch;
mod series;

use falx_core::{Interrupt, Progress};
use falx_nn::optim::Optimizer;
use falx_nn::zoo::{self, SequenceConfig};
use falx_nn::{Engine, Graph, Parameters, TrainingState};

use crate::checkpoint::{Checkpoints, Position};
use crate::folder::{self, RunFolder};
use crate::metrics::EpochMetrics;
use crate::train::Run;
use crate::watch::{About, Watch};
use crate::{SequenceChoice, TrainError};
pub use adopt::adopt;
use embed::{Embedder, Embeddings};
use epoch::SequenceRun;
use series::{Series, spans};

/// A finished network over series.
pub struct Sequence {
    /// Which network.
    pub config: SequenceConfig,
    /// Its graph for the longest series of the data.
    pub graph: Graph,
    /// The weights of the best epoch.
    pub parameters: Parameters,
    /// The best validation loss, and its epoch (from 0).
    pub best: (f64, u64),
    /// All epochs.
    pub epochs: Vec<EpochMetrics>,
}

/// Trains the second stage of a run whose first is done; `None` when somebody asked to stop.
///
/// # Errors
/// [`TrainError`]; what was written before stays usable.
pub fn train(
    run: &Run<'_>,
    choice: &SequenceChoice,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Option<Sequence>, TrainError> {
    let engine = run.engine.as_ref();
    let folder = RunFolder::new(run.folder.sequence());
    folder.create()?;
    let Some((training, validation)) = embedded(run, choice, engine, progress, interrupt)? else {
        return Ok(None);
    };
    let longest = longest(run)?;
    let features = training.features;
    let config = choice.config(longest, features);
    let graph = zoo::build_sequence(&config)?;
    let checkpoints = Checkpoints::new(folder.checkpoints());
    let saved = checkpoints.load(&graph, &choice.optimizer, None)?;
    let (position, state) = match saved {
        Some(saved) => saved,
        None => (Position::default(), first(run, choice, &graph, &training)?),
    };
    let mut metrics: Vec<EpochMetrics> = folder::read_lines(&folder.metrics())?;
    metrics.retain(|line| line.epoch <= position.epoch);
    let session = engine.session(&graph, state)?;
    let (training, validation) = (
        training.into_series()?.labelled(),
        validation.into_series()?,
    );
    let steps_in_epoch = training.spans.len().div_ceil(choice.batch) as u64;
    let steps = steps_in_epoch.saturating_mul(choice.epochs);
    let about = About {
        title: format!("Training of {} over series", graph.name()),
        shown: "on series as shown, dropout on".to_owned(),
        epochs: choice.epochs,
        steps,
        ..About::new(run.recipe, session.name(), run.threads, steps)
    };
    let mut sequence = SequenceRun {
        run,
        choice,
        longest,
        watch: Watch::begin(&folder, about, position.step, &metrics),
        folder,
        checkpoints,
        position,
        session,
        training,
        validation,
        steps,
        metrics,
        learns: falx_nn::Training {
            loss: run.plan.loss(),
            ..falx_nn::Training::default()
        },
    };
    while !sequence.is_over() {
        if !sequence.epoch(progress, interrupt)? {
            sequence.watch.stopped();
            return Ok(None);
        }
    }
    let (position, epochs) = (sequence.position, sequence.metrics);
    let parameters = Checkpoints::load_weights(&sequence.checkpoints.best_path(), &graph)?;
    sequence.watch.finished();
    Ok(Some(Sequence {
        config,
        graph,
        parameters,
        best: position.best.unwrap_or((f64::NAN, 0)),
        epochs,
    }))
}

/// A part's slices, embedded.
struct Embedded<'a> {
    samples: &'a std::sync::Arc<falx_data::samples::Samples>,
    views: Vec<Embeddings>,
    features: usize,
}

impl Embedded<'_> {
    fn into_series(self) -> Result<Series, TrainError> {
        Series::new(self.samples, self.views, self.features)
    }
}

/// The embeddings of what is learnt from, in all its views, and of what chooses the epoch.
fn embedded<'a>(
    run: &'a Run<'_>,
    choice: &SequenceChoice,
    engine: &dyn Engine,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Option<(Embedded<'a>, Embedded<'a>)>, TrainError> {
    let folder = run.folder.sequence().join("embeddings");
    std::fs::create_dir_all(&folder).map_err(TrainError::io(&folder))?;
    let mut embedder = Embedder::new(run, engine)?;
    let features = embedder.features;
    let mut part = |samples, name: &str, views: u64| {
        let mut made = Vec::new();
        for view in 0..=views {
            let path = folder.join(format!("{name}-{view}.f32"));
            match embedder.embed(samples, view, &path, progress, interrupt)? {
                Some(embeddings) => made.push(embeddings),
                None => return Ok(None),
            }
        }
        Ok::<_, TrainError>(Some(Embedded {
            samples,
            views: made,
            features,
        }))
    };
    let Some(training) = part(&run.data.training, "training", choice.views as u64)? else {
        return Ok(None);
    };
    let validation = part(&run.data.validation, "validation", 0)?;
    Ok(validation.map(|validation| (training, validation)))
}

/// Slices of the longest series of the data.
fn longest(run: &Run<'_>) -> Result<usize, TrainError> {
    let mut longest = 1;
    for samples in [&run.data.training, &run.data.validation, &run.data.test] {
        for span in spans(samples)? {
            longest = longest.max(span.slices);
        }
    }
    Ok(longest)
}

/// Weights drawn from the seed, and what the embeddings' features are measured by.
fn first(
    run: &Run<'_>,
    choice: &SequenceChoice,
    graph: &Graph,
    training: &Embedded<'_>,
) -> Result<TrainingState, TrainError> {
    let mut parameters = Parameters::initialise(graph, run.recipe.seed);
    if let Some(plain) = training.views.first() {
        let [mean, scale] = plain.moments()?;
        for (name, values) in [(zoo::MEAN, mean), (zoo::SCALE, scale)] {
            if let Some(constant) = parameters.get_mut(name) {
                constant.data = values;
            }
        }
    }
    let optimizer = Optimizer::new(&choice.optimizer, &parameters);
    Ok(TrainingState {
        parameters,
        optimizer,
        average: None,
    })
}
