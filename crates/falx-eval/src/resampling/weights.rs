//! How often each cluster counts in many draws at once.

use falx_core::random;
use rand::RngExt;

use super::Resampling;

/// Draws that are scored together: a row of weights is one line of the processor's cache.
pub(crate) const LANES: usize = 64;

/// The weights of one cluster in every lane.
///
/// A byte is enough: that one of n clusters is drawn more than 255 times in n draws has a chance below n / 256!, and the
/// sums of small numbers stay small.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Row(pub(crate) [u8; LANES]);

/// The weights of all clusters in a block of draws, cluster by cluster. Lanes beyond the last draw weigh nothing.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    rows: Vec<Row>,
    /// Some lanes before they are laid across.
    columns: Vec<Vec<u8>>,
}

/// Columns that are filled before they are laid across the rows.
const COLUMNS: usize = 16;

impl Weights {
    /// One row a cluster.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The same, less what only filling needs.
    pub(super) fn without_columns(self) -> Self {
        Self {
            columns: Vec::new(),
            ..self
        }
    }

    /// Fills in the draws of a block.
    pub(super) fn fill(&mut self, resampling: &Resampling, block: usize) {
        self.rows.resize(resampling.clusters(), Row([0; LANES]));
        self.columns.resize_with(COLUMNS, Vec::new);
        for first in (0..LANES).step_by(COLUMNS) {
            for (lane, column) in (first..).zip(&mut self.columns) {
                column.resize(resampling.clusters(), 0);
                column.fill(0);
                resampling.draw(block * LANES + lane, column);
            }
            for (i, row) in self.rows.iter_mut().enumerate() {
                for (place, column) in row.0.iter_mut().skip(first).zip(&self.columns) {
                    *place = column.get(i).copied().unwrap_or(0);
                }
            }
        }
    }
}

/// A number of times a cluster counts.
pub(super) trait Count: Copy {
    const NONE: Self;
    const ONE: Self;
    fn once_more(self) -> Self;
}

impl Count for u8 {
    const NONE: Self = 0;
    const ONE: Self = 1;
    fn once_more(self) -> Self {
        self.saturating_add(1)
    }
}

impl Count for u32 {
    const NONE: Self = 0;
    const ONE: Self = 1;
    fn once_more(self) -> Self {
        self.saturating_add(1)
    }
}

/// So many clusters are very many.
const MANY: usize = 10_000;
/// Blocks for a rough acceleration: off by about 6^0.5 / (6 x 50) = 0.008, and an end by under 0.04 standard errors.
const ROUGH: usize = 50;

impl Resampling {
    /// Blocks of clusters that the jackknife leaves out in turn.
    pub(super) fn blocks(&self) -> usize {
        if self.replicates == 0 {
            return 0;
        }
        // Where few draws were asked of very many clusters, a rough acceleration is enough for what the draws resolve.
        let is_rough = self.clusters > MANY && self.replicates as usize <= super::bca::BLOCKS;
        let blocks = if is_rough { ROUGH } else { super::bca::BLOCKS };
        self.clusters.min(blocks)
    }

    /// Everyone once, everyone but each block, and the replicates.
    pub(super) fn draws(&self) -> usize {
        1 + self.blocks() + self.replicates as usize
    }

    /// Fills in the weights of one draw: of everyone, without a block, or a replicate; `weights` are 0 before.
    ///
    /// Each replicate has its own random stream, so threads change nothing.
    pub(super) fn draw<T: Count>(&self, draw: usize, weights: &mut [T]) {
        let blocks = self.blocks();
        if draw <= blocks {
            weights.fill(T::ONE);
            if let Some(left_out) = draw.checked_sub(1) {
                for weight in weights.iter_mut().skip(left_out).step_by(blocks) {
                    *weight = T::NONE;
                }
            }
        } else if draw < self.draws()
            && let Ok(n) = u32::try_from(weights.len())
        {
            let replicate = (draw - blocks - 1) as u64;
            let mut rng = random::stream(self.seed, "bootstrap", &[replicate]);
            for _ in 0..n {
                let drawn = rng.random_range(0..n) as usize;
                if let Some(weight) = weights.get_mut(drawn) {
                    *weight = weight.once_more();
                }
            }
        }
    }
}
