//! Normalisation in one pass with what often follows it: the rectifier, the 2 x 2 maximum, a sum, Swish.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

mod backward;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Statistics;
use crate::operators::buffers;
use crate::operators::channels::CHUNK;
use crate::operators::elementwise::swish;

pub(crate) use backward::rectifier_gradient;

/// What follows a normalisation in the same pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Epilogue {
    /// Nothing.
    Plain,
    /// The rectifier.
    Relu,
    /// The rectifier, then the maximum of 2 x 2 pixels side by side.
    ReluMaxPool,
    /// The sum with other values.
    Add,
    /// The sum with other values, then the rectifier.
    AddRelu,
    /// [`crate::Swish`] of steepness 1. What is normalised is not kept for the way back, but computed again.
    Swish,
}

/// A normalisation of pixels x channels with all its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Normalisation {
    pub mean: Vec<f32>,
    /// One over the standard deviation.
    inverse: Vec<f32>,
    /// The weight over the standard deviation.
    scale: Vec<f32>,
    bias: Vec<f32>,
    /// Whether the statistics are the batch's own, so that the gradient flows through them.
    own: bool,
    /// Columns of the image, which only the maximum needs.
    columns: usize,
    pub epilogue: Epilogue,
}

impl Normalisation {
    pub fn new(
        statistics: &Statistics,
        [weight, bias]: [&[f32]; 2],
        epsilon: f32,
        own: bool,
        columns: usize,
        epilogue: Epilogue,
    ) -> Self {
        let inverse: Vec<f32> = statistics
            .variance
            .iter()
            .map(|v| (v + epsilon).sqrt().recip())
            .collect();
        Self {
            mean: statistics.mean.clone(),
            scale: inverse
                .iter()
                .zip(weight)
                .map(|(inverse, weight)| inverse * weight)
                .collect(),
            inverse,
            bias: bias.to_vec(),
            own,
            columns,
            epilogue,
        }
    }

    fn channels(&self) -> usize {
        self.mean.len()
    }

    /// How many input values make one chunk: some pixels, or some pairs of rows where a maximum follows.
    fn chunk(&self) -> usize {
        match self.epilogue {
            Epilogue::ReluMaxPool => {
                let pair = 2 * self.columns;
                (CHUNK / pair).max(1) * pair * self.channels()
            }
            _ => CHUNK * self.channels(),
        }
    }

    fn shrink(&self) -> usize {
        if self.epilogue == Epilogue::ReluMaxPool {
            4
        } else {
            1
        }
    }

    /// The results for `values`, and for those which are added to them.
    pub fn forward(&self, values: &[f32], others: Option<&[f32]>) -> Vec<f32> {
        let arch = Arch::new();
        let length = values.len() / self.shrink();
        // What a convolution reads is computed again on the way back; a sum stays.
        let mut results = match self.epilogue {
            Epilogue::Add | Epilogue::AddRelu => buffers::lasting(length),
            _ => buffers::taken(length),
        };
        let size = self.chunk();
        let chunks = results.par_chunks_mut(size / self.shrink());
        let chunks = chunks.zip(values.par_chunks(size)).enumerate();
        chunks.for_each(|(index, (results, values))| {
            let others = others.map_or(&[][..], |others| &others[index * size..][..values.len()]);
            arch.dispatch(Forward {
                of: self,
                values,
                others,
                results,
            });
        });
        results
    }

    /// The results of a chunk.
    #[inline(always)]
    fn finish(&self, values: &[f32], others: &[f32], results: &mut [f32]) {
        match self.epilogue {
            Epilogue::Plain => self.each(values, results, |z| z),
            Epilogue::Relu => self.each(values, results, |z| z.max(0.0)),
            Epilogue::ReluMaxPool => self.largest(values, results),
            Epilogue::Add => self.each_with(values, others, results, |z| z),
            Epilogue::AddRelu => self.each_with(values, others, results, |z| z.max(0.0)),
            Epilogue::Swish => {
                let size = self.block();
                let blocks = results.chunks_mut(size).zip(values.chunks(size));
                for (results, values) in blocks {
                    self.each(values, results, |z| z);
                    for z in results {
                        *z = swish(*z, 1.0);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn each(&self, values: &[f32], results: &mut [f32], finish: impl Fn(f32) -> f32) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        for (values, results) in values
            .chunks_exact(channels)
            .zip(results.chunks_exact_mut(channels))
        {
            for c in 0..channels {
                results[c] = finish((values[c] - mean[c]) * scale[c] + bias[c]);
            }
        }
    }

    #[inline(always)]
    fn each_with(
        &self,
        values: &[f32],
        others: &[f32],
        results: &mut [f32],
        finish: impl Fn(f32) -> f32,
    ) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        let pixels = values
            .chunks_exact(channels)
            .zip(others.chunks_exact(channels));
        for ((values, others), results) in pixels.zip(results.chunks_exact_mut(channels)) {
            for c in 0..channels {
                results[c] = finish((values[c] - mean[c]) * scale[c] + bias[c] + others[c]);
            }
        }
    }

    #[inline(always)]
    fn largest(&self, values: &[f32], results: &mut [f32]) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        for index in 0..values.len() / (4 * channels) {
            let window = self.window(values, index);
            let results = &mut results[index * channels..][..channels];
            for c in 0..channels {
                let z = each_of(window, c, |x| (x - mean[c]) * scale[c] + bias[c]);
                results[c] = z[0].max(z[1]).max(z[2].max(z[3])).max(0.0);
            }
        }
    }

    /// The four pixels under the maximum at `index`.
    #[inline(always)]
    fn window<'v>(&self, values: &'v [f32], index: usize) -> [&'v [f32]; 4] {
        let channels = self.channels();
        let first = self.window_start(index);
        let upper = &values[first..][..2 * channels];
        let lower = &values[first + self.columns * channels..][..2 * channels];
        let ((a, b), (c, d)) = (upper.split_at(channels), lower.split_at(channels));
        [a, b, c, d]
    }

    /// Where the first of these pixels lies.
    #[inline(always)]
    fn window_start(&self, index: usize) -> usize {
        let half = self.columns / 2;
        let (y, x) = (index / half, index % half);
        2 * (y * self.columns + x) * self.channels()
    }

    #[inline(always)]
    fn numbers(&self) -> (&[f32], &[f32], &[f32]) {
        let channels = self.channels();
        (
            &self.mean[..channels],
            &self.scale[..channels],
            &self.bias[..channels],
        )
    }

    /// How many values are one block where a function follows: whole pixels, near enough to the processor for two passes. One loop over
    /// all numbers of a block is vector code whatever the number of channels, which a loop over a pixel's is not.
    fn block(&self) -> usize {
        (BLOCK / self.channels()).max(1) * self.channels()
    }
}

/// A function of the four pixels' values of a channel. Arrays' own `map` is not inlined, and then not compiled for the processor at hand.
#[inline(always)]
fn each_of(window: [&[f32]; 4], channel: usize, of: impl Fn(f32) -> f32) -> [f32; 4] {
    let [a, b, c, d] = window;
    [
        of(a[channel]),
        of(b[channel]),
        of(c[channel]),
        of(d[channel]),
    ]
}

/// [`Normalisation::finish`] of a chunk: a type, since a long closure is not compiled for the processor at hand.
struct Forward<'a> {
    of: &'a Normalisation,
    values: &'a [f32],
    others: &'a [f32],
    results: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.of.finish(self.values, self.others, self.results);
    }
}

/// About how many values are one block: 16 KiB.
const BLOCK: usize = 1 << 12;
