//! The largest value under a sliding window.

use pulp::Arch;
use rayon::prelude::*;

use super::Rules;
use super::buffers;
use super::window::Window;
use crate::onnx::Attribute;

/// ONNX `MaxPool`; the first of equal values takes the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub strides: [usize; 2],
    /// Top, left, bottom, right.
    pub pads: [usize; 4],
    /// Whether a last window may hang over the end.
    pub ceil_mode: bool,
}

impl MaxPool {
    /// Windows of 2 x 2 side by side.
    pub const fn halving() -> Self {
        Self {
            kernel: [2, 2],
            strides: [2, 2],
            pads: [0; 4],
            ceil_mode: false,
        }
    }

    /// One window over the whole of a square image.
    pub const fn whole(side: usize) -> Self {
        Self {
            kernel: [side, side],
            strides: [1, 1],
            pads: [0; 4],
            ceil_mode: false,
        }
    }

    fn window(&self) -> Window {
        Window {
            kernel: self.kernel,
            strides: self.strides,
            pads: self.pads,
            dilations: [1, 1],
            ceil_mode: self.ceil_mode,
        }
    }
}

impl Rules for MaxPool {
    fn name(&self) -> &'static str {
        "MaxPool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        self.window().pooled(inputs)
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::ints("kernel_shape", &self.kernel),
            Attribute::ints("strides", &self.strides),
            Attribute::ints("pads", &self.pads),
            Attribute::int("ceil_mode", self.ceil_mode.into()),
        ]
    }
}

/// A maximum on channels-last buffers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolKernel {
    pool: MaxPool,
    /// C, H, W before and after.
    input: [usize; 3],
    output: [usize; 3],
}

impl PoolKernel {
    pub fn new(pool: &MaxPool, input: [usize; 3], output: [usize; 3]) -> Self {
        let pool = *pool;
        Self {
            pool,
            input,
            output,
        }
    }

    /// The results for `images`.
    pub fn forward(&self, images: &[f32]) -> Vec<f32> {
        let (arch, [channels, ..]) = (Arch::new(), self.output);
        let size: usize = self.output.iter().product();
        let mut results =
            buffers::lasting(images.len() / self.input.iter().product::<usize>() * size);
        let images = images.par_chunks(self.input.iter().product());
        results
            .par_chunks_mut(size)
            .zip(images)
            .for_each(|(results, image)| {
                arch.dispatch(|| {
                    for (place, results) in results.chunks_exact_mut(channels).enumerate() {
                        results.fill(f32::NEG_INFINITY);
                        self.taps(place, |pixel| {
                            for (result, x) in results
                                .iter_mut()
                                .zip(&image[pixel * channels..][..channels])
                            {
                                *result = if x > result { *x } else { *result };
                            }
                        });
                    }
                });
            });
        results
    }

    /// Whether a byte numbers the places of a window.
    pub fn is_small(&self) -> bool {
        self.pool.kernel[0] * self.pool.kernel[1] <= 256
    }

    /// The results for `images`, and the place in its window where each was found.
    pub fn forward_with_taps(&self, images: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let (arch, [channels, ..]) = (Arch::new(), self.output);
        let (size, row): (usize, usize) = (self.input.iter().product(), self.output[2] * channels);
        let rows = self.output[1];
        let mut results = buffers::lasting(images.len() / size * rows * row);
        let mut taps = vec![0_u8; results.len()];
        let lines = results.par_chunks_mut(row).zip(taps.par_chunks_mut(row));
        lines.enumerate().for_each(|(line, (results, taps))| {
            let (image, y) = (line / rows, line % rows);
            let image = &images[image * size..][..size];
            arch.dispatch(|| {
                let pixels = results
                    .chunks_exact_mut(channels)
                    .zip(taps.chunks_exact_mut(channels));
                for (x, (results, taps)) in pixels.enumerate() {
                    results.fill(f32::NEG_INFINITY);
                    self.numbered_taps(y * self.output[2] + x, |tap, pixel| {
                        let image = &image[pixel * channels..][..channels];
                        for ((x, result), from) in image.iter().zip(&mut *results).zip(&mut *taps) {
                            let larger = x > result;
                            *result = if larger { *x } else { *result };
                            *from = if larger { tap as u8 } else { *from };
                        }
                    });
                }
            });
        });
        (results, taps)
    }

    /// The images' gradient from the results' slopes and the places where they were found.
    pub fn backward_to(&self, taps: &[u8], slopes: &[f32]) -> Vec<f32> {
        let (arch, [channels, ..]) = (Arch::new(), self.output);
        let size: usize = self.input.iter().product();
        let results: usize = self.output.iter().product();
        let mut gradient = buffers::taken(slopes.len() / results * size);
        let parts = gradient
            .par_chunks_mut(size)
            .zip(taps.par_chunks(results))
            .zip(slopes.par_chunks(results));
        parts.for_each(|((gradient, taps), slopes)| {
            gradient.fill(0.0);
            arch.dispatch(|| {
                let places = taps
                    .chunks_exact(channels)
                    .zip(slopes.chunks_exact(channels));
                for (place, (taps, slopes)) in places.enumerate() {
                    self.numbered_taps(place, |tap, pixel| {
                        let gradient = &mut gradient[pixel * channels..][..channels];
                        for ((gradient, slope), from) in gradient.iter_mut().zip(slopes).zip(taps) {
                            *gradient += if *from == tap as u8 { *slope } else { 0.0 };
                        }
                    });
                }
            });
        });
        gradient
    }

    /// The images' gradient from the results' slopes.
    pub fn backward(&self, images: &[f32], slopes: &[f32]) -> Vec<f32> {
        let (arch, [channels, ..]) = (Arch::new(), self.output);
        let size: usize = self.input.iter().product();
        let mut gradient = buffers::zeros(images.len());
        let slopes = slopes.par_chunks(self.output.iter().product());
        let parts = gradient
            .par_chunks_mut(size)
            .zip(images.par_chunks(size))
            .zip(slopes);
        parts.for_each(|((gradient, image), slopes)| {
            arch.dispatch(|| {
                let (mut largest, mut from) = (vec![0.0; channels], vec![0; channels]);
                for (place, slopes) in slopes.chunks_exact(channels).enumerate() {
                    largest.fill(f32::NEG_INFINITY);
                    self.taps(place, |pixel| {
                        let image = &image[pixel * channels..][..channels];
                        for ((x, largest), from) in image.iter().zip(&mut largest).zip(&mut from) {
                            if x > largest {
                                (*largest, *from) = (*x, pixel);
                            }
                        }
                    });
                    for (channel, (slope, from)) in slopes.iter().zip(&from).enumerate() {
                        gradient[from * channels + channel] += slope;
                    }
                }
            });
        });
        gradient
    }

    /// Calls `visit` with each pixel of the image under the window at `place`, row by row.
    #[inline]
    fn taps(&self, place: usize, mut visit: impl FnMut(usize)) {
        self.numbered_taps(place, |_, pixel| visit(pixel));
    }

    /// Calls `visit` with the number in the window, from 0 on, and the pixel of each that is in the image, row by row.
    #[inline]
    fn numbered_taps(&self, place: usize, mut visit: impl FnMut(usize, usize)) {
        let (
            [_, height, width],
            MaxPool {
                kernel,
                strides,
                pads,
                ..
            },
        ) = (self.input, self.pool);
        let (row, column) = (place / self.output[2], place % self.output[2]);
        let span = |start: usize, pad: usize, kernel: usize, size: usize| {
            start.saturating_sub(pad)..(start + kernel).saturating_sub(pad).min(size)
        };
        let mut tap = 0;
        for y in span(row * strides[0], pads[0], kernel[0], height) {
            for x in span(column * strides[1], pads[1], kernel[1], width) {
                visit(tap, y * width + x);
                tap += 1;
            }
        }
    }
}
