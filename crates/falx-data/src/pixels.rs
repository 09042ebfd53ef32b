//! A batch's pictures in memory that begins where a cache line does.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::{Deref, DerefMut, Range};

/// Where pictures begin: at an address that is a multiple of this many bytes, a cache line and the widest vector.
pub const ALIGNMENT: usize = 64;

/// Values that lie before the first aligned one, at most.
const MOST_BEFORE: usize = ALIGNMENT / size_of::<f32>() - 1;

/// Numbers that begin at a multiple of [`ALIGNMENT`] bytes, whatever the allocator gives.
///
/// They are part of a plain `Vec`, which others can own without a copy: `NumPy` as it is, with where the numbers begin
/// ([`Self::into_parts`]), and whoever wants a `Vec` of them alone, where the allocator aligns large blocks itself (as that
/// of `falx` does). A vector type with an alignment of its own could be given to neither.
#[derive(Default)]
pub struct Pixels {
    buffer: Vec<f32>,
    start: usize,
}

impl Pixels {
    /// Room for `len` numbers, written and not only asked for: an untouched page takes no memory yet.
    pub(crate) fn room(len: usize) -> Vec<f32> {
        let mut buffer = Vec::with_capacity(len + MOST_BEFORE);
        buffer.resize(len + MOST_BEFORE, 0.0);
        buffer
    }

    /// `len` numbers in `buffer`, which grows where it is too short. What they are depends on what the buffer held.
    pub(crate) fn within(mut buffer: Vec<f32>, len: usize) -> Self {
        let most = len + MOST_BEFORE;
        if buffer.capacity() < most {
            buffer = Vec::with_capacity(most);
        }
        // The buffer has room for all of it and therefore stays where it is.
        let start = buffer.as_ptr().align_offset(ALIGNMENT).min(MOST_BEFORE);
        buffer.resize(start + len, 0.0);
        Self { buffer, start }
    }

    /// Keeps the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.buffer.truncate(self.start.saturating_add(len));
    }

    /// The buffer, and which part of it the numbers are.
    pub fn into_parts(self) -> (Vec<f32>, Range<usize>) {
        let part = self.start..self.buffer.len();
        (self.buffer, part)
    }
}

impl From<Pixels> for Vec<f32> {
    /// The numbers alone: moved to the buffer's start, where they do not begin there already.
    fn from(pixels: Pixels) -> Self {
        let Pixels { mut buffer, start } = pixels;
        if start > 0 {
            buffer.drain(..start);
        }
        buffer
    }
}

impl Deref for Pixels {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
}

impl DerefMut for Pixels {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.buffer.get_mut(self.start..).unwrap_or_default()
    }
}

impl Clone for Pixels {
    fn clone(&self) -> Self {
        let mut clone = Self::within(Vec::new(), self.len());
        clone.copy_from_slice(self);
        clone
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&**self).finish()
    }
}
