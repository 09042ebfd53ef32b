//! Small pieces of the kernels' vector work; which instructions the processor has is found at run time.

use pulp::{Arch, Simd, WithSimd};

use super::buffers;

/// How a kernel lays its block of results over the vector registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Vectors per row of a block.
    pub lanes: usize,
    /// Rows of a block.
    pub rows: usize,
}

/// Vectors side by side in one row of a block.
pub(super) const VECTORS: usize = 2;

struct Ask;

impl WithSimd for Ask {
    type Output = Blocks;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Blocks {
        Blocks {
            lanes: S::F32_LANES,
            rows: rows::<S>(),
        }
    }
}

/// The blocks of this processor.
pub(super) fn blocks() -> Blocks {
    Arch::new().dispatch(Ask)
}

/// Rows of a block: all registers but those for one row of weights and one number.
pub(super) const fn rows<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 12 } else { 6 }
}

/// Numbers whose first one lies at the start of a cache line, which full-width loads want.
#[derive(Debug)]
pub(super) struct Aligned {
    data: Vec<f32>,
    start: usize,
    length: usize,
}

impl Aligned {
    /// Whatever they are: for those who write all of them before they read one.
    pub fn taken(length: usize) -> Self {
        const LINE: usize = 64;
        let data = buffers::taken(length + LINE / 4);
        let start = data.as_ptr().align_offset(LINE).min(LINE / 4);
        Self {
            data,
            start,
            length,
        }
    }

    pub fn get(&self) -> &[f32] {
        &self.data[self.start..self.start + self.length]
    }

    pub fn get_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.start..self.start + self.length]
    }
}

impl Drop for Aligned {
    fn drop(&mut self) {
        buffers::give(std::mem::take(&mut self.data));
    }
}
