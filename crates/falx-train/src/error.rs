//! Why a run could not start or go on.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::RecipeError;

/// Why a run could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The index.
    #[error(transparent)]
    Index(#[from] falx_data::TableError),
    /// The truth.
    #[error(transparent)]
    Labels(#[from] falx_data::labels::LabelsError),
    /// The split.
    #[error(transparent)]
    Split(#[from] falx_data::split::SplitError),
    /// The list of slices.
    #[error(transparent)]
    Samples(#[from] falx_data::samples::SamplesError),
    /// The sampler.
    #[error(transparent)]
    Sampler(#[from] falx_data::sampler::SamplerError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] falx_data::cache::CacheError),
    /// The loader.
    #[error(transparent)]
    Loader(#[from] falx_data::loader::LoaderError),
    /// The network's name or size.
    #[error(transparent)]
    Network(#[from] falx_nn::zoo::ZooError),
    /// The weights that a network starts from.
    #[error(
        "{path}: these weights are not the network's, and training with a part of them would mislead: {reason}\nleave \
         network.weights out, or give weights of this network"
    )]
    Start {
        /// The file of weights.
        path: PathBuf,
        /// What did not fit.
        reason: String,
    },
    /// A file that is to be the backbone.
    #[error("{path}: {source}; the recipe's network.onnx names this file")]
    Backbone {
        /// The file.
        path: PathBuf,
        /// Why it cannot be.
        source: Box<falx_nn::SurgeryError>,
    },
    /// A module that the network does not have.
    #[error("`{network}` has no module `{name}`; its modules are backbone, head, {}", modules.join(", "))]
    Module {
        /// What the recipe says.
        name: String,
        /// The network.
        network: String,
        /// What there is.
        modules: Vec<String>,
    },
    /// A network that cannot be cut where its head begins.
    #[error(transparent)]
    Surgery(#[from] falx_nn::SurgeryError),
    /// The network over series.
    #[error(transparent)]
    Sequence(#[from] falx_nn::zoo::SequenceError),
    /// A loss that cannot be.
    #[error("loss: {0}")]
    Loss(String),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] falx_nn::EngineError),
    /// Weights in a checkpoint.
    #[error("{0}; the checkpoint does not fit the recipe: start a new run")]
    Weights(#[from] falx_nn::weights::WeightsError),
    /// The optimiser's state in a checkpoint.
    #[error("{0}; the checkpoint does not fit the recipe: start a new run")]
    Optimizer(#[from] falx_nn::optim::StateError),
    /// The network could not be written as ONNX.
    #[error(transparent)]
    Onnx(#[from] falx_nn::onnx::OnnxError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] falx_infer::BundleError),
    /// The ensemble of a cross-validation's runs.
    #[error(transparent)]
    Ensemble(#[from] falx_infer::EnsembleError),
    /// The prior of training.
    #[error(transparent)]
    Prior(#[from] falx_infer::InvalidPrior),
    /// Prediction with the finished bundle.
    #[error(transparent)]
    Predict(#[from] falx_infer::PredictError),
    /// The prediction file.
    #[error(transparent)]
    Predictions(#[from] falx_eval::predictions::PredictionsError),
    /// The evaluation.
    #[error(transparent)]
    Evaluate(#[from] falx_eval::EvaluateError),
    /// The comparison.
    #[error(transparent)]
    Compare(#[from] falx_eval::compare::CompareError),
    /// The table of groups.
    #[error(transparent)]
    Groups(#[from] crate::groups::GroupsError),
    /// Predictions and truth are of different slices.
    #[error(
        "none of the {count} slices or studies in {predictions} has a truth in {truth}: one names them like {predicted}, the \
         other like {known}; give predictions and truth of the same ones"
    )]
    OtherSlices {
        /// The predictions.
        predictions: PathBuf,
        /// Slices in them.
        count: usize,
        /// The truth.
        truth: PathBuf,
        /// A slice of the predictions.
        predicted: falx_core::ImageId,
        /// A slice of the truth, or a word that there is none.
        known: String,
    },
    /// Two rows predict one study.
    #[error(
        "{}: two rows predict the study {study}, the second by the name {name}; give each study a single prediction",
        .predictions.display()
    )]
    RepeatedStudy {
        /// The predictions.
        predictions: PathBuf,
        /// The study's UID.
        study: String,
        /// What the second row calls it.
        name: String,
    },
    /// A file of predictions without a row.
    #[error("{0} has no rows; give predictions of at least one slice")]
    NoPredictions(PathBuf),
    /// Nothing says what is true.
    #[error(
        "{0}: predictions need a truth to be judged; give it with --labels, or an index that has labels with --index"
    )]
    NoTruth(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}; the last checkpoint is intact, `--resume` goes on from it")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that the recipe names cannot be read.
    #[error("{path}: {source}; the recipe names this file")]
    Input {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the run cannot be written for want of room.
    #[error(
        "{path}: there is no room for it ({source}); the last checkpoint is intact: make room, and `--resume` goes on from it"
    )]
    NoRoom {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the run is not what falx wrote.
    #[error("{path}: {reason}; the file was changed or damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder holds a run already.
    #[error("{0}: there is a run here already; go on with it by --resume, or choose another --out")]
    RunExists(PathBuf),
    /// Files of a run without its lock.
    #[error(
        "{0}: there are checkpoints or embeddings here but no run.lock, so nobody can say of what; remove them, or choose another --out"
    )]
    Leftovers(PathBuf),
    /// Another process trains in the folder.
    #[error("{0}: another falx trains here now; wait for it, or choose another --out")]
    InUse(PathBuf),
    /// There is no run to go on with, or to evaluate.
    #[error("{0}: no run here (a run has a run.lock); make one with `falx train RECIPE --out {0}`")]
    NoRun(PathBuf),
    /// The run was of something else.
    #[error(
        "{path}: the run there has another {what}; resume it with what it was started with, or start a new run"
    )]
    OtherRun {
        /// The run.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The data are no longer those that the run was trained with.
    #[error(
        "{path}: the {what} that its recipe names is no longer the one it was trained with, so nobody can say whether a \
         slice was learnt from; bring the files of then back, or train a new run"
    )]
    OtherData {
        /// The run.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The run has not reached its end.
    #[error("{0}: the run is not finished; go on with `falx train RECIPE --out {0} --resume`")]
    Unfinished(PathBuf),
    /// The cross-validation has not reached its end.
    #[error(
        "{0}: the cross-validation is not finished; go on with `falx train RECIPE --folds … --out {0} --resume`"
    )]
    UnfinishedFolds(PathBuf),
    /// A cross-validation of one fold.
    #[error(
        "a cross-validation needs at least two folds; --folds all takes all, and --fold K trains one run"
    )]
    OneFold,
    /// What was trained says nothing of how networks of its kind are calibrated.
    #[error(
        "{0}: lines of calibration are found on a cross-validation whose predictions are not smoothed along the series; judge by \
         one, or leave --calibrate out"
    )]
    NothingToCalibrateOn(PathBuf),
    /// What is to judge a bundle is smoothed otherwise than the bundle smooths.
    #[error(
        "{0}: its predictions are smoothed along the series (prediction.smooth_mm), and the bundle is to smooth otherwise; leave \
         --smooth-mm out"
    )]
    SmoothedOtherwise(PathBuf),
    /// A side of the split has no labelled slices.
    #[error("{what} no labelled slice; check the labels of the index and the folds of the split")]
    NoSamples {
        /// Which side, with its verb.
        what: String,
    },
    /// A fold that the split does not have.
    #[error("the split has the folds 0 to {}, but no fold {fold}; change data.fold, or give --fold or --folds", folds - 1)]
    NoFold {
        /// What was asked for.
        fold: u32,
        /// How many folds there are.
        folds: u32,
    },
    /// A label that cannot be learnt.
    #[error(
        "no slice of the training folds {what} {label}, so it cannot be learnt; add such patients, choose another fold, or \
         give the label the weight 0 in loss.label_weights"
    )]
    NoPositive {
        /// The label.
        label: falx_core::Label,
        /// What no slice does.
        what: &'static str,
    },
    /// A loss or gradients that are no number.
    #[error(
        "the {what} of step {step} is not finite; {batch} names its batch, and failed-batch.safetensors beside it holds what \
         does it again: pictures, labels, parameters. Lower training.learning_rate, or look at these slices with `falx audit`"
    )]
    NotFinite {
        /// `loss` or `gradient`.
        what: &'static str,
        /// Steps taken before.
        step: u64,
        /// Where the batch was written.
        batch: PathBuf,
    },
    /// A second stage without series.
    #[error(
        "the recipe's [sequence] reads the slices of a series together, but in this index every training slice stands alone; \
         index files that name their series, or leave [sequence] out"
    )]
    NoSeries,
    /// A loss or gradients over series that are no number.
    #[error(
        "the loss or gradient of step {step} over series is not finite; lower sequence.learning_rate or sequence.clip_norm"
    )]
    SeriesNotFinite {
        /// Steps taken before.
        step: u64,
    },
    /// A finder was asked to write into a run.
    #[error("{0} holds a run, which a finder never touches; choose another --out")]
    IsRun(PathBuf),
    /// A file that describes another machine cannot be used.
    #[error(
        "{path}: {reason}; a machine has some of threads, loader_slices_per_second, step_slices_per_second, memory_gib and \
         disk_mb_per_second, each a number above 0"
    )]
    Machine {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A finder's file cannot be written.
    #[error("cannot write {path}: {source}; choose a folder that is writable and has room")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A page cannot be written.
    #[error(transparent)]
    Page(#[from] falx_eval::report::ReportError),
    /// Somebody asked to stop.
    #[error("stopped before there was a result; nothing was written")]
    Interrupted,
}

impl TrainError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::NoRoom { path, source }
            }
            _ => Self::Io { path, source },
        }
    }

    pub(crate) fn input(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Input { path, source }
    }

    pub(crate) fn damaged(path: &Path, reason: String) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason,
        }
    }
}
