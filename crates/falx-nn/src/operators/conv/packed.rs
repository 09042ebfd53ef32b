//! Weights in the order in which the correlation reads them.

use rayon::prelude::*;

use super::geometry::{Geometry, Phase};
use crate::operators::simd::{Aligned, VECTORS, blocks};

/// One phase's weights: group, block of result channels, tap, source channel, result channel of the block.
#[derive(Debug)]
pub struct Packed {
    weights: Aligned,
    /// One number per result channel, in blocks like the weights.
    bias: Vec<f32>,
    /// Result channels of a full block, and of a group in all its blocks.
    width: usize,
    padded: usize,
    outputs: usize,
    /// Numbers per result channel.
    depth: usize,
}

/// The weights of one block.
pub struct Block<'a> {
    pub weights: &'a [f32],
    pub bias: &'a [f32],
    /// The block's first result channel of all.
    pub first: usize,
    pub group: usize,
    /// Result channels it has.
    pub width: usize,
}

impl Packed {
    /// Weights of outputs x inputs / groups x height x width, as they are or `turned` for the input's gradient.
    pub fn new(
        geometry: &Geometry,
        phase: &Phase,
        weights: &[f32],
        bias: Option<&[f32]>,
        turned: bool,
    ) -> Self {
        let [mut inputs, mut outputs] = geometry.group();
        let taps = phase.indices(geometry.kernel[1]);
        let all = geometry.taps();
        if turned {
            (inputs, outputs) = (outputs, inputs);
        }
        let lanes = blocks().lanes;
        let (width, depth) = (lanes * VECTORS, taps.len() * inputs);
        // The last block is half as wide where that is enough.
        let padded = outputs.next_multiple_of(lanes);
        let mut packed = Aligned::taken(geometry.groups * padded * depth);
        let fill = |group: usize, first: usize, block: &mut [f32]| {
            let lanes = block.len() / depth.max(1);
            let count = lanes.min(outputs - first);
            if count < lanes {
                block.fill(0.0);
            }
            // Some inputs at a time, so that what is read and what is written stay in the first-level cache.
            for from in (0..inputs).step_by(STRIP) {
                let strip = from..inputs.min(from + STRIP);
                for output in 0..count {
                    for input in strip.clone() {
                        let (row, column) = if turned {
                            (group * inputs + input, first + output)
                        } else {
                            (group * outputs + first + output, input)
                        };
                        let width = if turned { outputs } else { inputs };
                        let kernel = &weights[(row * width + column) * all..][..all];
                        for (place, &tap) in taps.iter().enumerate() {
                            block[(place * inputs + input) * lanes + output] = kernel[tap];
                        }
                    }
                }
            }
        };
        if depth > 0 {
            packed
                .get_mut()
                .par_chunks_mut(padded * depth)
                .enumerate()
                .for_each(|(group, blocks)| {
                    blocks
                        .par_chunks_mut(width * depth)
                        .enumerate()
                        .for_each(|(index, block)| fill(group, index * width, block));
                });
        }
        let mut biases = vec![0.0; geometry.groups * padded];
        if let Some(bias) = bias {
            for (target, bias) in biases
                .chunks_exact_mut(padded)
                .zip(bias.chunks_exact(outputs))
            {
                target[..outputs].copy_from_slice(bias);
            }
        }
        Self {
            weights: packed,
            bias: biases,
            width,
            padded,
            outputs,
            depth,
        }
    }

    /// Whether the phase has no taps, so that its results are zeros.
    pub fn is_empty(&self) -> bool {
        self.depth == 0
    }

    /// All blocks, group by group.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let groups = self.weights.get().chunks_exact(self.padded * self.depth);
        let groups = groups.zip(self.bias.chunks_exact(self.padded));
        groups
            .enumerate()
            .flat_map(move |(group, (weights, bias))| {
                let blocks = weights.chunks(self.width * self.depth);
                let blocks = blocks.zip(bias.chunks(self.width)).enumerate();
                blocks.map(move |(index, (weights, bias))| Block {
                    weights,
                    bias,
                    first: group * self.outputs + index * self.width,
                    group,
                    width: bias.len().min(self.outputs - index * self.width),
                })
            })
    }
}

/// Inputs whose weights are moved together.
const STRIP: usize = 16;
