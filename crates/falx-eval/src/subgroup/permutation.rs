//! Do groups differ by more than patients dealt to them at random?
//!
//! Each patient counts as of the group that most of its cases are in. Groups are dealt anew among the patients with a
//! positive case, and among those without, so that another prevalence alone makes no gap. What is compared is the
//! largest minus the smallest value of the groups, so that the choice of the two is part of the test.
//!
//! The area of a group is taken by its projection: the group's positives ranked among everyone's negatives, plus its
//! negatives ranked among everyone's positives. Where groups do not differ it is the area up to terms of second order,
//! and it is a sum over patients, which makes thousands of permutations of large data cheap. The test is as exact with it
//! as with any other statistic.

use falx_core::random;
use rand::RngExt;
use rayon::prelude::*;

use super::gap::GapMetric;
use crate::Outcomes;

/// What a patient adds to its group: (numerator, denominator) of each part of each metric.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    /// Placements of positives among all negatives; the positives.
    above: (f64, f64),
    /// Placements of negatives among all positives; the negatives.
    below: (f64, f64),
    /// Positives called.
    called: f64,
    /// Negatives not called.
    spared: f64,
}

impl Parts {
    fn add(&mut self, other: &Self) {
        self.above.0 += other.above.0;
        self.above.1 += other.above.1;
        self.below.0 += other.below.0;
        self.below.1 += other.below.1;
        self.called += other.called;
        self.spared += other.spared;
    }

    fn value(&self, metric: GapMetric) -> Option<f64> {
        let share = |of: f64, all: f64| (all > 0.0).then(|| of / all);
        match metric {
            GapMetric::Auc => {
                Some(share(self.above.0, self.above.1)? + share(self.below.0, self.below.1)?)
            }
            GapMetric::Sensitivity => share(self.called, self.above.1),
            GapMetric::Specificity => share(self.spared, self.below.1),
        }
    }
}

/// Patients with their groups, ready to be dealt anew.
pub(super) struct Dealing {
    parts: Vec<Parts>,
    group: Vec<u16>,
    /// Patients with a positive case come first.
    positive: usize,
    groups: usize,
}

impl Dealing {
    /// `group` is each case's; cases in groups that `counts` rules out take no part.
    pub(super) fn new(
        outcomes: &Outcomes<'_>,
        group: &[u16],
        groups: usize,
        threshold: Option<f64>,
        counts: impl Fn(usize) -> bool,
    ) -> Self {
        let mut cases: Vec<(u32, bool, f64, u16)> = outcomes
            .iter()
            .zip(group)
            .filter(|(_, group)| counts(**group as usize))
            .map(|((truth, p, cluster), &group)| (cluster, truth, p, group))
            .collect();
        cases.sort_by(|a, b| a.2.total_cmp(&b.2));
        let positives = cases.iter().filter(|c| c.1).count() as f64;
        let negatives = cases.len() as f64 - positives;
        // (cluster, group, what it adds), in the order of scores.
        let mut placed: Vec<(u32, u16, Parts)> = Vec::with_capacity(cases.len());
        let (mut yes_below, mut no_below) = (0.0, 0.0);
        for ties in cases.chunk_by(|a, b| a.2 == b.2) {
            let yes = ties.iter().filter(|c| c.1).count() as f64;
            let no = ties.len() as f64 - yes;
            for &(cluster, truth, p, group) in ties {
                let called = threshold.is_some_and(|t| p >= t);
                let mut parts = Parts::default();
                if truth {
                    parts.above = ((no_below + no / 2.0) / negatives.max(1.0), 1.0);
                    parts.called = f64::from(u8::from(called));
                } else {
                    let higher = positives - yes_below - yes / 2.0;
                    parts.below = (higher / positives.max(1.0), 1.0);
                    parts.spared = f64::from(u8::from(!called));
                }
                placed.push((cluster, group, parts));
            }
            yes_below += yes;
            no_below += no;
        }
        placed.sort_by_key(|(cluster, group, _)| (*cluster, *group));
        let mut patients: Vec<(Parts, u16)> = placed
            .chunk_by(|a, b| a.0 == b.0)
            .map(|cases| {
                let mut parts = Parts::default();
                for (_, _, case) in cases {
                    parts.add(case);
                }
                let commonest = cases
                    .chunk_by(|a, b| a.1 == b.1)
                    .max_by(|a, b| a.len().cmp(&b.len()).then(first(b).cmp(&first(a))));
                (parts, commonest.map_or(0, first))
            })
            .collect();
        patients.sort_by_key(|(parts, _)| parts.above.1 == 0.0);
        Self {
            positive: patients.iter().filter(|p| p.0.above.1 > 0.0).count(),
            parts: patients.iter().map(|p| p.0).collect(),
            group: patients.iter().map(|p| p.1).collect(),
            groups,
        }
    }

    /// The largest minus the smallest value of each metric's groups; 0 with fewer than two groups.
    fn gaps(&self, group: &[u16], compared: &[Vec<bool>; 3]) -> [f64; 3] {
        let mut sums = vec![Parts::default(); self.groups];
        for (parts, &group) in self.parts.iter().zip(group) {
            if let Some(sum) = sums.get_mut(group as usize) {
                sum.add(parts);
            }
        }
        GapMetric::ALL.map(|metric| {
            let compared = compared.get(metric.index()).into_iter().flatten();
            let values = sums.iter().zip(compared).filter(|(_, counts)| **counts);
            let values = values.filter_map(|(sum, _)| sum.value(metric));
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
            (high - low).max(0.0)
        })
    }

    /// The share of deals, the true one among them, in which the groups lie at least as far apart as they do.
    ///
    /// `compared` says for each metric which groups are.
    pub(super) fn p_values(
        &self,
        compared: &[Vec<bool>; 3],
        permutations: u32,
        seed: u64,
        purpose: &str,
    ) -> [f64; 3] {
        let found = self.gaps(&self.group, compared);
        let as_far: [u64; 3] = (0..permutations)
            .into_par_iter()
            .map_init(
                || self.group.clone(),
                |dealt, r| {
                    dealt.clone_from(&self.group);
                    let mut rng = random::stream(seed, purpose, &[u64::from(r)]);
                    let (with, without) = dealt.split_at_mut(self.positive);
                    for stratum in [with, without] {
                        // Fisher and Yates.
                        for last in (1..stratum.len()).rev() {
                            stratum.swap(last, rng.random_range(0..=last));
                        }
                    }
                    let gaps = self.gaps(dealt, compared);
                    let mut further = [0; 3];
                    for ((further, gap), found) in further.iter_mut().zip(gaps).zip(found) {
                        // Sums in another order may differ in the last digits.
                        *further = u64::from(gap >= found - 1e-12);
                    }
                    further
                },
            )
            .reduce(|| [0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
        as_far.map(|n| (n + 1) as f64 / (f64::from(permutations) + 1.0))
    }
}

fn first(cases: &[(u32, u16, Parts)]) -> u16 {
    cases.first().map_or(0, |c| c.1)
}
