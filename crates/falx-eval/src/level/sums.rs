//! Means over cases under many weightings at once, from sums over patients.

use crate::resampling::{LANES, Weights, totals};

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
        Totals(totals(&self.columns, weights))
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
