//! Isotonic regression.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::FitError;
use super::super::fit_error::check;
use crate::Outcomes;

/// The rising curve nearest to the outcomes: frequencies of blocks of neighbouring predictions, with straight pieces between the
/// blocks, and level beyond the first and the last prediction seen.
///
/// It fits as closely as a rising curve can and needs many cases. It can give exactly 0 and 1, and one case on the other side then
/// costs the log loss its clip.
///
/// # Source
/// Zadrozny, Elkan 2002, "Transforming classifier scores into accurate multiclass probability estimates", KDD 8; Ayer et al.
/// 1955 for pooling adjacent violators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Isotonic {
    /// Predictions at which the curve bends, rising.
    pub thresholds: Vec<f64>,
    /// The curve there.
    pub values: Vec<f64>,
}

/// Neighbouring predictions that share a frequency.
struct Block {
    first: f64,
    last: f64,
    cases: u64,
    positives: u64,
}

impl Block {
    fn value(&self) -> f64 {
        self.positives as f64 / self.cases as f64
    }

    /// True where the frequency is not above the next block's, exactly.
    fn rises_to(&self, next: &Self) -> bool {
        u128::from(self.positives) * u128::from(next.cases)
            < u128::from(next.positives) * u128::from(self.cases)
    }
}

impl Isotonic {
    /// Pools adjacent violators; equal predictions share their frequency.
    ///
    /// # Errors
    /// [`FitError`] where a class is missing.
    pub fn fit(outcomes: &Outcomes) -> Result<Self, FitError> {
        check(outcomes)?;
        // A probability's bits rise with it and leave the highest free: one number holds prediction and truth.
        let mut sorted: Vec<u64> = outcomes
            .prediction()
            .iter()
            .zip(outcomes.truth())
            .map(|(&p, &positive)| ((p + 0.0).to_bits() << 1) | u64::from(positive))
            .collect();
        sorted.sort_unstable();
        let mut blocks: Vec<Block> = Vec::new();
        for ties in sorted.chunk_by(|a, b| a >> 1 == b >> 1) {
            let Some(p) = ties.first().map(|key| f64::from_bits(key >> 1)) else {
                continue;
            };
            let mut block = Block {
                first: p,
                last: p,
                cases: ties.len() as u64,
                positives: ties.iter().map(|key| key & 1).sum(),
            };
            while let Some(before) = blocks.pop_if(|before| !before.rises_to(&block)) {
                block.first = before.first;
                block.cases += before.cases;
                block.positives += before.positives;
            }
            blocks.push(block);
        }
        let mut curve = Self {
            thresholds: Vec::new(),
            values: Vec::new(),
        };
        for block in &blocks {
            curve.push(block.first, block.value());
            if block.last > block.first {
                curve.push(block.last, block.value());
            }
        }
        Ok(curve)
    }

    fn push(&mut self, threshold: f64, value: f64) {
        self.thresholds.push(threshold);
        self.values.push(value);
    }

    /// The repaired probability; that itself where the curve has no point.
    pub fn apply(&self, p: f64) -> f64 {
        let above = self.thresholds.partition_point(|&t| t < p);
        let point = |i: usize| Some((*self.thresholds.get(i)?, *self.values.get(i)?));
        let before = above.checked_sub(1).and_then(point);
        match (before, point(above)) {
            (Some((x0, y0)), Some((x1, y1))) => {
                if p >= x1 {
                    y1
                } else {
                    // Rounding must not carry the value past its neighbours.
                    (y0 + (y1 - y0) / (x1 - x0) * (p - x0)).clamp(y0.min(y1), y0.max(y1))
                }
            }
            (Some((_, y)), None) | (None, Some((_, y))) => y,
            (None, None) => p,
        }
    }
}
