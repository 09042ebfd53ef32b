//! How many threads, and how many batches at a time, the memory allows.

use super::{LoaderError, LoaderOptions};

pub(super) struct Budget {
    pub(super) threads: usize,
    /// Batches being made, waiting, and in the consumer's hands.
    pub(super) slots: usize,
}

/// What a thread needs to read: a file, its values in HU and a mask (512 × 512), and scratch.
const READING: usize = 4 << 20;

/// What a loader at work takes whatever it loads: the noise's textures, the program's own pages, and what the allocator
/// holds ready. Measured by `falx bench loader --samples`.
const BESIDE: usize = 32 << 20;

impl Budget {
    /// Threads come first, as long as there is room for a batch in the making and one in the consumer's hands.
    ///
    /// A budget that has no room for [`BESIDE`] is no error: one batch and one thread are made do with.
    pub(super) fn of(options: &LoaderOptions) -> Result<Self, LoaderError> {
        let budget = options.memory_mib.saturating_mul(1 << 20);
        let input = &options.input;
        let floats = |count: usize| count.saturating_mul(size_of::<f32>());
        let share = options.shard.most(options.batch, options.together());
        let batch = floats(share.saturating_mul(input.len()));
        // The planes of a sample before and after they are moved, and one that is averaged into another.
        let planes = input.planes().saturating_mul(2).saturating_add(1);
        let planes = floats(input.plane_len().saturating_mul(planes));
        let thread = READING.saturating_add(planes);
        let needed = batch.saturating_add(thread);
        if needed > budget {
            return Err(LoaderError::Budget {
                needed_mib: needed.div_ceil(1 << 20),
                budget_mib: options.memory_mib,
            });
        }
        let room = budget.saturating_sub(BESIDE);
        let for_threads = room.saturating_sub(batch.saturating_mul(2)) / thread;
        let threads = options.threads.max(1).min(for_threads.max(1));
        let slots = room.saturating_sub(threads * thread) / batch.max(1);
        // More than this only fills memory: every thread works on some batch, two wait, and one is held.
        let per_batch = threads.div_ceil(share.max(1));
        Ok(Self {
            threads,
            slots: slots.clamp(1, per_batch + 3),
        })
    }
}
