//! Differences of two predictions of the same cases.

use std::collections::BTreeMap;

use falx_core::{LABELS, Label, PatientId, Probability, random};
use rand::RngExt;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Difference, Entry, Metric};
use crate::interval::{LEVEL, clustered_difference, holm};
use crate::metrics::row_loss;
use crate::ranked::{Ranked, Walk};
use crate::resampling::Weights;
use crate::{Case, Estimate, EvaluateOptions, Outcomes, Resampling};

/// Why a difference has no p-value.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum NoDifference {
    /// A class is missing.
    #[error("a class is missing")]
    OneClass,
    /// A class lies in one patient.
    #[error("a class lies in a single patient")]
    OnePatient,
    /// The two order all cases alike.
    #[error("no spread: both order the cases alike")]
    Alike,
    /// No resamples were asked for, or there is one patient.
    #[error("no resamples")]
    NoResamples,
}

/// The differences of all entries to the reference. The cases of all are the same, in the same order.
pub(super) fn differences(
    entries: &[Entry],
    judged: &[Vec<Case>],
    reference: usize,
    options: &EvaluateOptions,
) -> Vec<Difference> {
    let Some(base) = judged.get(reference) else {
        return Vec::new();
    };
    let cluster = clusters(base);
    let resampling = Resampling::new(
        cluster.iter().max().map_or(0, |&c| c as usize + 1),
        options.replicates,
        options.seed,
    );
    let mut differences = Vec::new();
    for ((_, entry), cases) in entries
        .iter()
        .enumerate()
        .zip(judged)
        .filter(|((at, _), _)| *at != reference)
    {
        let pair = Pair {
            base,
            cases,
            cluster: &cluster,
            resampling: resampling.clone(),
        };
        differences.push(pair.loss(&entry.name));
        for label in LABELS {
            differences.push(pair.area(&entry.name, label));
        }
    }
    let p: Vec<Option<f64>> = differences.iter().map(|d| d.p).collect();
    for (difference, adjusted) in differences.iter_mut().zip(holm(&p)) {
        difference.p_holm = adjusted;
    }
    differences
}

/// Patients numbered in the order of their pseudonyms.
fn clusters(cases: &[Case]) -> Vec<u32> {
    let mut numbers: BTreeMap<&PatientId, u32> = cases.iter().map(|c| (&c.patient, 0)).collect();
    for (number, place) in (0..).zip(numbers.values_mut()) {
        *place = number;
    }
    cases
        .iter()
        .map(|c| numbers.get(&c.patient).copied().unwrap_or(0))
        .collect()
}

/// Two predictions of the same cases.
struct Pair<'a> {
    base: &'a [Case],
    cases: &'a [Case],
    cluster: &'a [u32],
    resampling: Resampling,
}

impl Pair<'_> {
    fn loss(&self, entry: &str) -> Difference {
        // Each patient's sum of differences, and their slices.
        let mut sums = vec![(0.0, 0_u32); self.resampling.clusters()];
        for ((base, case), &cluster) in self.base.iter().zip(self.cases).zip(self.cluster) {
            let of = |case: &Case| row_loss(case.truth, &case.prediction.map(Probability::get));
            if let (Some(ours), Some(theirs), Some(sum)) =
                (of(case), of(base), sums.get_mut(cluster as usize))
            {
                sum.0 += ours - theirs;
                sum.1 += 1;
            }
        }
        let mean = |weights: &[u32]| {
            let (mut total, mut count) = (0.0, 0_u64);
            for (&(sum, slices), &weight) in sums.iter().zip(weights) {
                total += sum * f64::from(weight);
                count += u64::from(slices) * u64::from(weight);
            }
            (count > 0).then(|| total / count as f64)
        };
        let p = bootstrap_p(&self.resampling, &mean);
        Difference {
            entry: entry.to_owned(),
            metric: Metric::WeightedLogLoss,
            difference: self.resampling.estimate(mean),
            by_formula: None,
            p,
            p_holm: None,
            note: p.is_none().then_some(NoDifference::NoResamples),
        }
    }

    fn area(&self, entry: &str, label: Label) -> Difference {
        let i = label.index();
        let (mut truth, mut cluster) = (Vec::new(), Vec::new());
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for ((base, case), &of) in self.base.iter().zip(self.cases).zip(self.cluster) {
            if let Some(positive) = case.truth.get(label) {
                truth.push(positive);
                cluster.push(of);
                ours.push(case.prediction[i].get());
                theirs.push(base.prediction[i].get());
            }
        }
        let mut difference = Difference {
            entry: entry.to_owned(),
            metric: Metric::Auc { label },
            difference: None,
            by_formula: None,
            p: None,
            p_holm: None,
            note: None,
        };
        let positives = truth.iter().filter(|&&t| t).count();
        if positives == 0 || positives == truth.len() {
            difference.note = Some(NoDifference::OneClass);
            return difference;
        }
        let formula = Outcomes::new(&truth, &ours, &cluster)
            .ok()
            .and_then(|outcomes| clustered_difference(&outcomes, &theirs).ok());
        let Some(formula) = formula else {
            difference.note = Some(NoDifference::OnePatient);
            // A single patient in a class has no spread that resampling could show.
            let value = area(&truth, &ours).zip(area(&truth, &theirs));
            difference.difference = value.map(|(a, b)| Estimate {
                value: a - b,
                low: None,
                high: None,
            });
            return difference;
        };
        let walk = |prediction: &[f64]| {
            let cases = truth.iter().copied().zip(prediction.iter().copied());
            let patient = |case: u32| cluster.get(case as usize).copied().unwrap_or(0);
            Walk::new(&Ranked::new(cases), patient, std::iter::empty())
        };
        let value = formula.difference();
        if let (Some(ours), Some(theirs)) = (walk(&ours), walk(&theirs)) {
            let areas = |walk: &Walk, weights: &Weights| {
                walk.areas(weights, &walk.totals(weights), 1.0).auc
            };
            difference.difference = Some(self.resampling.estimate_of(value, |weights| {
                let (ours, theirs) = (areas(&ours, weights), areas(&theirs, weights));
                std::array::from_fn(|lane| Some(ours[lane]? - theirs[lane]?))
            }));
        }
        difference.by_formula = Some(formula.interval(LEVEL));
        difference.p = formula.p();
        difference.note = difference.p.is_none().then_some(NoDifference::Alike);
        difference
    }
}

fn area(truth: &[bool], prediction: &[f64]) -> Option<f64> {
    crate::auc(truth, prediction).ok()
}

/// The two-sided p-value that a mean over patients is zero: twice the smaller share of the resamples on either side of
/// zero, each share with one resample more, so that it is never 0.
///
/// # Source
/// Davison AC, Hinkley DV. Bootstrap Methods and their Application (1997), 4.2 and 5.4 (by inverting the percentile
/// interval).
fn bootstrap_p(
    resampling: &Resampling,
    mean: &(impl Fn(&[u32]) -> Option<f64> + Sync),
) -> Option<f64> {
    let patients = u32::try_from(resampling.clusters()).ok()?;
    if patients < 2 || resampling.replicates() == 0 {
        return None;
    }
    let draws: Vec<Option<f64>> = (0..resampling.replicates())
        .into_par_iter()
        .map(|replicate| {
            let path = [u64::from(replicate)];
            let mut rng = random::stream(resampling.seed(), "paired bootstrap", &path);
            let mut weights = vec![0_u32; resampling.clusters()];
            for _ in 0..patients {
                let drawn = rng.random_range(0..patients) as usize;
                if let Some(weight) = weights.get_mut(drawn) {
                    *weight += 1;
                }
            }
            mean(&weights)
        })
        .collect();
    let share = |side: &dyn Fn(f64) -> bool| {
        let count = draws.iter().flatten().filter(|&&d| side(d)).count();
        (count + 1) as f64 / (draws.iter().flatten().count() + 1) as f64
    };
    let smaller = share(&|d| d <= 0.0).min(share(&|d| d >= 0.0));
    Some((2.0 * smaller).min(1.0))
}
