//! The gradient of a convolution's weights: blocks of weights x output channels held in registers.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::geometry::{Extent, Geometry};
use crate::operators::simd::{Aligned, VECTORS, blocks, rows};

/// How many parts of the batch are summed apart: enough for the threads of one machine, never depending on them.
const PARTS: usize = 8;

/// The weights' gradient from `images` and the output's `slopes` (both N, H, W, C), in the weights' own order.
pub fn weight_gradient(geometry: &Geometry, images: &[f32], slopes: &[f32]) -> Vec<f32> {
    let arch = Arch::new();
    let (input, output) = (geometry.input, geometry.output);
    let [inputs, outputs] = geometry.group();
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let padded_outputs = outputs.next_multiple_of(blocks().lanes * VECTORS);
    let batch = images.len() / input.len();
    let share = batch.div_ceil(PARTS).max(1);
    // A tile's slopes stay in the second-level cache.
    let tile = (65_536 / output.row()).clamp(1, output.rows);
    let sums: Vec<Vec<f32>> = images
        .par_chunks(share * input.len())
        .zip(slopes.par_chunks(share * output.len()))
        .map(|(images, slopes)| {
            let mut sums = vec![0.0; geometry.groups * taps * inputs * padded_outputs];
            let mut padded = Aligned::zeros(geometry.padded(tile).len());
            for (image, slopes) in images
                .chunks_exact(input.len())
                .zip(slopes.chunks_exact(output.len()))
            {
                for (index, slopes) in slopes.chunks(tile * output.row()).enumerate() {
                    let extent = geometry.padded(slopes.len() / output.row());
                    let padded = &mut padded.get_mut()[..extent.len()];
                    geometry.pad(image, index * tile, extent, padded);
                    let (starts, length) = geometry.runs(extent);
                    arch.dispatch(Tile {
                        geometry,
                        padded,
                        extent,
                        starts: &starts,
                        length,
                        slopes,
                        sums: &mut sums,
                        width: padded_outputs,
                    });
                }
            }
            sums
        })
        .collect();
    let mut gradient = vec![0.0; geometry.groups * outputs * inputs * taps];
    gradient
        .par_chunks_mut(inputs * taps)
        .enumerate()
        .for_each(|(place, target)| {
            let (group, output) = (place / outputs, place % outputs);
            for (k, target) in target.iter_mut().enumerate() {
                let (input, tap) = (k / taps, k % taps);
                let at = ((group * taps + tap) * inputs + input) * padded_outputs + output;
                *target = sums.iter().map(|sums| sums[at]).sum();
            }
        });
    gradient
}

struct Tile<'a> {
    geometry: &'a Geometry,
    padded: &'a [f32],
    extent: Extent,
    starts: &'a [usize],
    length: usize,
    slopes: &'a [f32],
    /// Group, tap, input channel, output channel.
    sums: &'a mut [f32],
    width: usize,
}

impl WithSimd for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [inputs, outputs] = self.geometry.group();
        let size = self.starts.len() * self.length * self.width;
        let lanes = S::F32_LANES * VECTORS;
        for (group, sums) in self.sums.chunks_exact_mut(size).enumerate() {
            for (start, sums) in self
                .starts
                .iter()
                .zip(sums.chunks_exact_mut(self.length * self.width))
            {
                for (index, sums) in sums.chunks_mut(rows::<S>() * self.width).enumerate() {
                    let count = sums.len() / self.width;
                    for first in (0..outputs).step_by(lanes) {
                        let block = Block {
                            input: &self.padded[group * inputs + start + index * rows::<S>()..],
                            slopes: &self.slopes[group * outputs + first..],
                            width: lanes.min(outputs - first),
                        };
                        let target = &mut sums[first..];
                        macro_rules! rows {
                            ($($rows:literal)*) => {
                                match count {
                                    $($rows => self::add::<S, $rows>(
                                        &block.sums(simd, self.geometry, self.extent), simd, target, self.width,
                                    ),)*
                                    _ => {}
                                }
                            };
                        }
                        rows!(1 2 3 4 5 6 7 8 9 10 11 12);
                    }
                }
            }
        }
    }
}

/// Some neighbouring numbers of the padded image under one tap, and some output channels.
struct Block<'a> {
    input: &'a [f32],
    slopes: &'a [f32],
    width: usize,
}

impl Block<'_> {
    #[inline(always)]
    fn sums<S: Simd, const ROWS: usize>(
        &self,
        simd: S,
        geometry: &Geometry,
        extent: Extent,
    ) -> [[S::f32s; VECTORS]; ROWS] {
        let output = geometry.output;
        let step = geometry.strides[1] * extent.channels;
        let full = self.width == VECTORS * S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        for (y, slopes) in self.slopes.chunks(output.row()).enumerate() {
            let input = &self.input[y * geometry.strides[0] * extent.row()..];
            for (x, slopes) in slopes
                .chunks(output.channels)
                .take(output.columns)
                .enumerate()
            {
                let Some(input) = input[x * step..].first_chunk::<ROWS>() else {
                    continue;
                };
                let slopes: [S::f32s; VECTORS] = if full {
                    let (vectors, _) = S::as_simd_f32s(slopes);
                    match vectors.first_chunk() {
                        Some(vectors) => *vectors,
                        None => continue,
                    }
                } else {
                    let (first, second) =
                        slopes[..self.width].split_at(self.width.min(S::F32_LANES));
                    [
                        simd.partial_load_f32s(first),
                        simd.partial_load_f32s(second),
                    ]
                };
                for (sums, &x) in sums.iter_mut().zip(input) {
                    let x = simd.splat_f32s(x);
                    for (sum, slope) in sums.iter_mut().zip(slopes) {
                        *sum = simd.mul_add_f32s(x, slope, *sum);
                    }
                }
            }
        }
        sums
    }
}

#[inline(always)]
fn add<S: Simd, const ROWS: usize>(
    sums: &[[S::f32s; VECTORS]; ROWS],
    simd: S,
    target: &mut [f32],
    stride: usize,
) {
    for (row, sums) in sums.iter().enumerate() {
        let (target, _) =
            S::as_mut_simd_f32s(&mut target[row * stride..][..VECTORS * S::F32_LANES]);
        for (target, &sum) in target.iter_mut().zip(sums) {
            *target = simd.add_f32s(*target, sum);
        }
    }
}
