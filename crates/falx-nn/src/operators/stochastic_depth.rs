//! Whole images that skip a block in training.

use falx_core::random;
use rand::Rng;

use super::{Rules, only};

/// In training all features of an image are 0 with probability `ratio` and grow by `1 / (1 - ratio)` otherwise.
///
/// ONNX has no such operator; like `Dropout` it is left out of files.
///
/// # Source
/// Huang et al. 2016, "Deep Networks with Stochastic Depth", as torchvision's `StochasticDepth` in mode `row`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticDepth {
    /// The share of images, from 0 to below 1.
    pub ratio: f32,
}

impl Rules for StochasticDepth {
    fn name(&self) -> &'static str {
        "StochasticDepth"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        if (0.0..1.0).contains(&self.ratio) {
            only(inputs).map(<[usize]>::to_vec)
        } else {
            Err("the ratio must be at least 0 and below 1")
        }
    }
}

impl StochasticDepth {
    /// The factors of `count` images in step `step` of a run with `seed`, for the node at place `node`.
    pub(crate) fn mask(self, count: usize, seed: u64, step: u64, node: usize) -> Vec<f32> {
        let mut stream = random::stream(seed, "stochastic depth", &[step, node as u64]);
        // 24 bits are as fine as f32 can tell apart near 1.
        let dropped = (self.ratio * (1 << 24) as f32) as u32;
        let kept = (1.0 - self.ratio).recip();
        let mut factor = || {
            let falls = stream.next_u32() >> 8 < dropped;
            if falls { 0.0 } else { kept }
        };
        (0..count).map(|_| factor()).collect()
    }
}
