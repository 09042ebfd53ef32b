//! Sums over all pixels, channel by channel, in an order that no number of threads changes.

use pulp::Arch;
use rayon::prelude::*;

/// Pixels that are summed apart; a chunk stays in the first-level cache for narrow images.
pub(super) const CHUNK: usize = 512;

/// The sum of each channel of `values` (pixels x channels).
pub(crate) fn sums(values: &[f32], channels: usize) -> Vec<f32> {
    let arch = Arch::new();
    let chunks: Vec<Vec<f32>> = values
        .par_chunks(CHUNK * channels)
        .map(|chunk| arch.dispatch(|| sum(chunk, channels)))
        .collect();
    total(&chunks, channels)
        .iter()
        .map(|&sum| sum as f32)
        .collect()
}

/// The sum of each channel of one chunk.
#[inline]
pub(super) fn sum(chunk: &[f32], channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    for pixel in chunk.chunks_exact(channels) {
        for (sum, x) in sums.iter_mut().zip(pixel) {
            *sum += x;
        }
    }
    sums
}

/// The sum of all chunks' sums.
pub(super) fn total(chunks: &[Vec<f32>], channels: usize) -> Vec<f64> {
    let mut total = vec![0.0; channels];
    for chunk in chunks {
        for (total, &sum) in total.iter_mut().zip(chunk) {
            *total += f64::from(sum);
        }
    }
    total
}
