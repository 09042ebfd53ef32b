//! Some of a list's places, in an eighth of a byte each.

use falx_core::LabelRow;

use crate::samples::Samples;

/// From this many bytes on allocators map a block by itself, and give it back when it is freed; smaller ones lie in regions
/// of several MiB that stay. What is not used of it takes no memory.
const ALONE: usize = 1 << 20;

/// An empty list for `count` numbers that leaves nothing behind, so that what is in use after it does not depend on how
/// long it was.
pub(super) fn room(count: usize) -> Vec<u32> {
    Vec::with_capacity(count.max(ALONE / size_of::<u32>()))
}

/// Which places of the samples are meant.
#[derive(Debug)]
pub(super) struct Places {
    bits: Box<[u64]>,
    len: usize,
}

impl Places {
    /// The places whose labels fit.
    pub(super) fn of(samples: &Samples, fits: impl Fn(LabelRow) -> bool) -> Self {
        let mut bits = vec![0_u64; samples.len().div_ceil(64)];
        let mut len = 0;
        for (word, start) in bits.iter_mut().zip((0..).step_by(64)) {
            let places = start..samples.len().min(start + 64);
            for (bit, at) in places.enumerate() {
                if fits(samples.labels(at)) {
                    *word |= 1 << bit;
                    len += 1;
                }
            }
        }
        Self {
            bits: bits.into(),
            len,
        }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// They, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let words = self.bits.iter().zip((0_u32..).step_by(64));
        words.flat_map(|(&word, start)| {
            let rest = std::iter::successors(Some(word), |word| Some(word & word.wrapping_sub(1)));
            rest.take_while(|&word| word != 0)
                .map(move |word| start + word.trailing_zeros())
        })
    }

    /// They, in order, with room for `more` numbers behind them.
    pub(super) fn to_vec(&self, more: usize) -> Vec<u32> {
        let mut places = room(self.len + more);
        places.extend(self.iter());
        places
    }
}
