//! Reliability: do probabilities agree with frequencies?

use crate::resampling::estimate;
use crate::{Bin, Calibration};

const BINS: usize = 10;

/// One case of one label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) positive: bool,
    pub(crate) prediction: f64,
    pub(crate) patient: u32,
}

/// The cases of a bin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    low: f64,
    high: f64,
    sum: f64,
    count: u64,
    positives: u64,
}

impl Cell {
    /// How many cases.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }
}

/// Sorts outcomes into at most ten bins of about equal size; equal predictions stay together.
pub(crate) fn cells(outcomes: &[Outcome]) -> Vec<Cell> {
    let mut sorted = outcomes.to_vec();
    sorted.sort_by(|a, b| a.prediction.total_cmp(&b.prediction));
    let target = sorted.len().div_ceil(BINS).max(1);
    let mut groups: Vec<Vec<Outcome>> = Vec::new();
    for ties in sorted.chunk_by(|a, b| a.prediction == b.prediction) {
        match groups.last_mut() {
            Some(open) if open.len() < target => open.extend_from_slice(ties),
            _ => groups.push(ties.to_vec()),
        }
    }
    // A small rest joins its neighbour: a bin of three cases says nothing.
    if groups.len() > 1
        && groups.last().is_some_and(|g| g.len() * 2 < target)
        && let (Some(rest), Some(last)) = (groups.pop(), groups.last_mut())
    {
        last.extend(rest);
    }
    groups.iter().map(|group| cell(group)).collect()
}

fn cell(group: &[Outcome]) -> Cell {
    Cell {
        low: group.first().map_or(0.0, |o| o.prediction),
        high: group.last().map_or(0.0, |o| o.prediction),
        sum: group.iter().map(|o| o.prediction).sum(),
        count: group.len() as u64,
        positives: group.iter().filter(|o| o.positive).count() as u64,
    }
}

/// The reliability table; `replicates` has one row of bins a replicate.
pub(crate) fn calibration(cells: &[Cell], replicates: &[&[Option<f64>]]) -> Calibration {
    let total: u64 = cells.iter().map(|c| c.count).sum();
    let bins: Vec<Bin> = cells
        .iter()
        .enumerate()
        .map(|(i, cell)| {
            let n = cell.count.max(1) as f64;
            let draws = replicates.iter().map(|row| row.get(i).copied().flatten());
            Bin {
                low: cell.low,
                high: cell.high,
                predicted: cell.sum / n,
                observed: estimate(cell.positives as f64 / n, draws),
                count: cell.count,
            }
        })
        .collect();
    let expected_error = bins
        .iter()
        .map(|b| (b.observed.value - b.predicted).abs() * b.count as f64)
        .sum::<f64>()
        / total.max(1) as f64;
    Calibration {
        bins,
        expected_error,
    }
}
