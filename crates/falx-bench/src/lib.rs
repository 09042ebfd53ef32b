//! Measurements of falx on the machine at hand, beside a peer in the same run.
//!
//! Rounds of falx and of the peer alternate, because a machine's speed drifts; medians are quoted, and ratios above 1
//! mean that falx is better.

mod evaluate;
mod files;
mod index;
mod infer;
mod io;
mod loader;
mod python;
mod report;
mod study;
mod train;
mod turns;

use std::path::PathBuf;

use falx_data::index::IndexError;
use falx_dicom::DicomError;
use falx_phantom::PhantomError;

pub use evaluate::{EvaluateBenchOptions, EvaluateReport, measure as evaluate};
pub use files::{FileSpeed, FilesReport};
pub use index::{IndexBenchOptions, IndexReport, Scale, measure as index};
pub use infer::{
    InferBenchOptions, InferContender, InferReport, measure as infer, serve as serve_inference,
};
pub use io::measure as io;
pub use loader::{
    LoaderBenchOptions, LoaderPeer, LoaderReport, Resident, ResidentOptions, Speed,
    measure as loader, resident,
};
pub use report::{Falx, IoReport, Memory, Parts, Python, Spread};
pub use study::{
    StudyBenchOptions, StudyContender, StudyReport, measure as study, serve as serve_studies,
};
pub use train::{TrainBenchOptions, TrainFalx, TrainPeer, TrainReport, measure as train};

/// What to measure of reading.
#[derive(Clone, Debug)]
pub struct IoOptions {
    /// Files or folders with DICOM; none stands for phantoms, made for this.
    pub sources: Vec<PathBuf>,
    /// The Python whose pydicom, numpy and `OpenCV` are the peer, if there is to be one.
    pub python: Option<PathBuf>,
    /// The picture's side in pixels.
    pub size: usize,
    /// How often everything is measured.
    pub rounds: usize,
    /// Read so many links to the files, and say how much memory is in use on the way.
    pub memory_files: Option<usize>,
    /// Threads to read with, beside one alone.
    pub threads: usize,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The sources cannot be read.
    #[error(transparent)]
    Sources(#[from] IndexError),
    /// None of the files gives a CT slice.
    #[error("none of the {files} files gives a single CT slice; falx dicom check says why")]
    NoSlices {
        /// How many files there are.
        files: usize,
    },
    /// A file that could be read before cannot be read any more.
    #[error(transparent)]
    Dicom(#[from] DicomError),
    /// The phantoms could not be made.
    #[error(transparent)]
    Phantom(#[from] PhantomError),
    /// The peer's program does not start.
    #[error("{python} cannot be started ({source}); install Python 3, or name one with --python")]
    NoPython {
        /// The program.
        python: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The peer gave no answer, or none that makes sense.
    #[error("the peer did not answer; it needs: pip install {needs}")]
    Peer {
        /// The Python packages it runs on.
        needs: &'static str,
    },
    /// The table of labels cannot be read.
    #[error(transparent)]
    Listing(#[from] falx_data::index::ListingError),
    /// No slice has all six labels.
    #[error("no slice of {} has all six labels; give a table of labelled slices", .table.display())]
    NoLabels {
        /// The table.
        table: PathBuf,
    },
    /// The scores have no meaning.
    #[error(transparent)]
    Evaluate(#[from] falx_eval::EvaluateError),
    /// falx and the peer score the same predictions differently.
    #[error(
        "{score} is {falx} by falx and {peer} by the peer; one of them is wrong: please report it"
    )]
    Differ {
        /// Which score.
        score: String,
        /// What falx computes.
        falx: f64,
        /// What the peer computes.
        peer: f64,
    },
    /// A submission or predictions, made for this, cannot be written or read.
    #[error(transparent)]
    Predictions(#[from] falx_eval::predictions::PredictionsError),
    /// The same in Kaggle's form.
    #[error(transparent)]
    Kaggle(#[from] falx_eval::kaggle::KaggleError),
    /// The linter gave up.
    #[error(transparent)]
    Lint(#[from] falx_eval::lint::LintError),
    /// The cache could not be made.
    #[error(transparent)]
    Cache(#[from] falx_data::cache::CacheError),
    /// The list of slices could not be kept.
    #[error(transparent)]
    Samples(#[from] falx_data::samples::SamplesError),
    /// The loader gave up.
    #[error(transparent)]
    Loader(#[from] falx_data::loader::LoaderError),
    /// No epoch could be drawn.
    #[error(transparent)]
    Sampler(#[from] falx_data::sampler::SamplerError),
    /// The peer draws other pictures from the same files.
    #[error(
        "without augmentation {peer} differs from falx by {difference:.3} of a window; it does other work: please report it"
    )]
    OtherWork {
        /// Which peer.
        peer: &'static str,
        /// The mean difference of a pixel.
        difference: f64,
    },
    /// The network to train cannot be built.
    #[error(transparent)]
    Network(#[from] falx_nn::zoo::ZooError),
    /// A training step failed.
    #[error(transparent)]
    Engine(#[from] falx_nn::EngineError),
    /// The weights for the peer cannot be written.
    #[error(transparent)]
    Weights(#[from] falx_nn::weights::WeightsError),
    /// The peer's loss is another one.
    #[error(
        "the first loss is {falx} by falx and {theirs} by {peer}; it does other work: please report it"
    )]
    OtherLoss {
        /// Which peer.
        peer: &'static str,
        /// What falx computes.
        falx: f64,
        /// What the peer computes.
        theirs: f64,
    },
    /// Engines on several devices, whose peers would differ.
    #[error("these engines compute on different devices; measure each device by itself")]
    Devices,
    /// The network cannot be exported.
    #[error(transparent)]
    Onnx(#[from] falx_nn::onnx::OnnxError),
    /// A run-time failed.
    #[error(transparent)]
    Runtime(#[from] falx_infer::RuntimeError),
    /// The bundle that was made for this cannot be written.
    #[error(transparent)]
    Bundle(#[from] falx_infer::BundleError),
    /// A study was not answered.
    #[error(transparent)]
    Detect(#[from] falx_infer::DetectError),
    /// A contender gives other probabilities.
    #[error(
        "the probabilities of {contender} differ by {difference:.1e} from the first contender's; one of them is wrong: \
         please report it"
    )]
    OtherProbabilities {
        /// Which one.
        contender: String,
        /// The largest difference.
        difference: f64,
    },
    /// A process of falx that is measured gave no answer.
    #[error("a process of falx that is measured ended without an answer: {0}")]
    NoMeasurement(String),
    /// A temporary file, or the peer's pipe.
    #[error(
        "a temporary file or the peer's pipe cannot be used ({0}); check that the temporary folder has room"
    )]
    Io(#[from] std::io::Error),
    /// The threads could not be started.
    #[error("threads cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The user asked to stop.
    #[error("measuring was interrupted")]
    Interrupted,
}
