//! The kernel of forward and input gradient: blocks of pixels x channels held in registers.
//!
//! Each result is one sum in one fixed order whatever the processor's vectors or the number of threads.

use std::array::from_fn;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::geometry::{Extent, Geometry};
use crate::operators::simd::{Aligned, VECTORS, blocks, rows};

/// Weights in the order in which the kernel reads them: group, block of output channels, tap, input channel,
/// output channel of the block.
pub struct Packed {
    weights: Aligned,
    /// One number per output channel, in blocks like the weights.
    bias: Vec<f32>,
    /// Output channels of a block.
    width: usize,
    /// Blocks of a group.
    blocks: usize,
    /// Numbers per output channel.
    depth: usize,
}

impl Packed {
    /// Weights of outputs x inputs / groups x height x width, as they are or turned for the input's gradient.
    pub fn new(geometry: &Geometry, weights: &[f32], bias: Option<&[f32]>, turned: bool) -> Self {
        let [inputs, outputs] = geometry.group();
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let width = blocks().lanes * VECTORS;
        let (blocks, depth) = (outputs.div_ceil(width), taps * inputs);
        let mut packed = Aligned::zeros(geometry.groups * blocks * depth * width);
        packed
            .get_mut()
            .par_chunks_mut(depth * width)
            .enumerate()
            .for_each(|(index, block)| {
                let (group, first) = (index / blocks, index % blocks * width);
                for (k, row) in block.chunks_exact_mut(width).enumerate() {
                    let (tap, input) = (k / inputs, k % inputs);
                    for (output, target) in (first..outputs).zip(row) {
                        *target = if turned {
                            weights[((group * inputs + input) * outputs + output) * taps + taps
                                - 1
                                - tap]
                        } else {
                            weights[((group * outputs + output) * inputs + input) * taps + tap]
                        };
                    }
                }
            });
        let mut biases = vec![0.0; geometry.groups * blocks * width];
        if let Some(bias) = bias {
            for (target, bias) in biases
                .chunks_exact_mut(blocks * width)
                .zip(bias.chunks_exact(outputs))
            {
                target[..outputs].copy_from_slice(bias);
            }
        }
        Self {
            weights: packed,
            bias: biases,
            width,
            blocks,
            depth,
        }
    }
}

/// The correlation of `images` (N, H, W, C) with packed weights.
pub fn correlate(geometry: &Geometry, images: &[f32], packed: &Packed) -> Vec<f32> {
    let arch = Arch::new();
    let (input, output) = (geometry.input, geometry.output);
    let mut results = vec![0.0; images.len() / input.len() * output.len()];
    // A tile's padded rows and results stay in the second-level cache.
    let tile = (32_768 / (input.row() + output.row())).clamp(1, output.rows);
    let tiles: Vec<_> = results
        .chunks_exact_mut(output.len())
        .zip(images.chunks_exact(input.len()))
        .flat_map(|(results, image)| {
            let tiles = results.chunks_mut(tile * output.row()).enumerate();
            tiles.map(move |(index, results)| (image, index * tile, results))
        })
        .collect();
    tiles.into_par_iter().for_each_init(
        || Aligned::zeros(geometry.padded(tile).len()),
        |padded, (image, first, results)| {
            let extent = geometry.padded(results.len() / output.row());
            let padded = &mut padded.get_mut()[..extent.len()];
            geometry.pad(image, first, extent, padded);
            let (starts, length) = geometry.runs(extent);
            arch.dispatch(Tile {
                geometry,
                packed,
                padded,
                extent,
                starts: &starts,
                length,
                results,
            });
        },
    );
    results
}

struct Tile<'a> {
    geometry: &'a Geometry,
    packed: &'a Packed,
    padded: &'a [f32],
    extent: Extent,
    starts: &'a [usize],
    length: usize,
    results: &'a mut [f32],
}

impl WithSimd for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            geometry,
            packed,
            results,
            ..
        } = self;
        let [inputs, outputs] = geometry.group();
        let output = geometry.output;
        let step = geometry.strides[1] * self.extent.channels;
        for block in 0..geometry.groups * packed.blocks {
            let (group, first) = (block / packed.blocks, block % packed.blocks * packed.width);
            let size = packed.depth * packed.width;
            let (weights, _) = S::as_simd_f32s(&packed.weights.get()[block * size..][..size]);
            let (weights, _) = weights.as_chunks::<VECTORS>();
            let (bias, _) = S::as_simd_f32s(&packed.bias[block * packed.width..][..packed.width]);
            let (Some(bias), width) = (bias.first_chunk(), packed.width.min(outputs - first))
            else {
                continue;
            };
            for (y, results) in results.chunks_exact_mut(output.row()).enumerate() {
                let row = y * geometry.strides[0] * self.extent.row() + group * inputs;
                let mut x = 0;
                for count in shares(output.columns, rows::<S>()) {
                    let window = Window {
                        input: &self.padded[row + x * step..],
                        step,
                        starts: self.starts,
                        length: self.length,
                    };
                    let target = &mut results[x * output.channels + group * outputs + first..];
                    macro_rules! rows {
                        ($($rows:literal)*) => {
                            match count {
                                $($rows => {
                                    let sums = window.sums::<S, $rows>(simd, weights, *bias);
                                    store(simd, &sums, target, output.channels, width);
                                })*
                                _ => {}
                            }
                        };
                    }
                    rows!(1 2 3 4 5 6 7 8 9 10 11 12);
                    x += count;
                }
            }
        }
    }
}

/// `total` in the fewest parts of at most `most`, as equal as can be.
fn shares(total: usize, most: usize) -> impl Iterator<Item = usize> {
    let parts = total.div_ceil(most);
    (0..parts).map(move |part| total / parts + usize::from(part < total % parts))
}

/// What some neighbouring pixels of the output see of the padded image.
struct Window<'a> {
    input: &'a [f32],
    /// From one pixel's view to the next's.
    step: usize,
    starts: &'a [usize],
    length: usize,
}

impl Window<'_> {
    #[inline(always)]
    fn sums<S: Simd, const ROWS: usize>(
        &self,
        simd: S,
        weights: &[[S::f32s; VECTORS]],
        bias: [S::f32s; VECTORS],
    ) -> [[S::f32s; VECTORS]; ROWS] {
        let mut sums = [bias; ROWS];
        for (start, weights) in self.starts.iter().zip(weights.chunks_exact(self.length)) {
            let views: [&[f32]; ROWS] =
                from_fn(|row| &self.input[row * self.step + start..][..weights.len()]);
            for (k, weights) in weights.iter().enumerate() {
                for (sums, view) in sums.iter_mut().zip(views) {
                    let x = simd.splat_f32s(view[k]);
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_f32s(x, weight, *sum);
                    }
                }
            }
        }
        sums
    }
}

#[inline(always)]
fn store<S: Simd, const ROWS: usize>(
    simd: S,
    sums: &[[S::f32s; VECTORS]; ROWS],
    target: &mut [f32],
    stride: usize,
    width: usize,
) {
    for (row, sums) in sums.iter().enumerate() {
        let target = &mut target[row * stride..][..width];
        if let (Some(target), []) = {
            let (vectors, rest) = S::as_mut_simd_f32s(target);
            (vectors.first_chunk_mut::<VECTORS>(), rest)
        } {
            *target = *sums;
            continue;
        }
        for (target, &sum) in target.chunks_mut(S::F32_LANES).zip(sums) {
            simd.partial_store_f32s(target, sum);
        }
    }
}
