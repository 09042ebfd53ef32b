//! Images whose rows and columns are weighted sums of others: average pools, sizes, padding.
//!
//! All of these are separable, so that one kernel serves them: first the rows are summed, then the columns. The gradient is the
//! same with weights turned round.

use rayon::prelude::*;

use super::{AveragePool, Pad, PadMode, Resize, ResizeMode, buffers};

/// For each place after, the places before that it sums, with their weights.
#[derive(Clone, Debug, PartialEq)]
struct Taps(Vec<Vec<(usize, f32)>>);

impl Taps {
    fn turned(&self, before: usize) -> Self {
        let mut turned = vec![Vec::new(); before];
        for (after, taps) in self.0.iter().enumerate() {
            for &(at, weight) in taps {
                turned[at].push((after, weight));
            }
        }
        Self(turned)
    }
}

/// A separable weighted sum of the pixels of channels-last images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resample {
    rows: Taps,
    columns: Taps,
    /// Height, width before.
    before: [usize; 2],
    channels: usize,
    /// What pixels hold that sum nothing.
    outside: f32,
}

impl Resample {
    /// The means under the windows of `pool`, on images of C, H, W.
    pub fn pool(
        pool: &AveragePool,
        [channels, height, width]: [usize; 3],
        output: &[usize],
    ) -> Self {
        let taps = |axis: usize, length: usize| {
            let (before, after) = (pool.pads[axis], pool.pads[axis + 2]);
            let windows = 0..output.get(axis + 1).copied().unwrap_or(0);
            Taps(
                windows
                    .map(|window| {
                        let start = window * pool.strides[axis];
                        // A window that hangs over the end counts what of it lies in the padded image.
                        let end = (start + pool.kernel[axis]).min(length + before + after);
                        let inside = start.max(before)..end.min(length + before);
                        let count = if pool.count_include_pad {
                            end - start
                        } else {
                            inside.len()
                        };
                        let weight = 1.0 / count.max(1) as f32;
                        inside.map(|at| (at - before, weight)).collect()
                    })
                    .collect(),
            )
        };
        Self {
            rows: taps(0, height),
            columns: taps(1, width),
            before: [height, width],
            channels,
            outside: 0.0,
        }
    }

    /// `pad` around images of C, H, W.
    pub fn pad(pad: &Pad, [channels, height, width]: [usize; 3]) -> Self {
        let taps = |axis: usize, length: usize| {
            let (before, after) = (pad.pads[axis] as isize, pad.pads[axis + 2] as isize);
            let places = -before..length as isize + after;
            let last = length as isize - 1;
            let one = |at: isize| match pad.mode {
                PadMode::Constant(_) if at < 0 || at > last => Vec::new(),
                PadMode::Constant(_) => vec![(at as usize, 1.0)],
                PadMode::Reflect => {
                    let mirrored = if at > last { 2 * last - at } else { at.abs() };
                    vec![(mirrored as usize, 1.0)]
                }
            };
            Taps(places.map(one).collect())
        };
        Self {
            rows: taps(0, height),
            columns: taps(1, width),
            before: [height, width],
            channels,
            outside: match pad.mode {
                PadMode::Constant(value) => value,
                PadMode::Reflect => 0.0,
            },
        }
    }

    /// `resize` of images of C, H, W.
    pub fn resize(resize: &Resize, [channels, height, width]: [usize; 3]) -> Self {
        let taps = |axis: usize, length: usize| {
            let after = resize.size[axis];
            Taps(
                (0..after)
                    .map(|at| resized(resize.mode, at, length, after))
                    .collect(),
            )
        };
        Self {
            rows: taps(0, height),
            columns: taps(1, width),
            before: [height, width],
            channels,
            outside: 0.0,
        }
    }

    /// The sums of rows and of columns as matrices of places after x places before, with their sizes, and what pixels hold
    /// that sum nothing.
    #[cfg(any(test, feature = "vulkan", feature = "metal"))]
    pub fn matrices(&self) -> ([Vec<f32>; 2], [[usize; 2]; 2], f32) {
        let matrix = |taps: &Taps, before: usize| {
            let mut matrix = vec![0.0; taps.0.len() * before];
            for (row, taps) in matrix.chunks_exact_mut(before.max(1)).zip(&taps.0) {
                for &(at, weight) in taps {
                    row[at] += weight;
                }
            }
            matrix
        };
        let matrices = [
            matrix(&self.rows, self.before[0]),
            matrix(&self.columns, self.before[1]),
        ];
        let after = [self.rows.0.len(), self.columns.0.len()];
        (matrices, [self.before, after], self.outside)
    }

    /// The results for `images`.
    pub fn forward(&self, images: &[f32]) -> Vec<f32> {
        let after = [self.rows.0.len(), self.columns.0.len()];
        let width = after[1] * self.channels;
        let mut results = buffers::taken(images.len() / self.size(self.before) * self.size(after));
        let image = self.before[0] * self.before[1] * self.channels;
        let row = self.before[1] * self.channels;
        results
            .par_chunks_mut(width.max(1))
            .enumerate()
            .for_each_init(
                || vec![0.0; row],
                |sums, (place, results)| {
                    let image = &images[place / after[0] * image..][..image];
                    let taps = &self.rows.0[place % after[0]];
                    if taps.is_empty() {
                        results.fill(self.outside);
                        return;
                    }
                    let source = match taps.as_slice() {
                        [(at, weight)] if *weight == 1.0 => &image[at * row..][..row],
                        taps => {
                            sum(taps, image, sums);
                            &*sums
                        }
                    };
                    let pixels = results.chunks_exact_mut(self.channels);
                    for (pixel, taps) in pixels.zip(&self.columns.0) {
                        if taps.is_empty() {
                            pixel.fill(self.outside);
                        } else {
                            sum(taps, source, pixel);
                        }
                    }
                },
            );
        results
    }

    /// The images' gradient from the results'.
    pub fn backward(&self, slopes: &[f32]) -> Vec<f32> {
        let turned = Self {
            rows: self.rows.turned(self.before[0]),
            columns: self.columns.turned(self.before[1]),
            before: [self.rows.0.len(), self.columns.0.len()],
            channels: self.channels,
            outside: 0.0,
        };
        turned.forward(slopes)
    }

    fn size(&self, [height, width]: [usize; 2]) -> usize {
        (height * width * self.channels).max(1)
    }
}

/// Sums rows (or pixels) of `source` that are as long as `target`.
fn sum(taps: &[(usize, f32)], source: &[f32], target: &mut [f32]) {
    let length = target.len();
    target.fill(0.0);
    for &(at, weight) in taps {
        let from = &source[at * length..][..length];
        target
            .iter_mut()
            .zip(from)
            .for_each(|(t, x)| *t += weight * x);
    }
}

/// What place `at` of `after` sums of `before` places.
fn resized(mode: ResizeMode, at: usize, before: usize, after: usize) -> Vec<(usize, f32)> {
    let scale = before as f32 / after as f32;
    let centre = (at as f32 + 0.5) * scale - 0.5;
    let last = before - 1;
    match mode {
        ResizeMode::NearestFloor => vec![(((at as f32 * scale) as usize).min(last), 1.0)],
        ResizeMode::NearestExact => {
            vec![((((at as f32 + 0.5) * scale) as usize).min(last), 1.0)]
        }
        ResizeMode::Linear { align_corners } => {
            let place = match align_corners {
                true if after > 1 => at as f32 * (last as f32 / (after - 1) as f32),
                true => 0.0,
                false => centre.max(0.0),
            };
            let low = (place as usize).min(last);
            let share = place - low as f32;
            let mut taps = vec![(low, 1.0 - share)];
            if share > 0.0 && low < last {
                taps.push((low + 1, share));
            } else {
                taps[0].1 = 1.0;
            }
            taps
        }
        ResizeMode::Cubic { coefficient } => {
            let floor = centre.floor();
            let share = centre - floor;
            let weights = [1.0 + share, share, 1.0 - share, 2.0 - share];
            let mut taps: Vec<(usize, f32)> = Vec::new();
            for (tap, distance) in weights.into_iter().enumerate() {
                let place = (floor as isize + tap as isize - 1).clamp(0, last as isize) as usize;
                let weight = cubic(distance, coefficient);
                match taps.last_mut() {
                    Some((last, sum)) if *last == place => *sum += weight,
                    _ => taps.push((place, weight)),
                }
            }
            taps
        }
    }
}

/// The cubic convolution kernel.
///
/// # Source
/// Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing".
fn cubic(distance: f32, a: f32) -> f32 {
    let d = distance;
    if d <= 1.0 {
        ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    } else {
        ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
    }
}
