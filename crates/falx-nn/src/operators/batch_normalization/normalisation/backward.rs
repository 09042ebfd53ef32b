//! The way back through a normalisation and what follows it.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{Epilogue, Normalisation, each_of};
use crate::operators::buffers;
use crate::operators::channels::total;
use crate::operators::elementwise::swish_slope;

/// The gradients of a normalisation.
pub(crate) struct NormalisationGradients {
    /// Where it was asked for.
    pub input: Option<Vec<f32>>,
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Normalised values of four pixels that share a maximum, or of one.
type Slopes = [f32; 4];

impl Normalisation {
    /// The gradients from the input `values` and the results' `slopes`; the input's own where it is `wanted`.
    ///
    /// Where a rectifier follows a sum, the slopes are those before it.
    pub fn backward(&self, values: &[f32], slopes: &[f32], wanted: bool) -> NormalisationGradients {
        let arch = Arch::new();
        let channels = self.channels();
        let parts = || {
            values
                .par_chunks(self.chunk())
                .zip(slopes.par_chunks(self.chunk() / self.shrink()))
        };
        let sums: Vec<Vec<f32>> = parts()
            .map(|(values, slopes)| {
                arch.dispatch(Sums {
                    of: self,
                    values,
                    slopes,
                })
            })
            .collect();
        let sums: Vec<f32> = total(&sums, 2 * channels)
            .iter()
            .map(|&sum| sum as f32)
            .collect();
        let (bias, weight) = sums.split_at(channels);
        if !wanted {
            return NormalisationGradients {
                input: None,
                weight: weight.to_vec(),
                bias: bias.to_vec(),
            };
        }
        // What the mean and the variance carry away, per value.
        let count = if self.own {
            (values.len() / channels) as f32
        } else {
            f32::INFINITY
        };
        let carried: Vec<[f32; 2]> = (0..channels)
            .map(|c| [bias[c] / count, weight[c] / count * self.inverse[c]])
            .collect();
        let mut input = buffers::taken(values.len());
        input
            .par_chunks_mut(self.chunk())
            .zip(parts())
            .for_each(|(input, (values, slopes))| {
                arch.dispatch(Spread {
                    of: self,
                    values,
                    slopes,
                    carried: &carried,
                    input,
                });
            });
        NormalisationGradients {
            input: Some(input),
            weight: weight.to_vec(),
            bias: bias.to_vec(),
        }
    }

    /// The sums of a chunk's slopes, then of its slopes times its normalised values.
    #[inline(always)]
    fn sums(&self, values: &[f32], slopes: &[f32]) -> Vec<f32> {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        let mut sums = vec![0.0; 2 * channels];
        match self.epilogue {
            Epilogue::ReluMaxPool => {
                let (plain, weighted) = sums.split_at_mut(channels);
                let weighted = &mut weighted[..channels];
                for index in 0..values.len() / (4 * channels) {
                    let window = self.window(values, index);
                    let slopes = &slopes[index * channels..][..channels];
                    for c in 0..channels {
                        let x = each_of(window, c, |x| x - mean[c]);
                        let z = each_of(window, c, |x| (x - mean[c]) * scale[c] + bias[c]);
                        let g = share(z, slopes[c]);
                        plain[c] += (g[0] + g[1]) + (g[2] + g[3]);
                        weighted[c] += (g[0] * x[0] + g[1] * x[1]) + (g[2] * x[2] + g[3] * x[3]);
                    }
                }
            }
            Epilogue::Relu => self.sums_each(values, slopes, &mut sums, rectified),
            Epilogue::Swish => {
                let mut block = vec![0.0; self.block()];
                let blocks = values.chunks(block.len()).zip(slopes.chunks(block.len()));
                for (values, slopes) in blocks {
                    let slopes = self.before_swish(values, slopes, &mut block);
                    self.sums_each(values, slopes, &mut sums, |_, g| g);
                }
            }
            Epilogue::Plain | Epilogue::Add | Epilogue::AddRelu => {
                self.sums_each(values, slopes, &mut sums, |_, g| g);
            }
        }
        let (_, weighted) = sums.split_at_mut(channels);
        weighted
            .iter_mut()
            .zip(&self.inverse)
            .for_each(|(sum, inverse)| *sum *= inverse);
        sums
    }

    /// The sums where each result is of one pixel; `before` makes a normalised value's slope of its result's.
    #[inline(always)]
    fn sums_each(
        &self,
        values: &[f32],
        slopes: &[f32],
        sums: &mut [f32],
        before: impl Fn(f32, f32) -> f32,
    ) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        let (plain, weighted) = sums.split_at_mut(channels);
        let weighted = &mut weighted[..channels];
        for (values, slopes) in values
            .chunks_exact(channels)
            .zip(slopes.chunks_exact(channels))
        {
            for c in 0..channels {
                let centred = values[c] - mean[c];
                let slope = before(centred * scale[c] + bias[c], slopes[c]);
                plain[c] += slope;
                weighted[c] += slope * centred;
            }
        }
    }

    /// The slopes before Swish of some whole pixels, at the start of `block`.
    #[inline(always)]
    fn before_swish<'b>(&self, values: &[f32], slopes: &[f32], block: &'b mut [f32]) -> &'b [f32] {
        let block = &mut block[..values.len()];
        self.each(values, block, |z| z);
        for (z, slope) in block.iter_mut().zip(slopes) {
            *z = slope * swish_slope(*z, 1.0);
        }
        block
    }

    /// The input's gradient of a chunk.
    #[inline(always)]
    fn spread(&self, values: &[f32], slopes: &[f32], carried: &[[f32; 2]], input: &mut [f32]) {
        match self.epilogue {
            Epilogue::ReluMaxPool => self.spread_largest(values, slopes, carried, input),
            Epilogue::Relu => self.spread_each(values, slopes, carried, input, rectified),
            Epilogue::Swish => {
                let mut block = vec![0.0; self.block()];
                let size = block.len();
                let blocks = values.chunks(size).zip(slopes.chunks(size));
                for ((values, slopes), input) in blocks.zip(input.chunks_mut(size)) {
                    let slopes = self.before_swish(values, slopes, &mut block);
                    self.spread_each(values, slopes, carried, input, |_, g| g);
                }
            }
            Epilogue::Plain | Epilogue::Add | Epilogue::AddRelu => {
                self.spread_each(values, slopes, carried, input, |_, g| g);
            }
        }
    }

    #[inline(always)]
    fn spread_largest(
        &self,
        values: &[f32],
        slopes: &[f32],
        carried: &[[f32; 2]],
        input: &mut [f32],
    ) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        let carried = &carried[..channels];
        let row = self.columns * channels;
        for index in 0..values.len() / (4 * channels) {
            let window = self.window(values, index);
            let slopes = &slopes[index * channels..][..channels];
            let (upper, lower) = input[self.window_start(index)..].split_at_mut(row);
            let (upper_left, upper_right) = upper[..2 * channels].split_at_mut(channels);
            let (lower_left, lower_right) = lower[..2 * channels].split_at_mut(channels);
            for c in 0..channels {
                let x = each_of(window, c, |x| x - mean[c]);
                let z = each_of(window, c, |x| (x - mean[c]) * scale[c] + bias[c]);
                let g = share(z, slopes[c]);
                let spread = |g: f32, x: f32| scale[c] * (g - carried[c][0] - x * carried[c][1]);
                upper_left[c] = spread(g[0], x[0]);
                upper_right[c] = spread(g[1], x[1]);
                lower_left[c] = spread(g[2], x[2]);
                lower_right[c] = spread(g[3], x[3]);
            }
        }
    }

    #[inline(always)]
    fn spread_each(
        &self,
        values: &[f32],
        slopes: &[f32],
        carried: &[[f32; 2]],
        input: &mut [f32],
        before: impl Fn(f32, f32) -> f32,
    ) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        let carried = &carried[..channels];
        let pixels = values
            .chunks_exact(channels)
            .zip(slopes.chunks_exact(channels));
        for ((values, slopes), input) in pixels.zip(input.chunks_exact_mut(channels)) {
            for c in 0..channels {
                let centred = values[c] - mean[c];
                let slope = before(centred * scale[c] + bias[c], slopes[c]);
                input[c] = scale[c] * (slope - carried[c][0] - centred * carried[c][1]);
            }
        }
    }
}

/// [`Normalisation::sums`] of a chunk, a type as [`super::Forward`] is.
struct Sums<'a> {
    of: &'a Normalisation,
    values: &'a [f32],
    slopes: &'a [f32],
}

impl WithSimd for Sums<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f32> {
        self.of.sums(self.values, self.slopes)
    }
}

/// [`Normalisation::spread`] of a chunk.
struct Spread<'a> {
    of: &'a Normalisation,
    values: &'a [f32],
    slopes: &'a [f32],
    carried: &'a [[f32; 2]],
    input: &'a mut [f32],
}

impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.of
            .spread(self.values, self.slopes, self.carried, self.input);
    }
}

/// The slope before a rectifier of `z`.
#[inline(always)]
fn rectified(z: f32, slope: f32) -> f32 {
    if z > 0.0 { slope } else { 0.0 }
}

/// Makes `slopes` those before a rectifier that gave `results`.
pub(crate) fn rectifier_gradient(results: &[f32], slopes: &mut [f32]) {
    let arch = Arch::new();
    let chunks = slopes.par_chunks_mut(SPAN).zip(results.par_chunks(SPAN));
    chunks.for_each(|(slopes, results)| {
        arch.dispatch(|| {
            for (slope, result) in slopes.iter_mut().zip(results) {
                *slope = if *result > 0.0 { *slope } else { 0.0 };
            }
        });
    });
}

/// Numbers that one thread changes at once.
const SPAN: usize = 1 << 14;

/// The slope goes to the first of the largest values, and nowhere where the rectifier stops it.
#[inline(always)]
fn share(z: [f32; 4], slope: f32) -> Slopes {
    let largest = z[0].max(z[1]).max(z[2].max(z[3]));
    let slope = if largest > 0.0 { slope } else { 0.0 };
    let first = [
        z[0] == largest,
        z[1] == largest,
        z[2] == largest,
        z[3] == largest,
    ];
    [
        if first[0] { slope } else { 0.0 },
        if first[1] && !first[0] { slope } else { 0.0 },
        if first[2] && !(first[0] || first[1]) {
            slope
        } else {
            0.0
        },
        if first[3] && !(first[0] || first[1] || first[2]) {
            slope
        } else {
            0.0
        },
    ]
}
