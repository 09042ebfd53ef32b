//! Normalisation in one pass with the rectifier and the 2 x 2 maximum that often follow it.

use pulp::Arch;
use rayon::prelude::*;

use super::Statistics;
use crate::operators::buffers;
use crate::operators::channels::{CHUNK, total};

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
        let mut results = buffers::taken(values.len() / self.shrink());
        let size = self.chunk();
        let chunks = results.par_chunks_mut(size / self.shrink());
        let chunks = chunks.zip(values.par_chunks(size)).enumerate();
        chunks.for_each(|(index, (results, values))| {
            let others = others.map_or(&[][..], |others| &others[index * size..][..values.len()]);
            arch.dispatch(|| match self.epilogue {
                Epilogue::Plain => self.each(values, results, |z| z),
                Epilogue::Relu => self.each(values, results, |z| z.max(0.0)),
                Epilogue::ReluMaxPool => self.largest(values, results),
                Epilogue::Add => self.each_with(values, others, results, |z| z),
                Epilogue::AddRelu => self.each_with(values, others, results, |z| z.max(0.0)),
            });
        });
        results
    }

    #[inline]
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

    #[inline]
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

    #[inline]
    fn largest(&self, values: &[f32], results: &mut [f32]) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        self.windows(values, |window, at| {
            let results = &mut results[at..at + channels];
            for c in 0..channels {
                let z = window.map(|values| (values[c] - mean[c]) * scale[c] + bias[c]);
                results[c] = z[0].max(z[1]).max(z[2].max(z[3])).max(0.0);
            }
        });
    }

    /// Calls `visit` with the four pixels under each maximum and the place of its result.
    #[inline]
    fn windows(&self, values: &[f32], mut visit: impl FnMut([&[f32]; 4], usize)) {
        let channels = self.channels();
        let row = self.columns * channels;
        for (y, pair) in values.chunks_exact(2 * row).enumerate() {
            let (upper, lower) = pair.split_at(row);
            let pixels = upper
                .chunks_exact(2 * channels)
                .zip(lower.chunks_exact(2 * channels));
            for (x, (upper, lower)) in pixels.enumerate() {
                let ((a, b), (c, d)) = (upper.split_at(channels), lower.split_at(channels));
                visit([a, b, c, d], y * row / 2 + x * channels);
            }
        }
    }

    #[inline]
    fn numbers(&self) -> (&[f32], &[f32], &[f32]) {
        let channels = self.channels();
        (
            &self.mean[..channels],
            &self.scale[..channels],
            &self.bias[..channels],
        )
    }

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
            .map(|(values, slopes)| arch.dispatch(|| self.sums(values, slopes)))
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
                arch.dispatch(|| self.spread(values, slopes, &carried, input));
            });
        NormalisationGradients {
            input: Some(input),
            weight: weight.to_vec(),
            bias: bias.to_vec(),
        }
    }

    /// The sums of a chunk's slopes, then of its slopes times its normalised values.
    #[inline]
    fn sums(&self, values: &[f32], slopes: &[f32]) -> Vec<f32> {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        let mut sums = vec![0.0; 2 * channels];
        let (plain, weighted) = sums.split_at_mut(channels);
        if self.epilogue == Epilogue::ReluMaxPool {
            self.windows(values, |window, at| {
                let slopes = &slopes[at..at + channels];
                for c in 0..channels {
                    let centred = window.map(|values| values[c] - mean[c]);
                    let parts = share(centred.map(|x| x * scale[c] + bias[c]), slopes[c]);
                    plain[c] += (parts[0] + parts[1]) + (parts[2] + parts[3]);
                    let products = [0, 1, 2, 3].map(|i| parts[i] * centred[i]);
                    weighted[c] += (products[0] + products[1]) + (products[2] + products[3]);
                }
            });
        } else {
            let relu = self.epilogue == Epilogue::Relu;
            for (values, slopes) in values
                .chunks_exact(channels)
                .zip(slopes.chunks_exact(channels))
            {
                for c in 0..channels {
                    let centred = values[c] - mean[c];
                    let passes = !relu || centred * scale[c] + bias[c] > 0.0;
                    let slope = if passes { slopes[c] } else { 0.0 };
                    plain[c] += slope;
                    weighted[c] += slope * centred;
                }
            }
        }
        weighted
            .iter_mut()
            .zip(&self.inverse)
            .for_each(|(sum, inverse)| *sum *= inverse);
        sums
    }

    /// The input's gradient of a chunk.
    #[inline]
    fn spread(&self, values: &[f32], slopes: &[f32], carried: &[[f32; 2]], input: &mut [f32]) {
        let (mean, scale, bias) = self.numbers();
        let channels = mean.len();
        let carried = &carried[..channels];
        if self.epilogue == Epilogue::ReluMaxPool {
            let row = self.columns * channels;
            self.windows(values, |window, at| {
                let slopes = &slopes[at..at + channels];
                let first = at / (row / 2) * 2 * row + at % (row / 2) * 2;
                let (upper, lower) = input[first..].split_at_mut(row);
                let (a, b) = upper[..2 * channels].split_at_mut(channels);
                let (x, y) = lower[..2 * channels].split_at_mut(channels);
                for c in 0..channels {
                    let centred = window.map(|values| values[c] - mean[c]);
                    let parts = share(centred.map(|x| x * scale[c] + bias[c]), slopes[c]);
                    let result = [0, 1, 2, 3].map(|i| {
                        scale[c] * (parts[i] - carried[c][0] - centred[i] * carried[c][1])
                    });
                    [a[c], b[c], x[c], y[c]] = result;
                }
            });
            return;
        }
        let relu = self.epilogue == Epilogue::Relu;
        let pixels = values
            .chunks_exact(channels)
            .zip(slopes.chunks_exact(channels));
        for ((values, slopes), input) in pixels.zip(input.chunks_exact_mut(channels)) {
            for c in 0..channels {
                let centred = values[c] - mean[c];
                let passes = !relu || centred * scale[c] + bias[c] > 0.0;
                let slope = if passes { slopes[c] } else { 0.0 };
                input[c] = scale[c] * (slope - carried[c][0] - centred * carried[c][1]);
            }
        }
    }
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
#[inline]
fn share(z: [f32; 4], slope: f32) -> Slopes {
    let largest = z[0].max(z[1]).max(z[2].max(z[3]));
    let slope = if largest > 0.0 { slope } else { 0.0 };
    let first = [0, 1, 2, 3].map(|i| z[i] == largest);
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
