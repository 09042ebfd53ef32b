//! Flags of the measurement of loading.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::picture_side;

/// `falx bench loader`
#[derive(Debug, Args)]
pub struct BenchLoader {
    /// Folders or files with DICOM. [default: phantoms, made for this]
    #[arg(value_name = "SRC")]
    pub sources: Vec<PathBuf>,
    /// Measure this peer too, in turns.
    #[arg(long)]
    pub peer: Option<LoaderPeer>,
    /// The Python of the peer.
    #[arg(long, default_value = "python3", value_name = "PATH")]
    pub python: PathBuf,
    /// The picture's side in pixels.
    #[arg(long, default_value_t = 256, value_name = "PIXELS", value_parser = picture_side)]
    pub size: usize,
    /// Slices in a batch.
    #[arg(long, default_value = "32", value_name = "N")]
    pub batch: NonZeroUsize,
    /// How often everything is measured.
    #[arg(long, default_value = "5", value_name = "N")]
    pub rounds: NonZeroUsize,
    /// Slices that a round loads.
    #[arg(long, default_value = "1024", value_name = "N")]
    pub images: NonZeroUsize,
    /// Slices that a round of a peer loads: some batches more than it has workers.
    #[arg(long, default_value = "384", value_name = "N")]
    pub peer_images: NonZeroUsize,
    /// Also measure the memory in use when an epoch of so many slices is loaded, beside 1,000 and 100,000.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub samples: Option<u32>,
    /// The loader's memory budget in MiB.
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    pub memory_mib: usize,
    /// Load an epoch of so many slices in this process, and say how much memory that takes.
    #[arg(long, hide = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub resident: Option<u32>,
}

/// A peer of `falx bench loader`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LoaderPeer {
    /// `PyTorch`'s `DataLoader` and MONAI's `PersistentDataset` and `CacheDataset`.
    Torch,
}
