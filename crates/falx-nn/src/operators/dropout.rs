//! Random zeros in training.

use falx_core::random;
use rand::Rng;

use super::{Rules, only};

/// ONNX `Dropout`: in training each feature is 0 with probability `ratio` and grows by `1 / (1 - ratio)` otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share of features that become 0, from 0 to below 1.
    pub ratio: f32,
}

impl Rules for Dropout {
    fn name(&self) -> &'static str {
        "Dropout"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        if (0.0..1.0).contains(&self.ratio) {
            only(inputs).map(<[usize]>::to_vec)
        } else {
            Err("the ratio must be at least 0 and below 1")
        }
    }
}

impl Dropout {
    /// The factors of `count` features in step `step` of a run with `seed`, for the node at place `node`.
    pub(crate) fn mask(self, count: usize, seed: u64, step: u64, node: usize) -> Vec<f32> {
        let mut stream = random::stream(seed, "dropout", &[step, node as u64]);
        // 24 bits are as fine as f32 can tell apart near 1.
        let dropped = (self.ratio * (1 << 24) as f32) as u32;
        let kept = (1.0 - self.ratio).recip();
        (0..count)
            .map(|_| {
                if stream.next_u32() >> 8 < dropped {
                    0.0
                } else {
                    kept
                }
            })
            .collect()
    }
}
