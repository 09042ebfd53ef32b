//! What a loader thread does, and how much memory it may use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender};

use super::{Batch, LoaderError, LoaderOptions, Policy, Sample};
use crate::index::reason;
use crate::source::{Place, SliceReader};

/// A batch, and the files that were left out of it.
pub(super) type Filled = (Batch, Vec<(PathBuf, &'static str)>);

/// What a thread hands over.
pub(super) struct Made {
    pub(super) number: usize,
    pub(super) result: Result<Filled, LoaderError>,
}

/// What all threads share.
pub(super) struct Task {
    pub(super) samples: Arc<[Sample]>,
    pub(super) order: Vec<usize>,
    pub(super) options: LoaderOptions,
    /// The first batch that no thread has taken.
    pub(super) next: AtomicUsize,
    pub(super) stop: Arc<AtomicBool>,
}

impl Task {
    /// Makes batches until none is left or the loader is dropped.
    ///
    /// A thread asks for leave before it takes a batch, so the batch that is waited for always has leave.
    pub(super) fn work(&self, permits: &Receiver<Vec<f32>>, make: &Sender<Made>) {
        let mut reader = SliceReader::new();
        while let Ok(buffer) = permits.recv() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = self.order.chunks(self.options.batch).nth(number) else {
                return;
            };
            // A bug must end the epoch with an error; a silent thread would leave the loader waiting for ever.
            let result = catch_unwind(AssertUnwindSafe(|| {
                self.fill(number, chunk, buffer, &mut reader)
            }))
            .unwrap_or(Err(LoaderError::Bug { batch: number }));
            if make.send(Made { number, result }).is_err() || self.stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn fill(
        &self,
        number: usize,
        chunk: &[usize],
        mut images: Vec<f32>,
        reader: &mut SliceReader,
    ) -> Result<Filled, LoaderError> {
        let LoaderOptions {
            input,
            augment,
            seed,
            epoch,
            ..
        } = &self.options;
        let len = input.len();
        // What a recycled buffer still holds is overwritten slice by slice.
        images.resize(chunk.len() * len, 0.0);
        let mut batch = Batch {
            number,
            images: Vec::new(),
            shape: [0, input.channels(), input.size, input.size],
            labels: Vec::with_capacity(chunk.len()),
            weights: Vec::with_capacity(chunk.len()),
            ids: Vec::with_capacity(chunk.len()),
        };
        let mut unreadable = Vec::new();
        for (at, sample) in chunk
            .iter()
            .filter_map(|&index| self.samples.get(index))
            .enumerate()
        {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let position = number * self.options.batch + at;
            let placement = augment.map(|augment| augment.draw(*seed, *epoch, position as u64));
            let Some(out) = images.get_mut(batch.ids.len() * len..) else {
                break;
            };
            let place = Place {
                path: &sample.path,
                window: sample.window,
            };
            match input.read(reader, place, placement.as_ref(), out) {
                Ok(()) => {}
                Err(error) => match self.options.on_unreadable {
                    Policy::Stop => return Err(error.into()),
                    Policy::Skip => {
                        unreadable.push((sample.path.clone(), reason(&error)));
                        continue;
                    }
                },
            }
            batch.labels.push(sample.labels);
            batch
                .weights
                .push(if sample.labels.is_empty() { 0.0 } else { 1.0 });
            batch.ids.push(sample.image_id.clone());
        }
        images.truncate(batch.ids.len() * len);
        batch.images = images;
        batch.shape[0] = batch.ids.len();
        Ok((batch, unreadable))
    }
}

/// How many threads, and how many batches at a time, the memory allows.
pub(super) struct Budget {
    pub(super) threads: usize,
    /// Batches being made, waiting, and in the consumer's hands.
    pub(super) slots: usize,
}

/// What a thread needs besides its batch: a file, its values in HU and a mask (512 × 512), and scratch.
const THREAD_BYTES: usize = 4 << 20;

impl Budget {
    pub(super) fn of(options: &LoaderOptions) -> Result<Self, LoaderError> {
        let budget = options.memory_mib.saturating_mul(1 << 20);
        let batch = options
            .batch
            .saturating_mul(options.input.len())
            .saturating_mul(4);
        // A thread needs room for one batch, and one more is in the consumer's hands.
        let fitting = (budget.saturating_sub(batch)) / batch.saturating_add(THREAD_BYTES);
        let threads = options.threads.max(1).min(fitting.max(1));
        let rest = budget.saturating_sub(threads * THREAD_BYTES);
        let slots = rest / batch;
        if slots == 0 {
            let needed = batch.saturating_add(THREAD_BYTES);
            return Err(LoaderError::Budget {
                needed_mib: needed.div_ceil(1 << 20),
                budget_mib: options.memory_mib,
            });
        }
        // More than this only fills memory: every thread has a batch at work and one waiting.
        Ok(Self {
            threads,
            slots: slots.min(2 * threads + 1),
        })
    }
}
