//! Flags of the measurements.

mod infer;
mod loader;
mod train;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::picture_side;
pub use infer::{BenchInfer, InferPeer};
pub use loader::{BenchLoader, LoaderPeer};
pub use train::{BenchTrain, TrainPeer};

/// `falx bench`
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// From DICOM files to a network's input: the time of every part, threads, memory.
    #[command(after_help = "Examples:
  falx bench io
  falx bench io stage_2_train --peer python --json
  falx bench io stage_2_train --memory-files 100000 --threads 2

Files should be in the page cache: the first round is not counted. The peer runs on Python 3 with pydicom, numpy and
opencv-python-headless; in JSON, ratios above 1 mean that falx is better.")]
    Io(BenchIo),
    /// From a folder of DICOM files to an index: files a second, and time and memory at the scale of a data set.
    #[command(after_help = "Examples:
  falx bench index stage_2_train --peer python
  falx bench index stage_2_train --entries 870000 --folder /data/tmp

Files are hard links with an id, patient and series of their own through a label table. The peer is a loop of pydicom's
dcmread with stop_before_pixels; in JSON, ratios above 1 mean that falx is better.")]
    Index(BenchIndex),
    /// From predictions to scores with intervals: a bootstrap by patient at the scale of a whole data set.
    #[command(after_help = "Examples:
  falx bench evaluate --peer numpy
  falx bench evaluate slices.parquet --peer numpy --files --json

The predictions are made: a logit that is higher for positives, with noise. The peer sorts once and then draws patients
with NumPy; it makes fewer draws, and their time is scaled. Both must give the same scores. In JSON, ratios above 1 mean
that falx is better.")]
    Evaluate(BenchEvaluate),
    /// From files to batches with full augmentation: images a second from DICOM and from a cache, threads, memory.
    #[command(after_help = "Examples:
  falx bench loader stage_2_train --peer torch --python venv/bin/python
  falx bench loader --samples 870000 --json

The peers are a PyTorch DataLoader (pydicom, OpenCV, albumentations) and MONAI's PersistentDataset and CacheDataset, with as
many workers as falx has threads, on the same files in turns; they mirror, move, bend, blur, cut out and add noise, on one
channel and before the windows. benches/peer_env.sh makes a Python for them. falx does all of that and the rest of full
augmentation. In JSON, ratios above 1 mean that falx is better.")]
    Loader(BenchLoader),
    /// A training step of a network, from the batch to moved weights: time, memory.
    #[command(after_help = "Examples:
  falx bench train
  falx bench train --network resnet18 --batch 8 --size 256 --peer torch --python venv/bin/python --threads 1 --json

The peer is PyTorch with AdamW, from the same weights on the same batch with as many threads, once with its own order of
images in memory and once channels-last, each in a process of its own, in turns with falx; its first loss must be falx's.
benches/peer_env.sh makes a Python for it. In JSON, ratios are to the better of both, and above 1 mean that falx is better.")]
    Train(BenchTrain),
    /// A network in use, from a batch to its logits, by each run-time: time, memory, start.
    #[command(after_help = "Examples:
  falx bench infer
  falx bench infer --network inception_v3 --batch 1,8 --peer python --python venv/bin/python --threads 2 --json
  falx bench infer --study --peer python --python venv/bin/python

The peers are ONNX Runtime, which runs the same file, and PyTorch with the same weights, once with its own order of images
in memory and once channels-last. Each contender has a process of its own and as many threads, and runs once before each run
that counts; all must give the same probabilities. benches/peer_env.sh makes a Python for them. In JSON, ratios are to the
fastest peer, and above 1 mean that falx is better.

With --study each contender is told a folder and says the probabilities of its slices; the peer reads with pydicom, resizes
with OpenCV and runs the same file with ONNX Runtime, once one after the other and once with threads that read ahead. A cold
start is a new process (of falx: falx predict) that answers for one slice.")]
    Infer(BenchInfer),
}

/// `falx bench evaluate`
#[derive(Debug, Args)]
pub struct BenchEvaluate {
    /// A Parquet table of slices with patients and labels. [default: 752,803 slices of RSNA's prevalence, made for this]
    #[arg(value_name = "PARQUET")]
    pub table: Option<PathBuf>,
    /// Make so many slices.
    #[arg(long, value_name = "N", conflicts_with = "table")]
    pub slices: Option<NonZeroUsize>,
    /// Measure this peer too, in turns.
    #[arg(long)]
    pub peer: Option<EvaluatePeer>,
    /// The Python of the peer.
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// Resamples of the patients.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub draws: u32,
    /// Resamples that the peer makes; their time is scaled to those of falx.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub peer_draws: u32,
    /// How often everything is measured.
    #[arg(long, default_value = "3", value_name = "N")]
    pub rounds: NonZeroUsize,
    /// Also lint a submission of stage 2's size, and read predictions of all slices.
    #[arg(long)]
    pub files: bool,
    /// Where scores and resamples start.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// A peer of `falx bench evaluate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EvaluatePeer {
    /// `NumPy`.
    Numpy,
}

/// `falx bench index`
#[derive(Debug, Args)]
pub struct BenchIndex {
    /// Folders or files with DICOM. [default: phantoms, made for this]
    #[arg(value_name = "SRC")]
    pub sources: Vec<PathBuf>,
    /// Measure this peer too, in turns.
    #[arg(long)]
    pub peer: Option<BenchPeer>,
    /// The Python of the peer.
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// How often everything is measured.
    #[arg(long, default_value = "5", value_name = "N")]
    pub rounds: NonZeroUsize,
    /// Index a tree of so many links too, and one of a tenth of them.
    #[arg(long, value_name = "N")]
    pub entries: Option<NonZeroUsize>,
    /// Make the links in a new folder below this one, which goes away again. [default: the temporary folder]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// `falx bench io`
#[derive(Debug, Args)]
pub struct BenchIo {
    /// Folders or files with DICOM. [default: phantoms, made for this]
    #[arg(value_name = "SRC")]
    pub sources: Vec<PathBuf>,
    /// Measure this peer too, in turns.
    #[arg(long)]
    pub peer: Option<BenchPeer>,
    /// The Python of the peer.
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// The picture's side in pixels.
    #[arg(long, default_value_t = 256, value_name = "PIXELS", value_parser = picture_side)]
    pub size: usize,
    /// How often everything is measured.
    #[arg(long, default_value = "5", value_name = "N")]
    pub rounds: NonZeroUsize,
    /// Read so many links to the files, and say how much memory is in use on the way.
    #[arg(long, value_name = "N")]
    pub memory_files: Option<NonZeroUsize>,
}

/// A peer of `falx bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchPeer {
    /// pydicom, numpy and `OpenCV`.
    Python,
}
