//! Batches, made on several threads within a memory budget, the same for any number of threads.

#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};

use falx_core::{ImageId, LabelRow, Window};
use falx_dicom::DicomError;
use serde::{Deserialize, Serialize};

use crate::augment::AugmentConfig;
use crate::index::{Index, IndexRow};
use crate::input::InputSpec;
use crate::split::Split;
use worker::{Budget, Made, Task};

/// One slice to load.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where its bytes are ([`crate::location::Location`]).
    pub path: PathBuf,
    /// The window of a slice that comes from a picture.
    pub window: Option<Window>,
    /// The slice.
    pub image_id: ImageId,
    /// Its labels.
    pub labels: LabelRow,
}

impl Sample {
    /// The usable slices of the given folds, in the index's order.
    pub fn from_index(index: &Index, split: &Split, folds: &[i32]) -> Vec<Self> {
        let fold_of = split.folds();
        index
            .rows
            .iter()
            .filter(|row| row.usable)
            .filter(|row| {
                fold_of
                    .get(&row.image_id)
                    .is_some_and(|fold| folds.contains(fold))
            })
            .map(Self::from)
            .collect()
    }
}

impl From<&IndexRow> for Sample {
    fn from(row: &IndexRow) -> Self {
        Self {
            path: row.path.clone(),
            window: row.picture_window(),
            image_id: row.image_id.clone(),
            labels: row.labels,
        }
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

impl Skipped {
    fn add(&mut self, path: PathBuf, reason: &'static str) {
        self.count += 1;
        *self.by_reason.entry(reason.to_owned()).or_default() += 1;
        if self.examples.len() < 5 {
            self.examples.push(path);
        }
    }
}

/// Why there is no next batch.
#[derive(Debug, thiserror::Error)]
pub enum LoaderError {
    /// A file could not be read, under [`Policy::Stop`].
    #[error(transparent)]
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
///
/// Batch *k* is the slices at `k × batch ..` of the order, less those left out under [`Policy::Skip`]; a batch of
/// which nothing is left is passed over. Which thread made a batch, and how many there are, leaves no trace in it.
/// A batch counts against the memory budget until the next one is asked for.
pub struct Loader {
    threads: Vec<JoinHandle<()>>,
    /// Leave for one batch each, as the buffer to put it in; dropped to end the threads.
    permits: Option<Sender<Vec<f32>>>,
    made: Receiver<Made>,
    /// Batches that were ready before their turn.
    early: BTreeMap<usize, Made>,
    next: usize,
    batches: usize,
    is_holding: bool,
    /// A buffer that the consumer gave back.
    spare: Vec<f32>,
    stop: Arc<AtomicBool>,
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
        let input = &options.input;
        if options.batch == 0 || input.is_empty() {
            let (batch, channels, size) = (options.batch, input.channels(), input.size);
            return Err(LoaderError::EmptyShape {
                batch,
                channels,
                size,
            });
        }
        if let Some(&index) = order.iter().find(|&&index| index >= samples.len()) {
            return Err(LoaderError::Order {
                index,
                samples: samples.len(),
            });
        }
        let batches = order.len().div_ceil(options.batch);
        let Budget { threads, slots } = Budget::of(&options)?;
        let (permit, permits) = crossbeam_channel::bounded(slots);
        let (make, made) = crossbeam_channel::unbounded();
        let stop = Arc::new(AtomicBool::new(false));
        let next = options.start_batch.min(batches);
        let task = Arc::new(Task {
            samples,
            order,
            options,
            next: AtomicUsize::new(next),
            stop: Arc::clone(&stop),
        });
        let mut loader = Self {
            threads: Vec::with_capacity(threads),
            permits: Some(permit),
            made,
            early: BTreeMap::new(),
            next,
            batches,
            is_holding: false,
            spare: Vec::new(),
            stop,
            skipped: Skipped::default(),
        };
        for _ in 0..slots {
            loader.permit_one();
        }
        for number in 0..threads {
            let (task, permits, make) = (Arc::clone(&task), permits.clone(), make.clone());
            // A loader that is dropped here ends the threads that did start.
            let thread = std::thread::Builder::new()
                .name(format!("falx-loader-{number}"))
                .spawn(move || task.work(&permits, &make))
                .map_err(LoaderError::Thread)?;
            loader.threads.push(thread);
        }
        Ok(loader)
    }

    /// Files left out so far.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// How many batches the epoch has in all, those before `start_batch` included.
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// Takes a batch's pictures back, so that the next batch need not ask the system for memory.
    pub fn recycle(&mut self, images: Vec<f32>) {
        self.spare = images;
    }

    fn permit_one(&mut self) {
        let buffer = std::mem::take(&mut self.spare);
        if let Some(permits) = &self.permits {
            // The channel holds as many permits as there are, so this neither waits nor fails while threads live.
            _ = permits.try_send(buffer);
        }
    }

    /// The next batch in order, waiting for it; `None` when the threads are gone.
    fn take(&mut self) -> Option<Made> {
        loop {
            if let Some(made) = self.early.remove(&self.next) {
                return Some(made);
            }
            let made = self.made.recv().ok()?;
            self.early.insert(made.number, made);
        }
    }

    fn end(&mut self) {
        self.next = self.batches;
        self.stop.store(true, Ordering::Relaxed);
        self.permits = None;
    }
}

impl Iterator for Loader {
    type Item = Result<Batch, LoaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.is_holding) {
            self.permit_one();
        }
        while self.next < self.batches {
            let number = self.next;
            let made = self
                .take()
                .map_or(Err(LoaderError::Bug { batch: number }), |made| made.result);
            self.next += 1;
            let (batch, unreadable) = match made {
                Ok(made) => made,
                Err(error) => {
                    self.end();
                    return Some(Err(error));
                }
            };
            for (path, reason) in unreadable {
                self.skipped.add(path, reason);
            }
            if !batch.ids.is_empty() {
                self.is_holding = true;
                return Some(Ok(batch));
            }
            self.spare = batch.images;
            self.permit_one();
        }
        None
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.end();
        for thread in self.threads.drain(..) {
            // A panic was caught in the thread and handed over as an error.
            _ = thread.join();
        }
    }
}
