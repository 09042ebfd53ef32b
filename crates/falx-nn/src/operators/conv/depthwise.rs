//! Convolutions whose channels do not see each other: vectors of channels, some neighbouring pixels at once.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::geometry::{Extent, Geometry, Phase, Plan};
use super::slab::Slab;
use crate::operators::buffers;
use crate::operators::simd::{Aligned, blocks};

/// Numbers of source and result that a tile touches.
const TILE: usize = 32_768;
/// Pixels of a slab whose weights' gradients are summed at once.
const SLAB: usize = 512;
/// How many parts of the batch are summed apart, never depending on the threads.
const PARTS: usize = 8;

/// Weights by tap, then by channel.
pub fn by_tap(geometry: &Geometry, weights: &[f32]) -> Vec<f32> {
    let (taps, channels) = (geometry.taps(), geometry.input.channels);
    let mut turned = vec![0.0; weights.len()];
    for (tap, row) in turned.chunks_exact_mut(channels).enumerate() {
        for (target, kernel) in row.iter_mut().zip(weights.chunks_exact(taps)) {
            *target = kernel[tap];
        }
    }
    turned
}

/// The correlation of `images` (N, H, W, C) with `weights` by tap, all of `results`.
pub fn correlate(
    plan: &Plan,
    columns: usize,
    images: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    results: &mut [f32],
) {
    let arch = Arch::new();
    let (source, result) = (plan.source, plan.result);
    let rows = plan.positions(0, 0, result.rows);
    let touched = source.row() * plan.step[0] + result.row() * plan.spread[0];
    let tile = (TILE / touched).clamp(1, rows);
    let tiles: Vec<_> = results
        .chunks_exact_mut(result.len())
        .zip(images.chunks_exact(source.len()))
        .flat_map(|(results, image)| {
            let tiles = results.chunks_mut(tile * plan.spread[0] * result.row());
            let tiles = tiles.enumerate();
            tiles.map(move |(index, results)| (image, index * tile, results))
        })
        .collect();
    tiles.into_par_iter().for_each_init(
        || Aligned::taken(plan.padded(tile).len()),
        |padded, (image, first, results)| {
            let extent = plan.padded(plan.positions(0, 0, results.len() / result.row()));
            let padded = &mut padded.get_mut()[..extent.len()];
            plan.pad(image, first, extent, padded);
            for phase in &plan.phases {
                arch.dispatch(Tile {
                    plan,
                    phase,
                    indices: &phase.indices(columns),
                    padded,
                    extent,
                    weights,
                    bias,
                    results,
                });
            }
        },
    );
}

/// Where each tap of a phase looks in the padded source, from a position's own place.
fn offsets(plan: &Plan, phase: &Phase, extent: Extent) -> Vec<usize> {
    let [rows, columns] = &phase.taps;
    let at = |y: isize, x: isize| {
        let (y, x) = (y - plan.least[0], x - plan.least[1]);
        y as usize * extent.row() + x as usize * extent.channels
    };
    let row = |y: isize| columns.iter().map(move |x| at(y, x.place));
    rows.iter().flat_map(|y| row(y.place)).collect()
}

/// The first channels of vectors that cover all `channels`; the last one may overlap with the one before.
fn vectors(channels: usize, lanes: usize) -> impl Iterator<Item = usize> {
    let last = channels.saturating_sub(lanes);
    (0..channels)
        .step_by(lanes)
        .map(move |first| first.min(last))
}

#[inline(always)]
fn load<S: Simd>(numbers: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&numbers[at..][..S::F32_LANES]).0[0]
}

struct Tile<'a> {
    plan: &'a Plan,
    phase: &'a Phase,
    /// The kernel's taps of the phase.
    indices: &'a [usize],
    padded: &'a [f32],
    extent: Extent,
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    results: &'a mut [f32],
}

impl WithSimd for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { plan, phase, .. } = self;
        let (result, channels) = (plan.result, plan.result.channels);
        let [y0, x0] = phase.origin;
        let rows = self.results.len() / result.row();
        let offsets = offsets(plan, phase, self.extent);
        let columns = plan.positions(1, x0, result.columns);
        for y in 0..plan.positions(0, y0, rows) {
            let line = &self.padded[y * plan.step[0] * self.extent.row()..];
            let row = &mut self.results[(y0 + y * plan.spread[0]) * result.row()..][..result.row()];
            if channels < S::F32_LANES {
                for x in 0..columns {
                    let from = x * plan.step[1] * channels;
                    let to = (x0 + x * plan.spread[1]) * channels;
                    for c in 0..channels {
                        let start = self.bias.map_or(0.0, |bias| bias[c]);
                        let taps = offsets.iter().zip(self.indices);
                        row[to + c] = taps.fold(start, |sum, (offset, tap)| {
                            line[from + offset + c].mul_add(self.weights[tap * channels + c], sum)
                        });
                    }
                }
                continue;
            }
            for c in vectors(channels, S::F32_LANES) {
                let bias = match self.bias {
                    Some(bias) => load::<S>(bias, c),
                    None => simd.splat_f32s(0.0),
                };
                let mut x = 0;
                while x < columns {
                    let from = &line[x * plan.step[1] * channels + c..];
                    let step = plan.step[1] * channels;
                    let to = (x0 + x * plan.spread[1]) * channels + c;
                    macro_rules! pixels {
                        ($count:literal) => {{
                            let mut sums = [bias; $count];
                            for (&offset, &tap) in offsets.iter().zip(self.indices) {
                                let weight = load::<S>(self.weights, tap * channels + c);
                                let from = &from[offset..];
                                for (pixel, sum) in sums.iter_mut().enumerate() {
                                    let x = load::<S>(from, pixel * step);
                                    *sum = simd.mul_add_f32s(x, weight, *sum);
                                }
                            }
                            for (pixel, sum) in sums.iter().enumerate() {
                                let to = to + pixel * plan.spread[1] * channels;
                                let (target, _) =
                                    S::as_mut_simd_f32s(&mut row[to..][..S::F32_LANES]);
                                target[0] = *sum;
                            }
                            x += $count;
                        }};
                    }
                    match columns - x {
                        8.. => pixels!(8),
                        4.. => pixels!(4),
                        2.. => pixels!(2),
                        _ => pixels!(1),
                    }
                }
            }
        }
    }
}

/// The weights' gradient from `images` and the results' `slopes` (both N, H, W, C), in the weights' own order.
pub fn weight_gradient(geometry: &Geometry, images: &[f32], slopes: &[f32]) -> Vec<f32> {
    let arch = Arch::new();
    let plan = Plan::forward(geometry);
    let Some(phase) = plan.phases.first() else {
        return Vec::new();
    };
    let (taps, channels) = (geometry.taps(), geometry.input.channels);
    let lanes = blocks().lanes;
    // The vectors that overlap have sums of their own.
    let width = channels.next_multiple_of(lanes);
    let slabs = Slab::all(geometry, images.len() / geometry.input.len(), SLAB);
    let parts: Vec<Vec<f32>> = slabs
        .par_chunks(slabs.len().div_ceil(PARTS).max(1))
        .map(|slabs| {
            let mut sums = vec![0.0; taps * width];
            let mut padded = Vec::new();
            for slab in slabs {
                let extent = plan.padded(slab.rows);
                if padded.len() != extent.len() {
                    buffers::give(std::mem::replace(&mut padded, buffers::taken(extent.len())));
                }
                for image in slab.image..slab.image + slab.images {
                    let image_in = &images[image * plan.source.len()..][..plan.source.len()];
                    plan.pad(image_in, slab.row, extent, &mut padded);
                    let first = image * plan.result.len() + slab.row * plan.result.row();
                    arch.dispatch(Rows {
                        plan: &plan,
                        padded: &padded,
                        extent,
                        offsets: &offsets(&plan, phase, extent),
                        slopes: &slopes[first..][..slab.rows * plan.result.row()],
                        sums: &mut sums,
                        width,
                    });
                }
            }
            buffers::give(padded);
            sums
        })
        .collect();
    let mut gradient = vec![0.0; taps * channels];
    for (c, kernel) in gradient.chunks_exact_mut(taps).enumerate() {
        let vector = c / lanes * lanes;
        let first = vector.min(channels.saturating_sub(lanes));
        let at = vector + c - first;
        for (tap, target) in kernel.iter_mut().enumerate() {
            *target = parts.iter().map(|sums| sums[tap * width + at]).sum();
        }
    }
    gradient
}

/// Some rows of one image.
struct Rows<'a> {
    plan: &'a Plan,
    padded: &'a [f32],
    extent: Extent,
    offsets: &'a [usize],
    slopes: &'a [f32],
    /// By tap, then by vector of channels, each with `width` numbers in all.
    sums: &'a mut [f32],
    width: usize,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.extent.channels;
        let step = self.plan.step[1] * channels;
        let row = self.plan.result.row();
        let line = self.plan.step[0] * self.extent.row();
        let taps = self
            .offsets
            .iter()
            .zip(self.sums.chunks_exact_mut(self.width));
        if channels < S::F32_LANES {
            for (offset, sums) in taps {
                for (y, slopes) in self.slopes.chunks_exact(row).enumerate() {
                    for (x, slopes) in slopes.chunks_exact(channels).enumerate() {
                        let numbers = &self.padded[y * line + x * step + offset..];
                        for ((sum, slope), x) in sums.iter_mut().zip(slopes).zip(numbers) {
                            *sum = x.mul_add(*slope, *sum);
                        }
                    }
                }
            }
            return;
        }
        for (vector, c) in vectors(channels, S::F32_LANES).enumerate() {
            let mut first = 0;
            while first < self.offsets.len() {
                macro_rules! taps {
                    ($count:literal) => {{
                        if let Some(offsets) = self.offsets[first..].first_chunk::<$count>() {
                            let mut sums = [simd.splat_f32s(0.0); $count];
                            for (y, slopes) in self.slopes.chunks_exact(row).enumerate() {
                                let numbers = &self.padded[y * line + c..];
                                for (x, slopes) in slopes.chunks_exact(channels).enumerate() {
                                    let slope = load::<S>(slopes, c);
                                    let numbers = &numbers[x * step..];
                                    for (sum, &offset) in sums.iter_mut().zip(offsets) {
                                        let x = load::<S>(numbers, offset);
                                        *sum = simd.mul_add_f32s(x, slope, *sum);
                                    }
                                }
                            }
                            for (tap, sum) in sums.iter().enumerate() {
                                let at = (first + tap) * self.width + vector * S::F32_LANES;
                                let (target, _) =
                                    S::as_mut_simd_f32s(&mut self.sums[at..][..S::F32_LANES]);
                                target[0] = simd.add_f32s(target[0], *sum);
                            }
                        }
                        first += $count;
                    }};
                }
                match self.offsets.len() - first {
                    9.. => taps!(9),
                    8 => taps!(8),
                    4.. => taps!(4),
                    _ => taps!(1),
                }
            }
        }
    }
}
