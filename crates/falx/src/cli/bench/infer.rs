//! Flags of the measurement of a network in use.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use falx_infer::RuntimeKind;

use crate::cli::picture_side;

/// `falx bench infer`
#[derive(Debug, Args)]
pub struct BenchInfer {
    /// The network's name in the zoo.
    #[arg(long, default_value = "resnet18", value_name = "NAME")]
    pub network: String,
    /// Measure answers for whole studies instead, from their files to findings: a phantom's, with a bundle that has learnt
    /// nothing.
    #[arg(long, conflicts_with = "batch")]
    pub study: bool,
    /// With `--study`: slices of the study.
    #[arg(long, default_value = "32", value_name = "N", requires = "study")]
    pub slices: NonZeroUsize,
    /// With `--study`: slices of the study whose memory is measured; 0 = leave that out.
    #[arg(long, default_value_t = 1000, value_name = "N", requires = "study")]
    pub thin_slices: usize,
    /// Images in a batch; several sizes with commas.
    #[arg(long, default_value = "1,8", value_name = "N,…", value_delimiter = ',')]
    pub batch: Vec<NonZeroUsize>,
    /// An image's side in pixels.
    #[arg(long, default_value_t = 256, value_name = "PIXELS", value_parser = picture_side)]
    pub size: usize,
    /// falx's run-times to measure, with commas: falx, rten, ort. [default: all that this build has]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = RuntimeKind::from_str)]
    pub runtime: Vec<RuntimeKind>,
    /// Measure this peer too, in turns.
    #[arg(long)]
    pub peer: Option<InferPeer>,
    /// The Python of the peer.
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// How often everything is measured.
    #[arg(long, default_value = "7", value_name = "N")]
    pub rounds: NonZeroUsize,
    /// Answer as one contender.
    #[arg(long, hide = true, value_name = "NAME", value_parser = RuntimeKind::from_str)]
    pub serve: Option<RuntimeKind>,
}

/// A peer of `falx bench infer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InferPeer {
    /// ONNX Runtime and `PyTorch`; with `--study` pydicom, `OpenCV` and ONNX Runtime.
    Python,
}
