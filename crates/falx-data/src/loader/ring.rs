//! The batches in the making: a bounded queue of places that threads claim one by one and that is emptied in order.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

use super::Shard;
use super::worker::Made;
use crate::pixels::Pixels;

/// What threads and consumer share.
pub(super) struct Ring {
    plan: Plan,
    /// The most batches at a time: open, and in the consumer's hands.
    slots: usize,
    state: Mutex<State>,
    /// There may be something to claim.
    room: Condvar,
    /// The first batch may be complete.
    ready: Condvar,
}

/// Which positions make which batch.
struct Plan {
    positions: usize,
    batch: usize,
    shard: Shard,
    /// Numbers of one sample.
    len: usize,
    /// Samples that follow each other and are made by one process.
    together: usize,
}

#[derive(Default)]
struct State {
    /// The batches that are open, in order.
    open: VecDeque<Open>,
    /// The number of the first of them, or of the next to be opened.
    first: usize,
    /// How many positions of the last open batch have been claimed.
    claimed: usize,
    /// Buffers to be used again.
    spare: Vec<Vec<f32>>,
    is_held: bool,
    is_stopped: bool,
    threads: usize,
}

struct Open {
    slot: Arc<Slot>,
    /// Samples that are not made yet.
    left: usize,
}

/// A batch in the making.
struct Slot {
    positions: Range<usize>,
    filling: Mutex<Filling>,
}

#[derive(Default)]
struct Filling {
    images: Pixels,
    /// By the sample's place in the batch.
    made: Vec<Option<Made>>,
}

/// A complete batch, as its samples were made.
pub(super) struct Filled {
    pub(super) number: usize,
    /// One sample after the other, with gaps where one could not be made.
    pub(super) images: Pixels,
    pub(super) made: Vec<Option<Made>>,
}

/// A position that a thread has claimed.
pub(super) struct Claim {
    pub(super) position: usize,
    /// The batch's number.
    number: usize,
    slot: Arc<Slot>,
}

/// A thread's place at the ring; without threads nothing is waited for.
pub(super) struct Place(Arc<Ring>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state().threads -= 1;
        self.0.ready.notify_all();
    }
}

impl std::ops::Deref for Place {
    type Target = Ring;

    fn deref(&self) -> &Ring {
        &self.0
    }
}

impl Ring {
    pub(super) fn new(
        positions: usize,
        batch: usize,
        shard: Shard,
        len: usize,
        first: usize,
        slots: usize,
        together: usize,
    ) -> Self {
        let plan = Plan {
            positions,
            batch,
            shard,
            len,
            together,
        };
        let first = first.min(plan.batches());
        // All at once: what is in use depends neither on how far the threads get ahead nor on how long the epoch is.
        let buffers = slots.min(plan.batches() - first);
        let longest = plan.shard.most(batch, together) * len;
        let spare = std::iter::repeat_with(|| Pixels::room(longest));
        Self {
            plan,
            slots,
            state: Mutex::new(State {
                first,
                spare: spare.take(buffers).collect(),
                ..State::default()
            }),
            room: Condvar::new(),
            ready: Condvar::new(),
        }
    }

    /// Counts a thread in until its place is dropped.
    pub(super) fn enter(ring: &Arc<Self>) -> Place {
        ring.state().threads += 1;
        Place(Arc::clone(ring))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the state; were it so, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next position to be made, waiting for room; `None` when there is none or the consumer has gone.
    pub(super) fn claim(&self) -> Option<Claim> {
        let mut state = self.state();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(claim) = state.claim() {
                return Some(claim);
            }
            if state.first + state.open.len() >= self.plan.batches() {
                return None;
            }
            if state.open.len() + usize::from(state.is_held) < self.slots {
                state.open_next(&self.plan);
                // A batch may be empty where it is shared by more ranks than it has slices.
                self.ready.notify_all();
                self.room.notify_all();
                continue;
            }
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts a sample in its place; `write` fills its numbers where it was made. Where `write` panics nothing was put.
    pub(super) fn put(&self, claim: &Claim, made: Made, write: impl FnOnce(&mut [f32])) {
        let at = claim.position - claim.slot.positions.start;
        {
            let filling = claim.slot.filling.lock();
            let mut filling = filling.unwrap_or_else(PoisonError::into_inner);
            let Filling { images, made: all } = &mut *filling;
            let len = self.plan.len;
            if let Some(place) = images.get_mut(at * len..(at + 1) * len)
                && made.is_sample()
            {
                write(place);
            }
            if let Some(place) = all.get_mut(at) {
                *place = Some(made);
            }
        }
        let mut state = self.state();
        let place = claim.number.checked_sub(state.first);
        if let Some(open) = place.and_then(|place| state.open.get_mut(place)) {
            open.left -= 1;
            if open.left == 0 {
                self.ready.notify_all();
            }
        }
    }

    /// The next batch in order, waiting for it until `deadline`, or for ever; `None` after the last. `spare` is a buffer
    /// to be used again.
    pub(super) fn take(&self, spare: Vec<f32>, deadline: Option<Instant>) -> Poll<Option<Filled>> {
        let mut state = self.state();
        if spare.capacity() > 0 {
            state.spare.push(spare);
        }
        if std::mem::take(&mut state.is_held) {
            self.room.notify_all();
        }
        loop {
            let is_over = state.open.is_empty() && state.first >= self.plan.batches();
            if state.is_stopped || is_over {
                return Poll::Ready(None);
            }
            if state.open.front().is_some_and(|open| open.left == 0) {
                return Poll::Ready(Some(state.pop()));
            }
            if state.threads == 0 {
                // No thread ends before its work does, unless there is a bug; it must not become endless waiting.
                return Poll::Ready(Some(state.abandon()));
            }
            state = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                None => self
                    .ready
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return Poll::Pending,
                Some(left) => {
                    let waited = self.ready.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Ends the threads at their next step.
    pub(super) fn stop(&self) {
        self.state().is_stopped = true;
        self.room.notify_all();
        self.ready.notify_all();
    }
}

impl Plan {
    fn batches(&self) -> usize {
        self.positions.div_ceil(self.batch.max(1))
    }

    fn positions_of(&self, number: usize) -> Range<usize> {
        self.shard
            .positions(number, self.batch, self.positions, self.together)
    }
}

impl State {
    fn claim(&mut self) -> Option<Claim> {
        let number = self.first + self.open.len().checked_sub(1)?;
        let slot = &self.open.back()?.slot;
        let position = slot.positions.start + self.claimed;
        if position >= slot.positions.end {
            return None;
        }
        self.claimed += 1;
        Some(Claim {
            position,
            number,
            slot: Arc::clone(slot),
        })
    }

    fn open_next(&mut self, plan: &Plan) {
        let number = self.first + self.open.len();
        let positions = plan.positions_of(number);
        let count = positions.len();
        let buffer = self.spare.pop().unwrap_or_default();
        // What a recycled buffer still holds is overwritten sample by sample.
        let images = Pixels::within(buffer, count * plan.len);
        let filling = Filling {
            images,
            made: std::iter::repeat_with(|| None).take(count).collect(),
        };
        let slot = Slot {
            positions,
            filling: Mutex::new(filling),
        };
        self.open.push_back(Open {
            slot: Arc::new(slot),
            left: count,
        });
        self.claimed = 0;
    }

    /// Takes the first batch out.
    fn pop(&mut self) -> Filled {
        let number = self.first;
        let filling = self.open.pop_front().map(|open| {
            let filling = open.slot.filling.lock();
            std::mem::take(&mut *filling.unwrap_or_else(PoisonError::into_inner))
        });
        self.first += 1;
        self.is_held = true;
        let Filling { images, made } = filling.unwrap_or_default();
        Filled {
            number,
            images,
            made,
        }
    }

    /// Takes the first batch out as it is.
    fn abandon(&mut self) -> Filled {
        let mut filled = self.pop();
        if filled.made.iter().all(Option::is_some) {
            filled.made.push(None);
        }
        filled
    }
}
