//! Areas of many draws in one walk over the ranks.

use std::ops::{AddAssign, Mul};

use super::Ranked;
use crate::resampling::{LANES, Row, Weights};
use crate::score::{PartialArea, reached};

/// Ranked cases laid out for a walk under many weightings at once.
///
/// Only a positive case adds to an area: what it outranks. So negatives are merely summed, and the costly step is taken
/// once for every group of ties that has a positive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    /// Cluster << 2 | [`Step`], in the order of the ranks; of a group of ties the negatives come first.
    entries: Vec<u32>,
    /// Where each part of the ranks ends.
    ends: Vec<usize>,
}

/// What an entry is.
struct Step;

impl Step {
    /// A negative without a positive beside it.
    const NEGATIVE: u32 = 0;
    /// A negative with a positive of the same score.
    const TIED: u32 = 1;
    /// A positive, with more of the same score to come.
    const POSITIVE: u32 = 2;
    /// The last positive of its score.
    const CLOSING: u32 = 3;
}

/// What a walk finds in every draw; `None` where a draw lacks what it takes.
pub(crate) struct Areas {
    pub(crate) auc: [Option<f64>; LANES],
    pub(crate) average_precision: [Option<f64>; LANES],
    /// Standardised, over false positive rates up to the width given.
    pub(crate) partial: [Option<f64>; LANES],
    /// The share of positives in each part of the ranks, from the highest scores down.
    pub(crate) observed: Vec<[Option<f64>; LANES]>,
}

/// A number for each draw.
type Lanes<T> = [T; LANES];

impl Walk {
    /// Lays out ranked cases; `cluster` tells whose a case is, `parts` how many cases each part of the ranks has, from
    /// the highest scores down, without breaking ties. `None` where clusters are too many to be numbered.
    pub(crate) fn new(
        ranked: &Ranked,
        cluster: impl Fn(u32) -> u32,
        parts: impl Iterator<Item = u64>,
    ) -> Option<Self> {
        let mut walk = Self::default();
        let mut push = |case: u32, step: u32| {
            let cluster = cluster(case);
            walk.entries.push(cluster << 2 | step);
            cluster < 1 << 30
        };
        for ties in ranked.ties() {
            let positives = ties.clone().filter(|&(_, positive)| positive).count();
            let negative = if positives > 0 {
                Step::TIED
            } else {
                Step::NEGATIVE
            };
            let mut fits = true;
            for (case, _) in ties.clone().filter(|&(_, positive)| !positive) {
                fits &= push(case, negative);
            }
            for (i, (case, _)) in (1..).zip(ties.filter(|&(_, positive)| positive)) {
                let last = i == positives;
                fits &= push(case, if last { Step::CLOSING } else { Step::POSITIVE });
            }
            if !fits {
                return None;
            }
        }
        let mut end = 0;
        for part in parts {
            end += part as usize;
            walk.ends.push(end.min(walk.entries.len()));
        }
        Some(walk)
    }

    /// The areas in every lane; `width` is the range of false positive rates of the partial area, `total` the weighted
    /// cases of either class in every lane.
    pub(crate) fn areas(&self, weights: &Weights, total: &Counts, width: f64) -> Areas {
        let rows = weights.rows();
        let most = (0..LANES).map(|l| total.positives[l] + total.negatives[l]);
        // Twice the pairs of n cases are at most n^2 / 2.
        if most.max() <= Some(u64::from(u32::MAX)) {
            self.walk::<u64>(rows, total, width)
        } else {
            self.walk::<u128>(rows, total, width)
        }
    }

    /// The weighted cases of either class in every lane.
    pub(crate) fn totals(&self, weights: &Weights) -> Counts {
        let mut total = Counts::default();
        let (mut positives, mut negatives) = (Run::default(), Run::default());
        for &entry in &self.entries {
            let Some(row) = weights.rows().get((entry >> 2) as usize) else {
                continue;
            };
            if entry & 3 < Step::POSITIVE {
                negatives.add(row, &mut total.negatives);
            } else {
                positives.add(row, &mut total.positives);
            }
        }
        negatives.flush(&mut total.negatives);
        positives.flush(&mut total.positives);
        total
    }

    fn walk<Pairs>(&self, rows: &[Row], total: &Counts, width: f64) -> Areas
    where
        Pairs: Copy + Default + From<u64> + Into<u128> + AddAssign + Mul<Output = Pairs>,
    {
        let mut sums = Sums::<Pairs>::new(total, width);
        let mut observed = Vec::with_capacity(self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            let (positives, negatives) = (sums.above.positives, sums.above.negatives);
            sums.pass(self.entries.get(start..end).unwrap_or_default(), rows);
            observed.push(lanes(|l| {
                let positives = sums.above.positives[l] - positives[l];
                let all = positives + sums.above.negatives[l] - negatives[l];
                (all > 0).then(|| positives as f64 / all as f64)
            }));
            start = end;
        }
        sums.pass(self.entries.get(start..).unwrap_or_default(), rows);
        Areas {
            auc: lanes(|l| sums.auc(total, l)),
            average_precision: lanes(|l| {
                let positives = total.positives[l];
                (positives > 0).then(|| sums.precision[l] / positives as f64)
            }),
            partial: lanes(|l| {
                let pairs = total.positives[l] as f64 * total.negatives[l] as f64;
                (pairs > 0.0).then(|| PartialArea::new(sums.partial[l] / pairs, width).standardised)
            }),
            observed,
        }
    }
}

fn lanes<T>(of: impl Fn(usize) -> T) -> Lanes<T> {
    std::array::from_fn(of)
}

/// Weighted cases of either class.
pub(crate) struct Counts {
    positives: Lanes<u64>,
    negatives: Lanes<u64>,
}

impl Counts {
    /// From whole numbers.
    pub(crate) fn new(positives: &Lanes<f64>, negatives: &Lanes<f64>) -> Self {
        Self {
            positives: positives.map(|n| n as u64),
            negatives: negatives.map(|n| n as u64),
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            positives: [0; LANES],
            negatives: [0; LANES],
        }
    }
}

/// A sum of rows in small numbers, which are added many at a time.
struct Run {
    sum: Lanes<u16>,
    rows: u32,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            sum: [0; LANES],
            rows: 0,
        }
    }
}

impl Run {
    /// Rows that fit a sum: 257 x 255 = 65,535.
    const ROWS: u32 = 257;

    #[inline]
    fn add(&mut self, row: &Row, total: &mut Lanes<u64>) {
        if self.rows == Self::ROWS {
            self.flush(total);
        }
        for (sum, &weight) in self.sum.iter_mut().zip(&row.0) {
            *sum += u16::from(weight);
        }
        self.rows += 1;
    }

    fn flush(&mut self, total: &mut Lanes<u64>) {
        for (total, sum) in total.iter_mut().zip(&mut self.sum) {
            *total += u64::from(*sum);
            *sum = 0;
        }
        self.rows = 0;
    }
}

/// The sums of a walk.
struct Sums<Pairs> {
    /// Cases that were passed.
    above: Counts,
    /// Negatives that were passed since `above` was brought up to date.
    run: Run,
    /// The negatives and positives of an open group of ties.
    here: Counts,
    tied: Run,
    positives: Run,
    /// Twice the pairs that the negative case wins, so that half a pair for a tie stays a whole number.
    lost: Lanes<Pairs>,
    precision: Lanes<f64>,
    partial: Lanes<f64>,
    /// The number of negatives at which the partial area ends.
    partial_end: Lanes<f64>,
    /// True until every lane has passed that end.
    in_range: bool,
}

impl<Pairs> Sums<Pairs>
where
    Pairs: Copy + Default + From<u64> + Into<u128> + AddAssign + Mul<Output = Pairs>,
{
    fn new(total: &Counts, width: f64) -> Self {
        Self {
            above: Counts::default(),
            run: Run::default(),
            here: Counts::default(),
            tied: Run::default(),
            positives: Run::default(),
            lost: [Pairs::default(); LANES],
            precision: [0.0; LANES],
            partial: [0.0; LANES],
            partial_end: lanes(|l| width * total.negatives[l] as f64),
            in_range: true,
        }
    }

    fn pass(&mut self, entries: &[u32], rows: &[Row]) {
        for &entry in entries {
            let Some(row) = rows.get((entry >> 2) as usize) else {
                continue;
            };
            match entry & 3 {
                Step::NEGATIVE => self.run.add(row, &mut self.above.negatives),
                Step::TIED => self.tied.add(row, &mut self.here.negatives),
                step => {
                    self.positives.add(row, &mut self.here.positives);
                    if step == Step::CLOSING {
                        self.close();
                    }
                }
            }
        }
        self.run.flush(&mut self.above.negatives);
    }

    /// Ends a group of ties with a positive.
    fn close(&mut self) {
        self.run.flush(&mut self.above.negatives);
        self.tied.flush(&mut self.here.negatives);
        self.positives.flush(&mut self.here.positives);
        if self.in_range {
            self.add_partial();
        }
        for l in 0..LANES {
            let (positives, negatives) = (self.here.positives[l], self.here.negatives[l]);
            let lost = Pairs::from(2 * self.above.negatives[l] + negatives);
            self.lost[l] += Pairs::from(positives) * lost;
            self.above.positives[l] += positives;
            self.above.negatives[l] += negatives;
            let all = self.above.positives[l] + self.above.negatives[l];
            // Where nothing was drawn yet there is no positive either, and 0 / 1 adds nothing.
            self.precision[l] +=
                positives as f64 * self.above.positives[l] as f64 / all.max(1) as f64;
        }
        self.here = Counts::default();
    }

    fn add_partial(&mut self) {
        self.in_range = false;
        for l in 0..LANES {
            let before = self.above.negatives[l] as f64;
            self.partial[l] += self.here.positives[l] as f64
                * reached(before, self.here.negatives[l] as f64, self.partial_end[l]);
            self.in_range |= before < self.partial_end[l];
        }
    }

    fn auc(&self, total: &Counts, lane: usize) -> Option<f64> {
        let pairs = u128::from(total.positives[lane]) * u128::from(total.negatives[lane]);
        let lost: u128 = self.lost[lane].into();
        (pairs > 0).then(|| (2 * pairs - lost) as f64 / (2 * pairs) as f64)
    }
}

#[cfg(test)]
mod tests;
