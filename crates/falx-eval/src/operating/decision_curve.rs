//! Decision curves: what acting on the predictions is worth, beside acting on everybody and on nobody.

use falx_core::Silent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resampling::{LANES, Weights};
use crate::{Estimate, Outcomes, Resampling};

/// The thresholds that matter for flagging a haemorrhage: from a hundred false alarms for one found to one for one.
pub const HAEMORRHAGE_RANGE: (f64, f64) = (0.01, 0.5);

/// The net benefit of acting on predictions over thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionCurve {
    /// The share of positives that the curve is for.
    pub prevalence: f64,
    /// True where that is not the cases' own share but one given.
    pub prevalence_given: bool,
    /// One point a threshold, from the lowest.
    pub points: Vec<DecisionPoint>,
}

/// One threshold of a decision curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionPoint {
    /// The probability at which one would act: its odds are how many false alarms one found positive is worth.
    pub threshold: f64,
    /// True positives a case, less the false positives that they are worth.
    pub net_benefit: Estimate,
    /// The net benefit of acting on everybody; on nobody it is 0.
    pub treat_all: f64,
    /// Net benefit as a share of the most there can be, the prevalence.
    pub standardised: Option<f64>,
    /// Net benefit above the better of acting on everybody and on nobody.
    pub advantage: Estimate,
    /// Actions spared in 100 cases compared with acting on everybody, none of them on a positive, net.
    pub spared_per_100: f64,
}

/// Why there is no decision curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoCurve {
    /// A class is missing.
    #[error("a decision curve needs positive and negative cases")]
    OneClass,
    /// A prediction is no probability.
    #[error(
        "{value} is no probability; a decision curve compares predictions with probabilities of disease"
    )]
    NoProbability {
        /// What was predicted.
        value: f64,
    },
    /// A threshold or a prevalence does not lie between 0 and 1.
    #[error("{value} must lie between 0 and 1")]
    OutOfRange {
        /// What was given.
        value: f64,
    },
    /// Thresholds do not rise.
    #[error("thresholds must rise")]
    Order,
}

/// Thresholds 0.01, 0.02 … 0.99.
pub fn thresholds() -> Vec<f64> {
    (1..100).map(|percent| f64::from(percent) / 100.0).collect()
}

/// A patient's cases by the highest threshold that they reach: (step, positives, negatives), steps that occur only.
/// Step 0 reaches none.
#[derive(Clone, Debug, Default)]
struct Patient {
    steps: Vec<(u32, u32, u32)>,
}

/// The decision curve of probabilities.
///
/// With `prevalence` the curve is for a place where that share is positive, sensitivity and specificity being the same.
/// Intervals come from resampling patients.
///
/// # Shape
/// `thresholds` rise and lie between 0 and 1, exclusively. `resampling` draws the outcomes' clusters.
///
/// # Units
/// Net benefit is in true positives a case: 0.02 says two more haemorrhages found in 100 cases at no false alarm.
///
/// # Errors
/// [`NoCurve`] where a class is missing, or predictions or thresholds are no probabilities.
///
/// # Source
/// Vickers, Elkin 2006 (Med Decis Making 26:565); standardised: Kerr and others 2016 (J Clin Oncol 34:2534); net
/// reduction: Vickers and others 2008 (BMC Med Inform Decis Mak 8:53); prevalence as in `dcurves`.
pub fn decision_curve(
    outcomes: &Outcomes,
    thresholds: &[f64],
    prevalence: Option<f64>,
    resampling: &Resampling,
) -> Result<DecisionCurve, NoCurve> {
    let inside = |value: f64| value > 0.0 && value < 1.0;
    if let Some(&value) = thresholds.iter().chain(&prevalence).find(|&&v| !inside(v)) {
        return Err(NoCurve::OutOfRange { value });
    }
    if !thresholds.is_sorted_by(|a, b| a < b) {
        return Err(NoCurve::Order);
    }
    let mut predictions = outcomes.prediction().iter();
    if let Some(&value) = predictions.find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(NoCurve::NoProbability { value });
    }
    let patients = patients(outcomes, thresholds);
    let blocks = resampling.blocks_of_draws(&Silent, |weights| {
        lanes(&patients, thresholds, prevalence, weights)
    });
    let everyone = everyone(&patients, thresholds, prevalence).ok_or(NoCurve::OneClass)?;
    let own = outcomes.positives() as f64 / outcomes.len() as f64;
    let share = prevalence.unwrap_or(own);
    let points = everyone.iter().zip(thresholds).enumerate();
    let points = points
        .map(|(at, (benefit, &threshold))| {
            let of = |value: f64, get: fn(&Lanes) -> &[Option<f64>; LANES]| {
                let draws = blocks.iter().filter_map(|block| block.get(at).map(get));
                resampling.interval_of(value, draws)
            };
            DecisionPoint {
                threshold,
                net_benefit: of(benefit.model, |lanes| &lanes.model),
                treat_all: benefit.all,
                standardised: (share > 0.0).then(|| benefit.model / share),
                advantage: of(benefit.advantage(), |lanes| &lanes.advantage),
                spared_per_100: 100.0 * (benefit.model - benefit.all) / odds(threshold),
            }
        })
        .collect();
    Ok(DecisionCurve {
        prevalence: share,
        prevalence_given: prevalence.is_some(),
        points,
    })
}

fn odds(threshold: f64) -> f64 {
    threshold / (1.0 - threshold)
}

fn patients(outcomes: &Outcomes, thresholds: &[f64]) -> Vec<Patient> {
    let mut cases: Vec<(u32, u32, bool)> = outcomes
        .iter()
        .map(|(truth, prediction, cluster)| {
            let step = thresholds.partition_point(|&t| t <= prediction);
            (cluster, step as u32, truth)
        })
        .collect();
    cases.sort_unstable();
    let mut patients = vec![Patient::default(); outcomes.clusters()];
    for same in cases.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some(&(cluster, step, _)) = same.first() else {
            continue;
        };
        let positives = same.iter().filter(|case| case.2).count();
        if let Some(patient) = patients.get_mut(cluster as usize) {
            let negatives = same.len() - positives;
            patient
                .steps
                .push((step, positives as u32, negatives as u32));
        }
    }
    patients
}

/// Net benefits at one threshold.
#[derive(Clone, Copy)]
struct Benefit {
    model: f64,
    all: f64,
}

impl Benefit {
    /// Over the better of acting on everybody and on nobody.
    fn advantage(self) -> f64 {
        self.model - self.all.max(0.0)
    }
}

/// Net benefits at one threshold in many draws; `None` where a class has no weight.
struct Lanes {
    model: [Option<f64>; LANES],
    advantage: [Option<f64>; LANES],
}

/// Positives and negatives whose highest reached threshold is each one; none reached comes first.
type Reached = Vec<(u64, u64)>;

fn everyone(
    patients: &[Patient],
    thresholds: &[f64],
    prevalence: Option<f64>,
) -> Option<Vec<Benefit>> {
    let mut reached: Reached = vec![(0, 0); thresholds.len() + 1];
    for &(step, positives, negatives) in patients.iter().flat_map(|p| &p.steps) {
        if let Some(sum) = reached.get_mut(step as usize) {
            sum.0 += u64::from(positives);
            sum.1 += u64::from(negatives);
        }
    }
    benefits(&reached, thresholds, prevalence)
}

/// Net benefits at every threshold in every lane; sums of whole numbers, so exact in any order.
fn lanes(
    patients: &[Patient],
    thresholds: &[f64],
    prevalence: Option<f64>,
    weights: &Weights,
) -> Vec<Lanes> {
    let mut sums = vec![[[0_u64; LANES]; 2]; thresholds.len() + 1];
    for (patient, row) in patients.iter().zip(weights.rows()) {
        for &(step, positives, negatives) in &patient.steps {
            let Some(sums) = sums.get_mut(step as usize) else {
                continue;
            };
            for (sums, count) in sums.iter_mut().zip([positives, negatives]) {
                if count > 0 {
                    for (sum, &weight) in sums.iter_mut().zip(&row.0) {
                        *sum += u64::from(count) * u64::from(weight);
                    }
                }
            }
        }
    }
    let each: [Option<Vec<Benefit>>; LANES] = std::array::from_fn(|lane| {
        let reached: Reached = sums
            .iter()
            .map(|[positives, negatives]| (positives[lane], negatives[lane]))
            .collect();
        benefits(&reached, thresholds, prevalence)
    });
    (0..thresholds.len())
        .map(|at| {
            let of = |lane: usize| each[lane].as_ref().and_then(|all| all.get(at));
            Lanes {
                model: std::array::from_fn(|lane| of(lane).map(|b| b.model)),
                advantage: std::array::from_fn(|lane| of(lane).map(|b| b.advantage())),
            }
        })
        .collect()
}

/// Net benefits at every threshold; `None` where a class has no weight.
fn benefits(
    reached: &Reached,
    thresholds: &[f64],
    prevalence: Option<f64>,
) -> Option<Vec<Benefit>> {
    let positives: u64 = reached.iter().map(|r| r.0).sum();
    let negatives: u64 = reached.iter().map(|r| r.1).sum();
    if positives == 0 || negatives == 0 {
        return None;
    }
    let own = positives as f64 / (positives + negatives) as f64;
    let share = prevalence.unwrap_or(own);
    let (mut hits, mut alarms) = (0_u64, 0_u64);
    let mut from_above: Vec<Benefit> = thresholds
        .iter()
        .zip(reached.iter().skip(1))
        .rev()
        .map(|(&threshold, &(positive, negative))| {
            hits += positive;
            alarms += negative;
            let worth = odds(threshold);
            let hit = hits as f64 / positives as f64 * share;
            let alarm = alarms as f64 / negatives as f64 * (1.0 - share);
            Benefit {
                model: hit - alarm * worth,
                all: share - (1.0 - share) * worth,
            }
        })
        .collect();
    from_above.reverse();
    Some(from_above)
}
