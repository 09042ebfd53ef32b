//! Flags of the measurement of training.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use falx_nn::EngineKind;

use crate::cli::picture_side;

/// `falx bench train`
#[derive(Debug, Args)]
pub struct BenchTrain {
    /// The network's name in the zoo.
    #[arg(long, default_value = "simple_cnn", value_name = "NAME")]
    pub network: String,
    /// What computes: `flex`; `torch` (libtorch; a build with that feature), with `:cuda` or `:cuda:1` for an NVIDIA
    /// card and `:bf16` for mixed precision; `vulkan` or `metal` (graphics cards; builds with these features), with
    /// `:1` for the second card. May be given again, for the same device.
    #[arg(long, default_values_t = [EngineKind::Flex], value_name = "NAME", value_parser = EngineKind::from_str)]
    pub engine: Vec<EngineKind>,
    /// Images in a batch.
    #[arg(long, default_value = "16", value_name = "N")]
    pub batch: NonZeroUsize,
    /// An image's side in pixels.
    #[arg(long, default_value_t = 128, value_name = "PIXELS", value_parser = picture_side)]
    pub size: usize,
    /// Compute the values of so many segments of the network again on the way back, which saves memory; falx alone.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub checkpoints: usize,
    /// Measure this peer too, in turns.
    #[arg(long)]
    pub peer: Option<TrainPeer>,
    /// The Python of the peer.
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// How often everything is measured.
    #[arg(long, default_value = "5", value_name = "N")]
    pub rounds: NonZeroUsize,
    /// Steps of a round, which are measured together: a card goes on computing when a step has returned.
    #[arg(long, default_value = "1", value_name = "N")]
    pub steps: NonZeroUsize,
}

/// A peer of `falx bench train`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TrainPeer {
    /// `PyTorch`.
    Torch,
}
