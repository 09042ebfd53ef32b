//! Mean and variance of each channel of a batch.

use pulp::Arch;
use rayon::prelude::*;

use crate::operators::channels::{CHUNK, sum};

/// What a batch-normalisation subtracts and divides by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statistics {
    pub mean: Vec<f32>,
    /// The mean squared distance from the mean.
    pub variance: Vec<f32>,
    /// How many values each channel has.
    pub count: usize,
}

impl Statistics {
    /// The statistics of `values` (pixels x channels).
    ///
    /// # Source
    /// Chan, Golub and LeVeque 1979: chunks are summed around their own means, then joined.
    pub fn of(values: &[f32], channels: usize) -> Self {
        let arch = Arch::new();
        let chunks: Vec<(usize, Vec<f32>, Vec<f32>)> = values
            .par_chunks(CHUNK * channels)
            .map(|chunk| arch.dispatch(|| moments(chunk, channels)))
            .collect();
        let (mut count, mut mean, mut spread) =
            (0.0, vec![0.0_f64; channels], vec![0.0_f64; channels]);
        for (pixels, means, squares) in chunks {
            let joined = count + pixels as f64;
            let [share, weight] = [pixels as f64 / joined, count * pixels as f64 / joined];
            for (((mean, spread), other), square) in
                mean.iter_mut().zip(&mut spread).zip(means).zip(squares)
            {
                let distance = f64::from(other) - *mean;
                *mean += distance * share;
                *spread += f64::from(square) + distance * distance * weight;
            }
            count = joined;
        }
        Self {
            mean: mean.iter().map(|&mean| mean as f32).collect(),
            variance: spread
                .iter()
                .map(|&spread| (spread / count.max(1.0)) as f32)
                .collect(),
            count: values.len() / channels,
        }
    }

    /// The running statistics after a batch: PyTorch's, whose running variance is the unbiased one.
    pub fn follow(&self, mean: &mut [f32], variance: &mut [f32], momentum: f32) {
        let unbiased = self.count as f32 / (self.count.max(2) - 1) as f32;
        let move_to = |old: &mut f32, new: f32| *old = (1.0 - momentum) * *old + momentum * new;
        mean.iter_mut()
            .zip(&self.mean)
            .for_each(|(old, &new)| move_to(old, new));
        variance
            .iter_mut()
            .zip(&self.variance)
            .for_each(|(old, &new)| move_to(old, new * unbiased));
    }
}

/// Pixels, means and summed squares around the means of one chunk.
#[inline]
fn moments(chunk: &[f32], channels: usize) -> (usize, Vec<f32>, Vec<f32>) {
    let pixels = chunk.len() / channels;
    let mut means = sum(chunk, channels);
    for mean in &mut means {
        *mean /= pixels as f32;
    }
    let mut squares = vec![0.0; channels];
    for pixel in chunk.chunks_exact(channels) {
        for ((square, x), mean) in squares.iter_mut().zip(pixel).zip(&means) {
            *square += (x - mean) * (x - mean);
        }
    }
    (pixels, means, squares)
}
