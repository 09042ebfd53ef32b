//! Fits to four fifths of the groups, predictions of the last fifth.

use rayon::prelude::*;

use super::features::Feature;
use super::{FOLDS, NoShortcut, Sample, regression};

/// The weight of small coefficients against a good fit, in groups: slices of a group were mostly taken alike and say
/// about as much as one.
const RIDGE_GROUPS: f64 = 5.0;
/// Slices by which a range's rate is drawn towards the prevalence.
const PRIOR_SLICES: f64 = 5.0;

/// The probability of `any` of each slice, from a regression that saw none of its group.
pub(super) fn out_of_fold(sample: &Sample, features: &[&Feature]) -> Result<Vec<f64>, NoShortcut> {
    // Folds are numbered alike whatever thread takes them, and each regression runs on one thread.
    let folds: Vec<Vec<(usize, f64)>> = (0..FOLDS)
        .into_par_iter()
        .map(|fold| one_fold(sample, features, fold))
        .collect::<Result<_, _>>()?;
    let mut predicted = vec![0.0; sample.rows.len()];
    for (at, probability) in folds.into_iter().flatten() {
        if let Some(slot) = predicted.get_mut(at) {
            *slot = probability;
        }
    }
    Ok(predicted)
}

fn one_fold(
    sample: &Sample,
    features: &[&Feature],
    fold: usize,
) -> Result<Vec<(usize, f64)>, NoShortcut> {
    let (test, train): (Vec<usize>, Vec<usize>) =
        (0..sample.rows.len()).partition(|&at| sample.fold(at) == fold);
    let outcomes: Vec<u32> = train
        .iter()
        .map(|&at| u32::from(sample.truth.get(at) == Some(&true)))
        .collect();
    let ridge = ridge(sample.rows.len(), sample.groups);
    let learnt = learn(features, &train, &outcomes, ridge)?;
    let predict = |at: usize| learnt.probability(features.iter().copied(), at);
    Ok(test.into_iter().map(|at| (at, predict(at))).collect())
}

/// The weight of small coefficients for so many slices of so many groups.
pub(super) fn ridge(slices: usize, groups: usize) -> f64 {
    RIDGE_GROUPS * slices as f64 / groups.max(1) as f64
}

/// What a regression learnt of `any`.
pub(super) struct Learnt(regression::Model);

/// Fits the outcomes of the slices at `places`.
pub(super) fn learn(
    features: &[&Feature],
    places: &[usize],
    outcomes: &Vec<u32>,
    ridge: f64,
) -> Result<Learnt, NoShortcut> {
    let columns: usize = features.iter().map(|feature| feature.ranges).sum();
    let mut ones = vec![0.0_f64; places.len() * columns];
    for (row, &at) in ones.chunks_exact_mut(columns.max(1)).zip(places) {
        for column in columns_of(features.iter().copied(), at) {
            if let Some(value) = row.get_mut(column) {
                *value = 1.0;
            }
        }
    }
    let model = regression::fit(ones, columns, outcomes, ridge).ok_or(NoShortcut::NoFit)?;
    Ok(Learnt(model))
}

impl Learnt {
    /// The probability of `any` of a slice by its facts.
    pub(super) fn probability<'a>(
        &self,
        features: impl Iterator<Item = &'a Feature>,
        at: usize,
    ) -> f64 {
        let weights = columns_of(features, at).filter_map(|column| self.0.weights.get(column));
        let log_odds = self.0.constant + weights.sum::<f64>();
        1.0 / (1.0 + (-log_odds).exp())
    }
}

/// The columns of a slice that are 1: one a feature.
fn columns_of<'a>(
    features: impl Iterator<Item = &'a Feature>,
    at: usize,
) -> impl Iterator<Item = usize> {
    features.scan(0, move |before, feature| {
        let column = *before + usize::from(feature.range.get(at).copied().unwrap_or(0));
        *before += feature.ranges;
        Some(column)
    })
}

/// How far the share of positives in each slice's range of one feature exceeds the prevalence, over the groups of the
/// other folds.
pub(super) fn rates(sample: &Sample, feature: &Feature) -> Vec<f64> {
    let mut counts = vec![[(0.0, 0.0); FOLDS]; feature.ranges];
    for (at, &range) in feature.range.iter().enumerate() {
        if let Some(count) = counts
            .get_mut(usize::from(range))
            .and_then(|folds| folds.get_mut(sample.fold(at)))
        {
            count.0 += 1.0;
            count.1 += f64::from(u8::from(sample.truth.get(at) == Some(&true)));
        }
    }
    let sum = |folds: &[(f64, f64); FOLDS], but: usize| {
        folds
            .iter()
            .enumerate()
            .filter(|(fold, _)| *fold != but)
            .fold((0.0, 0.0), |sum, (_, count)| {
                (sum.0 + count.0, sum.1 + count.1)
            })
    };
    // One rate a range and fold.
    let rate: Vec<Vec<f64>> = (0..FOLDS)
        .map(|fold| {
            let sums: Vec<(f64, f64)> = counts.iter().map(|folds| sum(folds, fold)).collect();
            let (n, x) = sums.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            let prevalence = x / f64::max(n, 1.0);
            // Less the prevalence, which is lower where the left-out fold's is higher.
            let shrunk = |(n, x): &(f64, f64)| (x - n * prevalence) / (n + PRIOR_SLICES);
            sums.iter().map(shrunk).collect()
        })
        .collect();
    feature
        .range
        .iter()
        .enumerate()
        .map(|(at, &range)| {
            let rates = rate.get(sample.fold(at));
            rates
                .and_then(|rates| rates.get(usize::from(range)).copied())
                .unwrap_or(0.0)
        })
        .collect()
}
