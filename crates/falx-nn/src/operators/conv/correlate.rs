//! The kernel of forward and input gradient: blocks of pixels x channels held in registers.
//!
//! Each result is one sum in one fixed order whatever the processor's vectors or the number of threads.

use std::array::from_fn;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::geometry::{Extent, Plan};
use super::packed::{Block, Packed};
use crate::operators::simd::{Aligned, VECTORS, rows};

/// Numbers of source and result that a tile touches, so that they stay in the second-level cache.
const TILE: usize = 32_768;
/// Pixels of a tile at least: each block of weights is read once for all of them.
const PIXELS: usize = 64;

/// What is done to results while they are still in registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finish<'a> {
    /// Is added to the results: as many numbers in the same order.
    pub add: Option<&'a [f32]>,
    /// Whether what is negative then becomes 0.
    pub relu: bool,
}

/// The correlation of `images` (N, H, W, C) with the packed weights of each phase, all of `results`.
pub fn correlate(
    plan: &Plan,
    images: &[f32],
    packed: &[Packed],
    finish: Finish<'_>,
    results: &mut [f32],
) {
    let arch = Arch::new();
    let (source, result) = (plan.source, plan.result);
    let rows = plan.positions(0, 0, result.rows);
    let touched = source.row() * plan.step[0] + result.row() * plan.spread[0];
    let least = PIXELS.div_ceil(plan.positions(1, 0, result.columns));
    // Few images are divided so that no thread is without a tile: no sum depends on where tiles begin.
    let share = (rows * (images.len() / source.len())).div_ceil(rayon::current_num_threads());
    let tile = (TILE / touched).max(least).min(share).clamp(1, rows);
    let tiles: Vec<_> = results
        .chunks_exact_mut(result.len())
        .zip(images.chunks_exact(source.len()))
        .enumerate()
        .flat_map(|(place, (results, image))| {
            let length = tile * plan.spread[0] * result.row();
            let tiles = results.chunks_mut(length).enumerate();
            tiles.map(move |(index, results)| {
                let add = finish.add.and_then(|add| {
                    add.get(place * result.len() + index * length..)?
                        .get(..results.len())
                });
                (image, index * tile, results, Finish { add, ..finish })
            })
        })
        .collect();
    tiles.into_par_iter().for_each_init(
        || Aligned::taken(plan.padded(tile).len()),
        |padded, (image, first, results, finish)| {
            let rows = plan.positions(0, 0, results.len() / result.row());
            let extent = plan.padded(rows);
            let padded = plan.unpadded(image, first, extent).unwrap_or_else(|| {
                let padded = &mut padded.get_mut()[..extent.len()];
                plan.pad(image, first, extent, padded);
                padded
            });
            arch.dispatch(Tile {
                plan,
                packed,
                padded,
                extent,
                results,
                finish,
            });
        },
    );
}

struct Tile<'a> {
    plan: &'a Plan,
    packed: &'a [Packed],
    padded: &'a [f32],
    extent: Extent,
    results: &'a mut [f32],
    finish: Finish<'a>,
}

impl WithSimd for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { plan, results, .. } = self;
        let inputs = plan.group()[0];
        let result = plan.result;
        let rows = results.len() / result.row();
        for (phase, packed) in plan.phases.iter().zip(self.packed) {
            let [y0, x0] = phase.origin;
            // Where each position looks, and where its result goes.
            let mut positions = Vec::new();
            for y in 0..plan.positions(0, y0, rows) {
                for x in 0..plan.positions(1, x0, result.columns) {
                    let from = y * plan.step[0] * self.extent.row()
                        + x * plan.step[1] * self.extent.channels;
                    let row = y0 + y * plan.spread[0];
                    let to = row * result.row() + (x0 + x * plan.spread[1]) * result.channels;
                    positions.push((from, to));
                }
            }
            if packed.is_empty() {
                for &(_, to) in &positions {
                    results[to..to + result.channels].fill(0.0);
                }
                continue;
            }
            let (starts, length) = plan.runs(phase, self.extent);
            for block in packed.blocks() {
                let window = Window {
                    input: &self.padded[block.group * inputs..],
                    starts: &starts,
                    length,
                };
                window.block(simd, &block, &positions, results, self.finish);
            }
        }
    }
}

/// `total` in the fewest parts of at most `most`, as equal as can be.
fn shares(total: usize, most: usize) -> impl Iterator<Item = usize> {
    let parts = total.div_ceil(most);
    (0..parts).map(move |part| total / parts + usize::from(part < total % parts))
}

/// What a group's positions see of the padded image.
pub(super) struct Window<'a> {
    pub input: &'a [f32],
    /// Where runs of numbers begin, from each position.
    pub starts: &'a [usize],
    /// Numbers of a run.
    pub length: usize,
}

impl Window<'_> {
    /// The results of one block of channels at all positions.
    #[inline(always)]
    pub fn block<S: Simd>(
        &self,
        simd: S,
        block: &Block<'_>,
        positions: &[(usize, usize)],
        results: &mut [f32],
        finish: Finish<'_>,
    ) {
        if block.bias.len() == VECTORS * S::F32_LANES {
            self.all::<S, VECTORS>(simd, block, positions, results, finish);
        } else {
            self.all::<S, 1>(simd, block, positions, results, finish);
        }
    }

    #[inline(always)]
    fn all<S: Simd, const V: usize>(
        &self,
        simd: S,
        block: &Block<'_>,
        positions: &[(usize, usize)],
        results: &mut [f32],
        finish: Finish<'_>,
    ) {
        let (weights, _) = S::as_simd_f32s(block.weights);
        let (weights, _) = weights.as_chunks::<V>();
        let (bias, _) = S::as_simd_f32s(block.bias);
        let Some(bias) = bias.first_chunk::<V>() else {
            return;
        };
        let mut rest = positions;
        for count in shares(positions.len(), rows::<S>()) {
            let (these, others) = rest.split_at(count);
            rest = others;
            macro_rules! rows {
                ($($rows:literal)*) => {
                    match count {
                        $($rows => {
                            if let Some(these) = these.first_chunk::<$rows>() {
                                let mut sums = self.sums::<S, $rows, V>(simd, these, weights, *bias);
                                finish.apply(simd, &mut sums, these, block);
                                store(simd, &sums, these, results, block);
                            }
                        })*
                        _ => {}
                    }
                };
            }
            rows!(1 2 3 4 5 6 7 8 9 10 11 12);
        }
    }

    #[inline(always)]
    fn sums<S: Simd, const ROWS: usize, const V: usize>(
        &self,
        simd: S,
        positions: &[(usize, usize); ROWS],
        weights: &[[S::f32s; V]],
        bias: [S::f32s; V],
    ) -> [[S::f32s; V]; ROWS] {
        let mut sums = [bias; ROWS];
        for (start, weights) in self.starts.iter().zip(weights.chunks_exact(self.length)) {
            let views: [&[f32]; ROWS] =
                from_fn(|row| &self.input[positions[row].0 + start..][..weights.len()]);
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

impl Finish<'_> {
    #[inline(always)]
    fn apply<S: Simd, const ROWS: usize, const V: usize>(
        self,
        simd: S,
        sums: &mut [[S::f32s; V]; ROWS],
        positions: &[(usize, usize); ROWS],
        block: &Block<'_>,
    ) {
        if let Some(add) = self.add {
            for (&(_, to), sums) in positions.iter().zip(&mut *sums) {
                let add = &add[to + block.first..][..block.width];
                for (sum, add) in sums.iter_mut().zip(add.chunks(S::F32_LANES)) {
                    *sum = simd.add_f32s(*sum, simd.partial_load_f32s(add));
                }
            }
        }
        if self.relu {
            for sum in sums.as_flattened_mut() {
                *sum = rectified(simd, *sum);
            }
        }
    }
}

/// What is negative as 0; a value that is not a number stays one.
#[inline(always)]
pub(super) fn rectified<S: Simd>(simd: S, sum: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum)
}

#[inline(always)]
fn store<S: Simd, const ROWS: usize, const V: usize>(
    simd: S,
    sums: &[[S::f32s; V]; ROWS],
    positions: &[(usize, usize); ROWS],
    results: &mut [f32],
    block: &Block<'_>,
) {
    for (&(_, to), sums) in positions.iter().zip(sums) {
        let target = &mut results[to + block.first..][..block.width];
        if let (Some(target), []) = {
            let (vectors, rest) = S::as_mut_simd_f32s(target);
            (vectors.first_chunk_mut::<V>(), rest)
        } {
            *target = *sums;
            continue;
        }
        for (target, &sum) in target.chunks_mut(S::F32_LANES).zip(sums) {
            simd.partial_store_f32s(target, sum);
        }
    }
}
