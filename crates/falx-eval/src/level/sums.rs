//! Means over cases under many weightings at once, from sums over patients.

use crate::resampling::{LANES, Row, Weights};

/// What every patient adds to some sums.
#[derive(Debug)]
pub(super) struct Sums {
    patients: usize,
    columns: Vec<Vec<f64>>,
}

/// One of the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum(usize);

/// A mean: a sum over a count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    sum: Sum,
    count: Sum,
}

/// The sums in every lane.
pub(super) struct Totals(Vec<[f64; LANES]>);

/// Patients whose weights are unpacked at a time: they stay in the processor's nearest cache for all sums.
const TILE: usize = 32;
/// Lanes that are summed in registers.
const WIDTH: usize = 16;

type Tile = [[[f64; WIDTH]; LANES / WIDTH]; TILE];

impl Sums {
    pub(super) fn new(patients: usize) -> Self {
        Self {
            patients,
            columns: Vec::new(),
        }
    }

    /// The sum of (patient, value).
    pub(super) fn add(&mut self, values: impl Iterator<Item = (u32, f64)>) -> Sum {
        let mut column = vec![0.0; self.patients];
        for (patient, value) in values {
            if let Some(sum) = column.get_mut(patient as usize) {
                *sum += value;
            }
        }
        // Labels that are all known share their counts.
        if let Some(same) = self.columns.iter().position(|c| *c == column) {
            return Sum(same);
        }
        self.columns.push(column);
        Sum(self.columns.len() - 1)
    }

    /// The mean of (patient, value).
    pub(super) fn mean(&mut self, values: impl Iterator<Item = (u32, f64)> + Clone) -> Mean {
        Mean {
            sum: self.add(values.clone()),
            count: self.add(values.map(|(patient, _)| (patient, 1.0))),
        }
    }

    /// A mean over everyone; `None` where nothing is counted.
    pub(super) fn of_everyone(&self, mean: Mean) -> Option<f64> {
        let sum = |s: Sum| self.columns.get(s.0).map(|c| c.iter().sum::<f64>());
        let (sum, count) = (sum(mean.sum)?, sum(mean.count)?);
        (count > 0.0).then(|| sum / count)
    }

    /// All sums under weights. Sums of whole numbers are exact.
    pub(super) fn totals(&self, weights: &Weights) -> Totals {
        let mut totals = vec![[0.0; LANES]; self.columns.len()];
        let mut tile: Tile = [[[0.0; WIDTH]; LANES / WIDTH]; TILE];
        for (first, rows) in (0..).step_by(TILE).zip(weights.rows().chunks(TILE)) {
            for (place, row) in tile.iter_mut().zip(rows) {
                unpack(row, place);
            }
            for (column, total) in self.columns.iter().zip(&mut totals) {
                let values = column.get(first..first + rows.len()).unwrap_or_default();
                add_products(&tile, values, total);
            }
        }
        Totals(totals)
    }
}

fn unpack(row: &Row, place: &mut [[f64; WIDTH]; LANES / WIDTH]) {
    for (place, &weight) in place.as_flattened_mut().iter_mut().zip(&row.0) {
        *place = f64::from(weight);
    }
}

fn add_products(tile: &Tile, values: &[f64], total: &mut [f64; LANES]) {
    for (part, total) in total.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        let mut sum = [0.0; WIDTH];
        for (weights, &value) in tile.iter().zip(values) {
            for (sum, weight) in sum.iter_mut().zip(&weights[part]) {
                *sum += weight * value;
            }
        }
        for (total, sum) in total.iter_mut().zip(sum) {
            *total += sum;
        }
    }
}

impl Totals {
    pub(super) fn sum(&self, sum: Sum) -> [f64; LANES] {
        self.0.get(sum.0).copied().unwrap_or([0.0; LANES])
    }

    /// A mean in every lane; `None` where nothing is counted.
    pub(super) fn mean(&self, mean: Mean) -> [Option<f64>; LANES] {
        let (sum, count) = (self.sum(mean.sum), self.sum(mean.count));
        std::array::from_fn(|lane| (count[lane] > 0.0).then(|| sum[lane] / count[lane]))
    }
}
