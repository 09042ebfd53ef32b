//! Batches, made on several threads within a memory budget, the same for any number of threads.
//!
//! Threads claim the samples of an epoch's order one by one, ahead of the consumer, and write each into its place of its
//! batch. A bounded number of batches is open at a time, in buffers that are used again; they come out in order. A slow
//! file delays its batch and no other thread's work; a file that cannot be read is left out and named, or ends the
//! epoch ([`Policy`]). No part of a batch depends on which thread made it, or when.

mod budget;
mod order;
mod ring;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use falx_core::{ImageId, TargetRow};
use serde::{Deserialize, Serialize};

use crate::augment::AugmentConfig;
use crate::augment::mix::PAIR;
use crate::cache::{Cache, Kept};
use crate::input::{InputError, InputSpec};
use crate::pixels::Pixels;
use crate::samples::{Samples, SamplesError};
use budget::Budget;
pub use order::Order;
use ring::{Filled, Ring};
use worker::Task;

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
    /// Which part of every batch to make, where several processes share an epoch.
    pub shard: Shard,
    /// What to do with a file that cannot be read.
    pub on_unreadable: Policy,
    /// Where slices are looked for before their files are read.
    pub cache: Option<Arc<Cache>>,
    /// Pictures that stay in memory from epoch to epoch, in room of their own.
    pub kept: Option<Arc<Kept>>,
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
            shard: Shard::default(),
            on_unreadable: Policy::Stop,
            cache: None,
            kept: None,
        }
    }
}

impl LoaderOptions {
    /// How many samples that follow each other are made by the same process.
    fn together(&self) -> usize {
        let mixes = self.augment.is_some_and(|augment| augment.mixes());
        if mixes { PAIR } else { 1 }
    }
}

/// Which part of every batch a process makes: part `rank` of `world`.
///
/// The parts of a batch, put together in the order of ranks, are the batch that one process alone would make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 0.
    pub rank: usize,
    /// Of how many.
    pub world: usize,
}

impl Default for Shard {
    fn default() -> Self {
        Self { rank: 0, world: 1 }
    }
}

impl Shard {
    /// Which positions of an epoch's order batch `number` has here; runs of `together` positions are not parted.
    fn positions(
        self,
        number: usize,
        batch: usize,
        in_all: usize,
        together: usize,
    ) -> std::ops::Range<usize> {
        let start = number.saturating_mul(batch).min(in_all);
        let count = batch.min(in_all - start);
        let runs = count.div_ceil(together);
        let edge = |rank: usize| start + count.min(runs * rank / self.world.max(1) * together);
        edge(self.rank)..edge(self.rank + 1)
    }

    /// The most positions that a batch has here.
    fn most(self, batch: usize, together: usize) -> usize {
        let runs = batch.div_ceil(together).div_ceil(self.world.max(1));
        batch.min(runs * together)
    }
}

/// Some slices as the network sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The batch's place in the epoch; go on with `start_batch: number + 1`.
    pub number: usize,
    /// Pictures, N × C × H × W, aligned.
    pub images: Pixels,
    /// N, C, H, W.
    pub shape: [usize; 4],
    /// N rows of labels: 0 or 1, or shares where samples were mixed with each other ([`crate::augment::mix`]).
    pub labels: Vec<TargetRow>,
    /// N weights: 1, or 0 where no label is known.
    pub weights: Vec<f32>,
    /// N ids.
    pub ids: Vec<ImageId>,
    /// How many slices were read from their files because the cache's copy is damaged.
    pub damaged: u64,
    /// The slices of this batch that could not be read, under [`Policy::Skip`].
    pub unreadable: Vec<Unreadable>,
}

impl Batch {
    /// Where its N slices stand in the epoch's order, where batches have `batch` slices: those that could not be read are left
    /// out.
    pub fn positions(&self, batch: usize) -> impl Iterator<Item = usize> + use<> {
        let lost: Vec<usize> = self.unreadable.iter().map(|slice| slice.position).collect();
        let first = self.number * batch;
        let all = first..first + self.ids.len() + lost.len();
        all.filter(move |position| !lost.contains(position))
    }
}

/// A slice that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its place in the epoch's order.
    pub position: usize,
    /// The slice.
    pub image_id: ImageId,
    /// Where it should be.
    pub path: PathBuf,
    /// Why not, in one word: a refusal's name, or `io`.
    pub reason: &'static str,
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
    pub(crate) fn add(&mut self, path: PathBuf, reason: &'static str) {
        self.count += 1;
        *self.by_reason.entry(reason.to_owned()).or_default() += 1;
        self.keep(path);
    }

    /// Adds what was left out elsewhere.
    pub(crate) fn join(&mut self, other: &Self) {
        self.count += other.count;
        for (reason, count) in &other.by_reason {
            *self.by_reason.entry(reason.clone()).or_default() += count;
        }
        for path in &other.examples {
            self.keep(path.clone());
        }
    }

    /// Keeps the first five by name, whoever comes first.
    fn keep(&mut self, path: PathBuf) {
        self.examples.push(path);
        self.examples.sort_unstable();
        self.examples.truncate(5);
    }
}

/// Why there is no next batch.
#[derive(Debug, thiserror::Error)]
pub enum LoaderError {
    /// A file could not be read, under [`Policy::Stop`].
    #[error(transparent)]
    Unreadable(#[from] InputError),
    /// The list of slices cannot be read.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// A rank that is none, or more ranks than slices in a batch.
    #[error(
        "rank {rank} of {world} cannot share batches of {batch}; ranks count from 0, and each needs a slice"
    )]
    Shard {
        /// Which part.
        rank: usize,
        /// Of how many.
        world: usize,
        /// Slices in a batch.
        batch: usize,
    },
    /// More ranks than pairs of samples to be mixed.
    #[error(
        "{world} ranks cannot each have a pair of a batch of {batch} to mix; use batches of {} or more, or leave mixup and \
         cutmix out",
        PAIR * .world
    )]
    Pairs {
        /// Of how many parts.
        world: usize,
        /// Slices in a batch.
        batch: usize,
    },
    /// Not even one batch fits the budget.
    #[error(
        "one batch needs {needed_mib} MiB and the budget is {budget_mib} MiB; use smaller batches or a larger budget (`--memory` \
         of a command, loader_memory_mib of a recipe)"
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
    #[error("the loader failed on slice {position} of the epoch; this is a bug in falx")]
    Bug {
        /// The place in the epoch's order.
        position: usize,
    },
    /// All threads ended before their work did: a bug in falx.
    #[error("the loader's threads ended before batch {batch}; this is a bug in falx")]
    Gone {
        /// The batch.
        batch: usize,
    },
}

/// An epoch's batches, in order.
///
/// Batch *k* is the slices at `k × batch ..` of the order, less those left out under [`Policy::Skip`]; a batch of
/// which nothing is left is passed over. Which thread made a sample, and how many there are, leaves no trace in it.
/// A batch counts against the memory budget until the next one is asked for.
pub struct Loader {
    threads: Vec<JoinHandle<()>>,
    ring: Arc<Ring>,
    task: Arc<Task>,
    batches: usize,
    skipped: Skipped,
    damaged: u64,
    /// A buffer that the consumer gave back.
    spare: Vec<f32>,
    waited: Duration,
}

impl Loader {
    /// Starts the threads that make the batches of `order`.
    ///
    /// # Errors
    /// [`LoaderError`] for options that cannot work, or a temporary folder without room for the order.
    pub fn new(
        samples: Arc<Samples>,
        order: impl Into<Order>,
        options: LoaderOptions,
    ) -> Result<Self, LoaderError> {
        let order = order.into();
        check(&samples, order.places(), &options)?;
        let positions = order.places().len();
        let Budget { threads, slots } = Budget::of(&options)?;
        // Laid on the disk before there are buffers, so that both are never in memory at once.
        let order = order.keep()?;
        let ring = Arc::new(Ring::new(
            positions,
            options.batch,
            options.shard,
            options.input.len(),
            options.start_batch,
            slots,
            options.together(),
        ));
        let task = Arc::new(Task {
            samples,
            order,
            options,
        });
        let working = Arc::clone(&task);
        Self::start(ring, task, threads, move |place| working.work(place))
    }

    /// Starts threads that do `work`.
    fn start(
        ring: Arc<Ring>,
        task: Arc<Task>,
        threads: usize,
        work: impl Fn(&ring::Place) + Clone + Send + 'static,
    ) -> Result<Self, LoaderError> {
        let batches = task.order.len().div_ceil(task.options.batch.max(1));
        let mut loader = Self {
            threads: Vec::with_capacity(threads),
            ring,
            task,
            batches,
            skipped: Skipped::default(),
            damaged: 0,
            spare: Vec::new(),
            waited: Duration::ZERO,
        };
        for number in 0..threads {
            let work = work.clone();
            let place = Ring::enter(&loader.ring);
            // A loader that is dropped here ends the threads that did start.
            let thread = std::thread::Builder::new()
                .name(format!("falx-loader-{number}"))
                .spawn(move || work(&place))
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

    /// How many damaged slices of the cache were read from their files instead.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// How long the consumer has waited for batches so far.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Takes the buffer of a batch's pictures back, so that a later batch need not ask the system for memory.
    pub fn recycle(&mut self, buffer: Vec<f32>) {
        self.spare = buffer;
    }
}

fn check(samples: &Samples, order: &[u32], options: &LoaderOptions) -> Result<(), LoaderError> {
    let (input, batch) = (&options.input, options.batch);
    if batch == 0 || input.is_empty() {
        let (channels, size) = (input.channels(), input.size);
        return Err(LoaderError::EmptyShape {
            batch,
            channels,
            size,
        });
    }
    let Shard { rank, world } = options.shard;
    if rank >= world || world > batch {
        return Err(LoaderError::Shard { rank, world, batch });
    }
    if world > 1 && world.saturating_mul(options.together()) > batch {
        return Err(LoaderError::Pairs { world, batch });
    }
    let is_none = |&&index: &&u32| index as usize >= samples.len();
    match order.iter().find(is_none) {
        Some(&index) => Err(LoaderError::Order {
            index: index as usize,
            samples: samples.len(),
        }),
        None => Ok(()),
    }
}

impl Iterator for Loader {
    type Item = Result<Batch, LoaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_until(None) {
            Poll::Ready(next) => next,
            // Without a deadline it is waited for ever.
            Poll::Pending => None,
        }
    }
}

impl Loader {
    /// The next batch, as [`Iterator::next`] gives it; pending where it is not made in time. Ask again then.
    ///
    /// For consumers that must look after something else while they wait, such as Ctrl-C.
    pub fn next_within(&mut self, at_most: Duration) -> Poll<Option<Result<Batch, LoaderError>>> {
        self.next_until(Instant::now().checked_add(at_most))
    }

    fn next_until(
        &mut self,
        deadline: Option<Instant>,
    ) -> Poll<Option<Result<Batch, LoaderError>>> {
        let since = Instant::now();
        let next = self.wait_for_next(deadline);
        self.waited += since.elapsed();
        next
    }

    fn wait_for_next(
        &mut self,
        deadline: Option<Instant>,
    ) -> Poll<Option<Result<Batch, LoaderError>>> {
        loop {
            let spare = std::mem::take(&mut self.spare);
            let Filled {
                number,
                images,
                made,
            } = match self.ring.take(spare, deadline) {
                Poll::Ready(Some(filled)) => filled,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            };
            match self.task.batch(number, images, made) {
                Ok(batch) => {
                    self.damaged += batch.damaged;
                    for slice in &batch.unreadable {
                        self.skipped.add(slice.path.clone(), slice.reason);
                    }
                    if !batch.ids.is_empty() {
                        return Poll::Ready(Some(Ok(batch)));
                    }
                    self.spare = batch.images.into_parts().0;
                }
                Err(error) => {
                    self.ring.stop();
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.ring.stop();
        for thread in self.threads.drain(..) {
            // A panic was caught in the thread and handed over as an error.
            _ = thread.join();
        }
    }
}
