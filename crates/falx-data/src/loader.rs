//! Batches, made on several threads within a memory budget, the same for any number of threads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{ImageId, LabelRow};
use falx_dicom::DicomError;
use serde::{Deserialize, Serialize};

use crate::augment::AugmentConfig;
use crate::index::Index;
use crate::input::InputSpec;
use crate::split::Split;

/// One slice to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The DICOM file.
    pub path: PathBuf,
    /// The slice.
    pub image_id: ImageId,
    /// Its labels.
    pub labels: LabelRow,
}

impl Sample {
    /// The usable slices of the given folds, in the index's order.
    pub fn from_index(index: &Index, split: &Split, folds: &[i32]) -> Vec<Self> {
        let _ = (index, split, folds);
        todo!()
    }
}

/// What to do with a file that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Leave it out and count it.
    Skip,
    /// End with an error.
    #[default]
    Stop,
}

/// How batches are made.
#[derive(Clone, Debug)]
pub struct LoaderOptions {
    /// Slices in a batch.
    pub batch: usize,
    /// Threads that read and draw (at least 1).
    pub threads: usize,
    /// The most memory that batches and working buffers may take, in MiB.
    pub memory_mib: usize,
    /// What the network sees.
    pub input: InputSpec,
    /// Seeded changes; `None` for evaluation.
    pub augment: Option<AugmentConfig>,
    /// The seed of the changes.
    pub seed: u64,
    /// The epoch: other changes in each.
    pub epoch: u64,
    /// The first batch to give, to go on inside an epoch.
    pub start_batch: usize,
    /// What to do with a file that cannot be read.
    pub on_unreadable: Policy,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        Self {
            batch: 32,
            threads: 2,
            memory_mib: 512,
            input: InputSpec::default(),
            augment: None,
            seed: 0,
            epoch: 0,
            start_batch: 0,
            on_unreadable: Policy::Stop,
        }
    }
}

/// Some slices as the network sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The batch's place in the epoch; go on with `start_batch: number + 1`.
    pub number: usize,
    /// Pictures, N × C × H × W.
    pub images: Vec<f32>,
    /// N, C, H, W.
    pub shape: [usize; 4],
    /// N rows of labels.
    pub labels: Vec<LabelRow>,
    /// N weights: 1, or 0 where no label is known.
    pub weights: Vec<f32>,
    /// N ids.
    pub ids: Vec<ImageId>,
}

/// Files that were left out under [`Policy::Skip`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// How many by the refusal's name (`io` where the file could not be read at all).
    pub by_reason: BTreeMap<String, u64>,
    /// Up to five of them.
    pub examples: Vec<PathBuf>,
}

/// Why there is no next batch.
#[derive(Debug, thiserror::Error)]
pub enum LoaderError {
    /// A file could not be read, under [`Policy::Stop`].
    #[error("{0}")]
    Unreadable(#[from] DicomError),
    /// Not even one batch fits the budget.
    #[error(
        "one batch needs {needed_mib} MiB and the budget is {budget_mib} MiB; use smaller batches or a larger budget"
    )]
    Budget {
        /// What one batch and one thread need.
        needed_mib: usize,
        /// The budget.
        budget_mib: usize,
    },
    /// A batch of 0 slices, or an input without pixels.
    #[error(
        "a batch of {batch} slices of {channels} × {size} × {size} is empty; use at least 1 of each"
    )]
    EmptyShape {
        /// Slices in a batch.
        batch: usize,
        /// Channels.
        channels: usize,
        /// Side.
        size: usize,
    },
    /// The order names a sample that does not exist.
    #[error("the order names sample {index} of {samples}; draw the order from the same samples")]
    Order {
        /// The index.
        index: usize,
        /// How many samples there are.
        samples: usize,
    },
    /// A loader thread could not start.
    #[error("cannot start a loader thread: {0}")]
    Thread(#[source] std::io::Error),
    /// A bug in falx.
    #[error("the loader failed on batch {batch}; this is a bug in falx")]
    Bug {
        /// The batch.
        batch: usize,
    },
}

/// An epoch's batches, in order.
pub struct Loader {
    skipped: Skipped,
}

impl Loader {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`LoaderError`] for options that cannot work.
    pub fn new(
        samples: Arc<[Sample]>,
        order: Vec<usize>,
        options: LoaderOptions,
    ) -> Result<Self, LoaderError> {
        let _ = (samples, order, options);
        todo!()
    }

    /// Files left out so far.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// How many batches the epoch has in all.
    pub fn batches(&self) -> usize {
        todo!()
    }
}

impl Iterator for Loader {
    type Item = Result<Batch, LoaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}
