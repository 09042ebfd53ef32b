//! The gradient of a convolution's weights: blocks of weights x output channels held in registers.
//!
//! A slab of some hundred pixels is packed so that everything a block reads lies side by side: the images in panels of
//! a few channels, the slopes in panels of a block's output channels.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::geometry::{Extent, Geometry, Plan};
use super::slab::{Panels, Slab};
use crate::operators::buffers;
use crate::operators::simd::{Aligned, VECTORS, blocks, rows};

/// Pixels of a slab: its slopes stay in the second-level cache, a panel of its images in the first.
const SLAB: usize = 512;
/// Up to so many weights, parts of the batch are summed apart: else there is too little to do at once.
const FEW: usize = 1 << 17;
/// How many parts: enough for the threads of one machine, never depending on them.
const PARTS: usize = 8;

/// The weights' gradient from `images` and the output's `slopes` (both N, H, W, C), in the weights' own order.
pub fn weight_gradient(geometry: &Geometry, images: &[f32], slopes: &[f32]) -> Vec<f32> {
    let plan = Plan::forward(geometry);
    let [inputs, outputs] = geometry.group();
    let count = geometry.groups * geometry.taps() * inputs * outputs;
    let slabs = Slab::all(geometry, images.len() / geometry.input.len(), SLAB);
    let parts = if count < FEW { PARTS } else { 1 };
    let layout = Layout::new(&plan);
    // Alone, a part is divided among the threads; together, each keeps one busy.
    let least = if parts > 1 { usize::MAX } else { 1 };
    let sums: Vec<Aligned> = slabs
        .par_chunks(slabs.len().div_ceil(parts).max(1))
        .map(|slabs| {
            let mut sums = Aligned::taken(layout.len());
            sums.get_mut().fill(0.0);
            for slab in slabs {
                layout.add(&plan, *slab, [images, slopes], least, sums.get_mut());
            }
            sums
        })
        .collect();
    layout.collect(geometry, &sums)
}

/// How the sums lie: group, block of output channels, panel of the images, tap, number of the panel, output channel.
struct Layout {
    panels: Panels,
    groups: usize,
    outputs: usize,
    /// Output channels of a block.
    width: usize,
    /// Output channels of a group with those that fill its last block.
    padded: usize,
    /// Where the taps begin in a panel, in numbers of one pixel, depends on the slab; how many there are does not.
    taps: usize,
}

impl Layout {
    fn new(plan: &Plan) -> Self {
        let blocks = blocks();
        let outputs = plan.group()[1];
        let panels = Panels::new(plan, blocks.rows);
        let width = blocks.lanes * VECTORS;
        Self {
            taps: panels.taps(plan),
            panels,
            groups: plan.groups,
            outputs,
            width,
            padded: outputs.next_multiple_of(blocks.lanes),
        }
    }

    /// Sums of one panel with a block of `width` output channels.
    fn panel(&self, width: usize) -> usize {
        self.taps * self.panels.rows * width
    }

    fn len(&self) -> usize {
        self.groups * self.panels.count * self.panel(self.padded)
    }

    /// The blocks of output channels of a group: the first one and how many lanes.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (width, padded) = (self.width, self.padded);
        let firsts = (0..padded).step_by(width);
        firsts.map(move |first| (first, width.min(padded - first)))
    }

    /// Adds what a slab's pixels give to `sums`.
    fn add(
        &self,
        plan: &Plan,
        slab: Slab,
        [images, slopes]: [&[f32]; 2],
        least: usize,
        sums: &mut [f32],
    ) {
        let arch = Arch::new();
        let extent = plan.padded(slab.rows);
        let pixels = slab.images * slab.rows * plan.result.columns;
        let per_panel = self.panels.numbers(slab.images, extent);
        let mut packed_images = Aligned::taken(self.groups * self.panels.count * per_panel);
        let mut packed_slopes = Aligned::taken(self.groups * self.padded * pixels);
        packed_images
            .get_mut()
            .par_chunks_mut(per_panel)
            .with_min_len(least)
            .enumerate()
            .for_each(|(index, target)| {
                let (group, panel) = (index / self.panels.count, index % self.panels.count);
                self.panels.fill(plan, slab, images, (group, panel), target);
            });
        packed_slopes
            .get_mut()
            .par_chunks_mut(self.padded * pixels)
            .enumerate()
            .for_each(|(group, target)| {
                target
                    .par_chunks_mut(self.width * pixels)
                    .with_min_len(least)
                    .zip(self.blocks().collect::<Vec<_>>())
                    .for_each(|(target, (first, lanes))| {
                        let count = lanes.min(self.outputs - first);
                        let first = group * self.outputs + first;
                        slab.slopes(plan, slopes, (first, count), lanes, target);
                    });
            });
        let (images, slopes) = (packed_images.get(), packed_slopes.get());
        let starts = self.panels.starts(plan, extent);
        let group_sums = self.panels.count * self.panel(self.padded);
        let blocks: Vec<_> = sums
            .chunks_exact_mut(group_sums)
            .enumerate()
            .flat_map(|(group, sums)| {
                let sums = sums.chunks_mut(self.panels.count * self.panel(self.width));
                let blocks = sums.zip(self.blocks());
                blocks.flat_map(move |(sums, (first, lanes))| {
                    let panels = sums.chunks_exact_mut(self.panel(lanes)).enumerate();
                    panels.map(move |(panel, sums)| (group, first, lanes, panel, sums))
                })
            })
            .collect();
        blocks.into_par_iter().with_min_len(least).for_each(
            |(group, first, lanes, panel, sums)| {
                arch.dispatch(Block {
                    plan,
                    slab,
                    extent,
                    starts: &starts,
                    panels: &self.panels,
                    images: &images[(group * self.panels.count + panel) * per_panel..][..per_panel],
                    slopes: &slopes[(group * self.padded + first) * pixels..][..lanes * pixels],
                    lanes,
                    sums,
                });
            },
        );
    }

    /// The sum of all parts in the weights' order: outputs, inputs of a group, taps.
    fn collect(&self, geometry: &Geometry, parts: &[Aligned]) -> Vec<f32> {
        let [inputs, outputs] = geometry.group();
        let depth = inputs * geometry.taps();
        let mut gradient = buffers::lasting(geometry.groups * outputs * depth);
        let group_sums = self.panels.count * self.panel(self.padded);
        gradient
            .par_chunks_mut(outputs * depth)
            .enumerate()
            .for_each(|(group, gradient)| {
                gradient
                    .par_chunks_mut(self.width * depth)
                    .zip(self.blocks().collect::<Vec<_>>())
                    .for_each(|(gradient, (first, lanes))| {
                        let start = group * group_sums + self.panels.count * self.panel(1) * first;
                        for (output, gradient) in gradient.chunks_exact_mut(depth).enumerate() {
                            for (k, target) in gradient.iter_mut().enumerate() {
                                let place = self.panels.place(geometry, k);
                                let at = start + place * lanes + output;
                                *target = parts.iter().map(|sums| sums.get()[at]).sum();
                            }
                        }
                    });
            });
        gradient
    }
}

/// One panel of the images and one block of output channels.
struct Block<'a> {
    plan: &'a Plan,
    slab: Slab,
    extent: Extent,
    starts: &'a [usize],
    panels: &'a Panels,
    images: &'a [f32],
    slopes: &'a [f32],
    lanes: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        debug_assert!(self.panels.rows <= rows::<S>());
        if self.lanes == VECTORS * S::F32_LANES {
            self.all::<S, VECTORS>(simd);
        } else {
            self.all::<S, 1>(simd);
        }
    }
}

impl Block<'_> {
    #[inline(always)]
    fn all<S: Simd, const V: usize>(self, simd: S) {
        let size = self.panels.rows * self.lanes;
        let (slopes, _) = S::as_simd_f32s(self.slopes);
        let (slopes, _) = slopes.as_chunks::<V>();
        for (&start, sums) in self.starts.iter().zip(self.sums.chunks_exact_mut(size)) {
            let (sums, _) = S::as_mut_simd_f32s(sums);
            let (sums, _) = sums.as_chunks_mut::<V>();
            macro_rules! rows {
                ($($rows:literal)*) => {
                    match self.panels.rows {
                        $($rows => {
                            let these = sums_of::<S, $rows, V>(
                                simd,
                                &self.images[start..],
                                slopes,
                                self.slab,
                                Steps::new(self.plan, self.panels, self.extent),
                            );
                            for (sums, these) in sums.iter_mut().zip(these) {
                                for (sum, this) in sums.iter_mut().zip(these) {
                                    *sum = simd.add_f32s(*sum, this);
                                }
                            }
                        })*
                        _ => {}
                    }
                };
            }
            rows!(1 2 3 4 5 6 7 8 9 10 11 12);
        }
    }
}

/// From one pixel's numbers in a panel to others'.
#[derive(Clone, Copy)]
struct Steps {
    columns: usize,
    pixel: usize,
    row: usize,
    image: usize,
}

impl Steps {
    #[inline(always)]
    fn new(plan: &Plan, panels: &Panels, extent: Extent) -> Self {
        let row = extent.columns * panels.pitch;
        Self {
            columns: plan.result.columns,
            pixel: plan.step[1] * panels.pitch,
            row: plan.step[0] * row,
            image: extent.rows * row,
        }
    }
}

#[inline(always)]
fn sums_of<S: Simd, const ROWS: usize, const V: usize>(
    simd: S,
    images: &[f32],
    slopes: &[[S::f32s; V]],
    slab: Slab,
    steps: Steps,
) -> [[S::f32s; V]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
    let mut lines = slopes.chunks_exact(steps.columns);
    for image in 0..slab.images {
        for y in 0..slab.rows {
            let Some(slopes) = lines.next() else {
                return sums;
            };
            let line = &images[image * steps.image + y * steps.row..];
            let mut at = 0;
            for slopes in slopes {
                let Some(numbers) = line[at..].first_chunk::<ROWS>() else {
                    break;
                };
                at += steps.pixel;
                for (sums, &x) in sums.iter_mut().zip(numbers) {
                    let x = simd.splat_f32s(x);
                    for (sum, &slope) in sums.iter_mut().zip(slopes) {
                        *sum = simd.mul_add_f32s(x, slope, *sum);
                    }
                }
            }
        }
    }
    sums
}
