//! Large buffers that are used again: fresh memory must be cleared by the system, which costs as much as a pass over it.

use std::sync::Mutex;

/// Numbers from which on a buffer is worth keeping.
const LARGE: usize = 1 << 14;

/// What lies ready.
struct Shelf {
    buffers: Vec<Kept>,
    /// Counts the steps, so that what was not needed for a while is let go.
    step: u64,
}

struct Kept {
    buffer: Vec<f32>,
    step: u64,
}

static SHELF: Mutex<Shelf> = Mutex::new(Shelf {
    buffers: Vec::new(),
    step: 0,
});

fn shelf() -> std::sync::MutexGuard<'static, Shelf> {
    // A panic elsewhere leaves the shelf as whole as it was.
    SHELF
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// `length` numbers, whatever they are, for a moment: for those who write all of them before they read one, and whose result is
/// given back soon. A much larger buffer will do.
pub fn taken(length: usize) -> Vec<f32> {
    at_most(length, 4 * length)
}

/// The same for numbers that stay while others come and go: what is kept for the way back, gradients of weights.
pub fn lasting(length: usize) -> Vec<f32> {
    at_most(length, length + length / 4)
}

fn at_most(length: usize, most: usize) -> Vec<f32> {
    if length < LARGE {
        return vec![0.0; length];
    }
    let mut shelf = shelf();
    let fits = shelf.buffers.iter().enumerate();
    let fits = fits.filter(|(_, kept)| (length..=most).contains(&kept.buffer.capacity()));
    let best = fits.min_by_key(|(_, kept)| kept.buffer.capacity());
    let Some((index, _)) = best else {
        drop(shelf);
        return vec![0.0; length];
    };
    let Kept { mut buffer, .. } = shelf.buffers.swap_remove(index);
    drop(shelf);
    buffer.resize(length, 0.0);
    buffer
}

/// Zeros.
pub fn zeros(length: usize) -> Vec<f32> {
    let mut buffer = taken(length);
    buffer.fill(0.0);
    buffer
}

/// Takes back what is not needed any more.
pub fn give(buffer: Vec<f32>) {
    if buffer.capacity() >= LARGE {
        let mut shelf = shelf();
        let step = shelf.step;
        shelf.buffers.push(Kept { buffer, step });
    }
}

/// Begins the next step: what lay unused during the whole of the last one is let go.
pub fn next_step() {
    let mut shelf = shelf();
    let last = shelf.step;
    shelf.buffers.retain(|kept| kept.step == last);
    shelf.step += 1;
}
