//! All measures of a test with their intervals.

use falx_core::Silent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::confusion::{Confusion, MEASURES, Measure, NoValue};
use crate::interval::{LEVEL, clopper_pearson, wilson};
use crate::resampling::{LANES, Weights};
use crate::{Estimate, Outcomes, Resampling};

/// What a test does, with 95 % intervals.
///
/// Intervals of shares are Wilson's where every case is a patient of its own, else from resampling patients. Where all
/// cases count, or none, resampling sees no spread: the interval is then Clopper–Pearson's over patients, each counted
/// once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Performance {
    /// The counts.
    pub confusion: Confusion,
    /// Patients (clusters) that the cases belong to.
    pub patients: u64,
    /// Share of the positives that are called positive.
    pub sensitivity: Option<Estimate>,
    /// Share of the negatives that are called negative.
    pub specificity: Option<Estimate>,
    /// Share of the called that are positive, at these cases' prevalence.
    pub positive_predictive_value: Option<Estimate>,
    /// Share of those not called that are negative, at these cases' prevalence.
    pub negative_predictive_value: Option<Estimate>,
    /// The harmonic mean of sensitivity and positive predictive value.
    pub f1: Option<Estimate>,
    /// Share of right calls.
    pub accuracy: Option<Estimate>,
    /// The mean of sensitivity and specificity.
    pub balanced_accuracy: Option<Estimate>,
    /// Sensitivity + specificity − 1.
    pub youden: Option<Estimate>,
    /// By how much a call raises the odds of disease.
    pub positive_likelihood_ratio: Option<Estimate>,
    /// By how much no call lowers the odds of disease.
    pub negative_likelihood_ratio: Option<Estimate>,
    /// The quotient of the two likelihood ratios.
    pub diagnostic_odds_ratio: Option<Estimate>,
    /// Share of all cases that are called positive.
    pub alarm_rate: Option<Estimate>,
    /// Matthews' correlation of call and truth.
    pub matthews: Option<Estimate>,
    /// Why measures have no value.
    pub undefined: Vec<UndefinedMeasure>,
    /// Predictive values where another share is positive: test sets are often enriched.
    pub elsewhere: Vec<PredictiveValues>,
}

/// A measure without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndefinedMeasure {
    /// Which.
    pub measure: Measure,
    /// Why.
    pub reason: NoValue,
}

/// Predictive values at one prevalence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictiveValues {
    /// The share of positives.
    pub prevalence: f64,
    /// The share of the called that would be positive.
    pub positive: Option<f64>,
    /// The share of those not called that would be negative.
    pub negative: Option<f64>,
}

/// The prevalences at which predictive values are shown: from screening-like to an emergency department's worst hour.
pub const PREVALENCES: [f64; 4] = [0.01, 0.05, 0.1, 0.2];

/// A test's counts by patient: what its resampling needs.
#[derive(Clone, Debug, PartialEq)]
pub struct CountsByCluster {
    by_cluster: Vec<Confusion>,
}

impl CountsByCluster {
    /// Counts of outcomes, of which `called` says what the test calls each: (prediction, cluster).
    pub fn new(outcomes: &Outcomes, called: impl Fn(f64, u32) -> bool) -> Self {
        let mut by_cluster = vec![Confusion::default(); outcomes.clusters()];
        for (truth, prediction, cluster) in outcomes.iter() {
            if let Some(counts) = by_cluster.get_mut(cluster as usize) {
                counts.count(truth, called(prediction, cluster), 1);
            }
        }
        Self { by_cluster }
    }

    /// Counts at one threshold for all.
    pub fn at(outcomes: &Outcomes, threshold: f64) -> Self {
        Self::new(outcomes, |prediction, _| prediction >= threshold)
    }

    /// The counts when cluster `c` counts `weights[c]` times.
    pub fn weighted(&self, weights: &[u32]) -> Confusion {
        let mut sum = Confusion::default();
        for (counts, &weight) in self.by_cluster.iter().zip(weights) {
            if weight > 0 {
                sum = sum.plus(*counts, u64::from(weight));
            }
        }
        sum
    }

    /// All measures in every lane; sums of whole numbers, so exact in any order.
    fn measures(&self, weights: &Weights) -> [[Option<f64>; LANES]; MEASURES.len()] {
        let mut sums = [[0_u64; LANES]; 4];
        for (counts, row) in self.by_cluster.iter().zip(weights.rows()) {
            let each = [
                counts.true_positives,
                counts.false_positives,
                counts.true_negatives,
                counts.false_negatives,
            ];
            for (sum, count) in sums.iter_mut().zip(each).filter(|(_, count)| *count > 0) {
                for (sum, &weight) in sum.iter_mut().zip(&row.0) {
                    *sum += count * u64::from(weight);
                }
            }
        }
        let lanes: [Confusion; LANES] = std::array::from_fn(|l| Confusion {
            true_positives: sums[0][l],
            false_positives: sums[1][l],
            true_negatives: sums[2][l],
            false_negatives: sums[3][l],
        });
        MEASURES.map(|measure| lanes.map(|counts| counts.measure(measure).ok()))
    }

    /// The counts of everyone.
    pub fn total(&self) -> Confusion {
        let each = self.by_cluster.iter();
        each.fold(Confusion::default(), |sum, counts| sum.plus(*counts, 1))
    }

    fn clusters_with(&self, has: impl Fn(&Confusion) -> u64) -> u64 {
        self.by_cluster.iter().filter(|c| has(c) > 0).count() as u64
    }
}

/// The performances of several tests on the same patients, all from the same draws.
pub fn performances(tests: &[CountsByCluster], resampling: &Resampling) -> Vec<Performance> {
    let draws = resampling.blocks_of_draws(&Silent, |weights| {
        let each = tests.iter().map(|test| test.measures(weights));
        each.collect::<Vec<_>>()
    });
    tests
        .iter()
        .enumerate()
        .map(|(at, test)| {
            let counts = test.total();
            let mut place = 0..;
            let mut estimates = MEASURES.map(|measure| {
                let place = place.next()?;
                let value = counts.measure(measure).ok()?;
                let blocks = draws.iter().filter_map(|block| block.get(at)?.get(place));
                Some(resampling.interval_of(value, blocks))
            });
            use_closed_forms(test, &mut estimates);
            performance(test, &estimates)
        })
        .collect()
}

/// What a test does on these counts, without intervals.
pub(super) fn plain_performance(test: &CountsByCluster) -> Performance {
    let counts = test.total();
    performance(
        test,
        &MEASURES.map(|measure| {
            counts.measure(measure).ok().map(|value| Estimate {
                value,
                low: None,
                high: None,
            })
        }),
    )
}

/// Intervals that need no resampling, where they are the better ones.
fn use_closed_forms(test: &CountsByCluster, drawn: &mut [Option<Estimate>; 13]) {
    let counts = test.total();
    for (estimate, measure) in drawn.iter_mut().zip(MEASURES) {
        let (Some(estimate), Some((part, whole, of))) = (estimate, proportion(&counts, measure))
        else {
            continue;
        };
        let patients = test.clusters_with(of);
        let interval = if patients == whole {
            wilson(part, whole, LEVEL)
        } else if part == 0 || part == whole {
            clopper_pearson(if part > 0 { patients } else { 0 }, patients, LEVEL)
        } else {
            continue;
        };
        if let Ok(interval) = interval {
            (estimate.low, estimate.high) = (interval.low, interval.high);
        }
    }
}

fn performance(test: &CountsByCluster, measured: &[Option<Estimate>; 13]) -> Performance {
    let counts = test.total();
    let [
        sensitivity,
        specificity,
        positive_predictive_value,
        negative_predictive_value,
        f1,
        accuracy,
        balanced_accuracy,
        youden,
        positive_likelihood_ratio,
        negative_likelihood_ratio,
        diagnostic_odds_ratio,
        alarm_rate,
        matthews,
    ] = *measured;
    let undefined = MEASURES.into_iter().filter_map(|measure| {
        let reason = counts.measure(measure).err()?;
        Some(UndefinedMeasure { measure, reason })
    });
    Performance {
        confusion: counts,
        patients: test.clusters_with(Confusion::cases),
        sensitivity,
        specificity,
        positive_predictive_value,
        negative_predictive_value,
        f1,
        accuracy,
        balanced_accuracy,
        youden,
        positive_likelihood_ratio,
        negative_likelihood_ratio,
        diagnostic_odds_ratio,
        alarm_rate,
        matthews,
        undefined: undefined.collect(),
        elsewhere: PREVALENCES
            .map(|prevalence| {
                let (positive, negative) = counts.predictive_values_at(prevalence);
                PredictiveValues {
                    prevalence,
                    positive: positive.ok(),
                    negative: negative.ok(),
                }
            })
            .to_vec(),
    }
}

/// Which counts a proportion divides: part, whole, and the whole of one patient.
type Proportion = (u64, u64, fn(&Confusion) -> u64);

fn proportion(c: &Confusion, measure: Measure) -> Option<Proportion> {
    Some(match measure {
        Measure::Sensitivity => (c.true_positives, c.positives(), Confusion::positives),
        Measure::Specificity => (c.true_negatives, c.negatives(), Confusion::negatives),
        Measure::PositivePredictiveValue => (c.true_positives, c.called(), Confusion::called),
        Measure::NegativePredictiveValue => (c.true_negatives, c.cleared(), Confusion::cleared),
        Measure::Accuracy => (
            c.true_positives + c.true_negatives,
            c.cases(),
            Confusion::cases,
        ),
        Measure::AlarmRate => (c.called(), c.cases(), Confusion::cases),
        _ => return None,
    })
}
