//! Kernels of 3 x 3 by minimal filtering, F(4 x 4, 3 x 3): a quarter of the multiplications, for inference.
//!
//! A tile of 4 x 4 results sees 6 x 6 pixels. Pixels and kernels are transformed into 36 numbers each, whose products are
//! summed over the channels: 36 small matrix products. What these give is transformed back. Rounding differs from the direct
//! sum's; the tests allow 2e-5 of the largest result. Each result is computed in one fixed order, whatever the vectors, the threads
//! and the batch.
//!
//! # Source
//! Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016.

use std::array::from_fn;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::correlate::{Finish, Window, rectified};
use super::geometry::{Extent, Geometry, Plan};
use super::packed::{Block, Packed};
use crate::operators::buffers;
use crate::operators::simd::Aligned;

/// Results of a tile along one axis, what it sees there, and the numbers that this becomes along both.
const TILE: usize = 4;
const SEEN: usize = 6;
const POINTS: usize = SEEN * SEEN;

/// Channels come in these: no vector is wider.
const LANES: usize = 16;

/// Tiles that are computed together: the weights are read once for all of them.
const TOGETHER: usize = 64;

/// Tiles of an image from which on this pays: below, more weights are read than multiplications are saved.
const LEAST: usize = 16;

/// What a kernel becomes: the numbers of F(4, 3) for the points 0, 1, -1, 2, -2 and infinity.
const KERNEL: [[f64; 3]; SEEN] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// A convolution with its transformed weights.
#[derive(Debug)]
pub struct Winograd {
    /// The weights of the 36 products, a group each.
    packed: Packed,
    bias: Vec<f32>,
    input: Extent,
    output: Extent,
    pads: [usize; 2],
}

/// Tiles that are computed together, in whole rows of tiles.
struct Job<'a> {
    /// Whole images, or the one that the rows are of.
    images: &'a [f32],
    /// The first row of tiles.
    first: usize,
    results: &'a mut [f32],
    finish: Finish<'a>,
}

/// Numbers between the transforms: point, tile, channel.
struct Scratch {
    pixels: Aligned,
    products: Aligned,
}

impl Winograd {
    /// Whether the convolution is of this kind, and large enough.
    pub fn pays(geometry: &Geometry) -> bool {
        let [inputs, outputs] = geometry.group();
        geometry.kernel == [3, 3]
            && geometry.strides == [1, 1]
            && geometry.dilations == [1, 1]
            && geometry.groups == 1
            && inputs.is_multiple_of(LANES)
            && outputs.is_multiple_of(LANES)
            && tiles(geometry.output).iter().product::<usize>() >= LEAST
    }

    /// Transforms weights of outputs x inputs x 3 x 3.
    pub fn new(geometry: &Geometry, weights: &[f32], bias: Option<&[f32]>) -> Self {
        let [inputs, outputs] = geometry.group();
        // Point, output, input.
        let mut transformed = buffers::taken(POINTS * outputs * inputs);
        let rows = transformed.par_chunks_exact_mut(SEEN * outputs * inputs);
        rows.enumerate().for_each(|(row, points)| {
            let (kernels, _) = weights.as_chunks::<9>();
            for (place, kernel) in kernels.iter().enumerate() {
                let numbers = transform_kernel(kernel, row);
                for (point, number) in points.chunks_exact_mut(kernels.len()).zip(numbers) {
                    point[place] = number;
                }
            }
        });
        // As if each point were a group of channels.
        let channels = |extent: Extent| Extent {
            channels: POINTS * extent.channels,
            ..extent
        };
        let products = Geometry {
            kernel: [1, 1],
            pads: [0, 0],
            groups: POINTS,
            input: channels(geometry.input),
            output: channels(geometry.output),
            ..*geometry
        };
        let plan = Plan::forward(&products);
        let packed = Packed::new(&products, &plan.phases[0], &transformed, None, false);
        buffers::give(transformed);
        Self {
            packed,
            bias: bias.map_or_else(|| vec![0.0; outputs], <[f32]>::to_vec),
            input: geometry.input,
            output: geometry.output,
            pads: geometry.pads,
        }
    }

    /// The results for `images` (N, H, W, C).
    pub fn correlate(&self, images: &[f32], finish: Finish<'_>) -> Vec<f32> {
        let arch = Arch::new();
        let (input, output) = (self.input, self.output);
        let count = images.len() / input.len();
        let mut results = buffers::taken(count * output.len());
        let [rows, columns] = tiles(output);
        // Few images are divided so that no thread is without a tile.
        let share = (count * rows).div_ceil(rayon::current_num_threads());
        let together = (TOGETHER / columns).min(share).max(1);
        // Whole images, or rows of tiles of one.
        let whole = together / rows;
        let (images_each, length) = if whole > 0 {
            (whole, whole * output.len())
        } else {
            (1, together * TILE * output.row())
        };
        let jobs: Vec<Job<'_>> = results
            .chunks_mut(images_each * output.len())
            .zip(images.chunks(images_each * input.len()))
            .enumerate()
            .flat_map(|(place, (results, images))| {
                let parts = results.chunks_mut(length).enumerate();
                parts.map(move |(index, results)| {
                    let from = place * images_each * output.len() + index * length;
                    let add = finish
                        .add
                        .and_then(|add| add.get(from..)?.get(..results.len()));
                    Job {
                        images,
                        first: index * together,
                        results,
                        finish: Finish { add, ..finish },
                    }
                })
            })
            .collect();
        let most = columns * whole.max(1) * if whole > 0 { rows } else { together };
        let scratch = || Scratch {
            pixels: Aligned::taken(POINTS * most * input.channels),
            products: Aligned::taken(POINTS * most * output.channels),
        };
        jobs.into_par_iter().for_each_init(scratch, |scratch, job| {
            arch.dispatch(Run {
                winograd: self,
                job,
                scratch,
            });
        });
        results
    }
}

/// Rows and columns of tiles that cover an image.
fn tiles(output: Extent) -> [usize; 2] {
    [output.rows, output.columns].map(|length| length.div_ceil(TILE))
}

/// What a kernel becomes at the six points of a row.
fn transform_kernel(kernel: &[f32; 9], row: usize) -> [f32; SEEN] {
    let [a, b, c] = KERNEL[row];
    let line: [f64; 3] = from_fn(|column| {
        let number = |row: usize| f64::from(kernel[row * 3 + column]);
        a * number(0) + b * number(1) + c * number(2)
    });
    KERNEL.map(|[a, b, c]| (a * line[0] + b * line[1] + c * line[2]) as f32)
}

struct Run<'a> {
    winograd: &'a Winograd,
    job: Job<'a>,
    scratch: &'a mut Scratch,
}

/// A tile of a job: its image's first number, and the image's row and column of its first result.
#[derive(Clone, Copy)]
struct Tile {
    image: usize,
    row: usize,
    column: usize,
    /// The job's row of its first result.
    to: usize,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            winograd,
            job,
            scratch,
        } = self;
        let (input, output) = (winograd.input, winograd.output);
        let [_, columns] = tiles(output);
        let rows = job.results.len() / output.row();
        let mut all = Vec::new();
        // Rows of results of each image of the job; one where it is of rows.
        for (image, begins) in (0..rows).step_by(output.rows).enumerate() {
            for to in (begins..rows.min(begins + output.rows)).step_by(TILE) {
                all.extend((0..columns).map(|column| Tile {
                    image: image * input.len(),
                    row: job.first * TILE + to - begins,
                    column: column * TILE,
                    to,
                }));
            }
        }
        let (inputs, outputs) = (input.channels, output.channels);
        let pixels = &mut scratch.pixels.get_mut()[..POINTS * all.len() * inputs];
        let products = &mut scratch.products.get_mut()[..POINTS * all.len() * outputs];
        winograd.transform(simd, job.images, &all, pixels);
        let positions: Vec<_> = (0..all.len())
            .map(|tile| (tile * inputs, tile * outputs))
            .collect();
        for block in winograd.packed.blocks() {
            let point = block.group;
            let window = Window {
                input: &pixels[point * all.len() * inputs..],
                starts: &[0],
                length: inputs,
            };
            let products = &mut products[point * all.len() * outputs..];
            let block = Block {
                first: block.first - point * outputs,
                ..block
            };
            window.block(simd, &block, &positions, products, Finish::default());
        }
        winograd.transform_back(simd, products, &all, job.results, job.finish);
    }
}

impl Winograd {
    /// What each tile sees, as 36 numbers a channel.
    #[inline(always)]
    fn transform<S: Simd>(&self, simd: S, images: &[f32], tiles: &[Tile], pixels: &mut [f32]) {
        let Extent {
            rows,
            columns,
            channels,
        } = self.input;
        let (zero, zeros) = (simd.splat_f32s(0.0), vec![0.0; channels]);
        let (pixels, _) = S::as_mut_simd_f32s(pixels);
        let vectors = channels / S::F32_LANES;
        let point = tiles.len() * vectors;
        for (index, tile) in tiles.iter().enumerate() {
            let image = &images[tile.image..];
            let seen: [[&[S::f32s]; SEEN]; SEEN] = from_fn(|row| {
                from_fn(|column| {
                    let y = (tile.row + row).wrapping_sub(self.pads[0]);
                    let x = (tile.column + column).wrapping_sub(self.pads[1]);
                    let inside = y < rows && x < columns;
                    let place = (y.wrapping_mul(columns).wrapping_add(x)).wrapping_mul(channels);
                    let numbers = if inside {
                        &image[place..place + channels]
                    } else {
                        &zeros
                    };
                    S::as_simd_f32s(numbers).0
                })
            });
            for vector in 0..vectors {
                let mut along_rows = [[zero; SEEN]; SEEN];
                for column in 0..SEEN {
                    let number = |row: usize| seen[row][column].get(vector).copied();
                    let line = from_fn(|row| number(row).unwrap_or(zero));
                    let line = transform_pixels(simd, line);
                    for (row, number) in line.into_iter().enumerate() {
                        along_rows[row][column] = number;
                    }
                }
                let mut to = index * vectors + vector;
                for line in along_rows {
                    for number in transform_pixels(simd, line) {
                        pixels[to] = number;
                        to += point;
                    }
                }
            }
        }
    }

    /// The results of each tile from its 36 products a channel.
    #[inline(always)]
    fn transform_back<S: Simd>(
        &self,
        simd: S,
        products: &[f32],
        tiles: &[Tile],
        results: &mut [f32],
        finish: Finish<'_>,
    ) {
        let output = self.output;
        let (products, _) = S::as_simd_f32s(products);
        let (results, _) = S::as_mut_simd_f32s(results);
        let (biases, _) = S::as_simd_f32s(&self.bias);
        let add = finish.add.map(|add| S::as_simd_f32s(add).0);
        let vectors = output.channels / S::F32_LANES;
        let point = tiles.len() * vectors;
        let zero = simd.splat_f32s(0.0);
        for (index, tile) in tiles.iter().enumerate() {
            let rows = TILE.min(output.rows - tile.row);
            let columns = TILE.min(output.columns - tile.column);
            let corner = (tile.to * output.columns + tile.column) * vectors;
            for (vector, &bias) in biases.iter().enumerate() {
                let first = index * vectors + vector;
                let mut along_rows = [[zero; SEEN]; TILE];
                for column in 0..SEEN {
                    let line = from_fn(|row| products[first + (row * SEEN + column) * point]);
                    let line = transform_products(simd, line);
                    for (row, number) in line.into_iter().enumerate() {
                        along_rows[row][column] = number;
                    }
                }
                for (row, line) in along_rows.into_iter().take(rows).enumerate() {
                    let line = transform_products(simd, line);
                    for (column, number) in line.into_iter().take(columns).enumerate() {
                        let to = corner + (row * output.columns + column) * vectors + vector;
                        let mut sum = simd.add_f32s(number, bias);
                        if let Some(add) = add {
                            sum = simd.add_f32s(sum, add[to]);
                        }
                        results[to] = if finish.relu {
                            rectified(simd, sum)
                        } else {
                            sum
                        };
                    }
                }
            }
        }
    }
}

/// Six pixels in a row at the six points.
#[inline(always)]
fn transform_pixels<S: Simd>(simd: S, d: [S::f32s; SEEN]) -> [S::f32s; SEEN] {
    let times = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
    let (even, odd) = (times(-4.0, d[2], d[4]), times(-4.0, d[1], d[3]));
    let (near, far) = (simd.sub_f32s(d[4], d[2]), simd.sub_f32s(d[3], d[1]));
    [
        times(4.0, d[0], times(-5.0, d[2], d[4])),
        simd.add_f32s(even, odd),
        simd.sub_f32s(even, odd),
        times(2.0, far, near),
        times(-2.0, far, near),
        times(4.0, d[1], times(-5.0, d[3], d[5])),
    ]
}

/// Four results in a row from their products at the six points.
#[inline(always)]
fn transform_products<S: Simd>(simd: S, m: [S::f32s; SEEN]) -> [S::f32s; TILE] {
    let times = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
    let (one, other) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
    let (two, apart) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
    [
        simd.add_f32s(simd.add_f32s(m[0], one), two),
        times(2.0, apart, other),
        times(4.0, two, one),
        simd.add_f32s(times(8.0, apart, other), m[5]),
    ]
}

#[cfg(test)]
mod tests;
