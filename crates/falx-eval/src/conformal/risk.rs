//! Conformal risk control: the threshold that keeps the expected share of missed haemorrhages below a level.

use falx_core::{LabelRow, SUBTYPES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coverage::dealt;
use super::split::{ConformalError, check};
use super::{Promise, Share};
use crate::{Estimate, Outcomes, Resampling};

/// What counts as a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Misses {
    /// A patient's loss is the share of its positive cases that are not called.
    Cases,
    /// A patient's loss is the mean over its cases with a haemorrhage of the share of their subtypes that are not called.
    Subtypes,
}

/// One thing that is called, or not.
#[derive(Clone, Copy, Debug)]
struct Item {
    cluster: u32,
    score: f64,
    positive: bool,
    /// A positive's share of its patient's loss.
    loss: f64,
}

/// What an item adds to the numerator and the denominator of a share.
type Part = (f64, f64);

/// Everything that a threshold calls or misses, and whose it is.
#[derive(Clone, Debug)]
pub struct Detections {
    misses: Misses,
    items: Vec<Item>,
    clusters: usize,
}

/// The threshold that keeps a promise about misses. Small, plain data, so that a bundle can carry it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskControl {
    /// What counts as a miss.
    pub misses: Misses,
    /// The promised expected loss of a new patient with a haemorrhage.
    pub alpha: f64,
    /// Call what scores at least this; `None` calls everything, since fewer than 1/alpha − 1 patients allow no promise
    /// otherwise.
    pub threshold: Option<f64>,
    /// Patients with a haemorrhage that it was chosen from.
    pub patients: u64,
    /// Their mean loss at the threshold.
    pub risk: f64,
    /// (sum of losses + 1) ÷ (patients + 1), which is at most alpha: one patient more, with the worst loss.
    /// Above alpha only where the threshold is `None`.
    pub bound: f64,
}

impl RiskControl {
    /// Whether a prediction is called.
    pub fn calls(&self, prediction: f64) -> bool {
        self.threshold.is_none_or(|t| prediction >= t)
    }
}

/// What a controlled threshold does on other patients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RealisedRisk {
    /// The promised expected loss.
    pub alpha: f64,
    /// Patients with a haemorrhage.
    pub patients: u64,
    /// Their mean loss: what the promise is about; `None` without such a patient.
    pub risk: Option<Estimate>,
    /// The share of all positives that are missed, each counting the same.
    pub missed: Option<Estimate>,
    /// The share of everything that is called.
    pub called: Option<Estimate>,
    /// The share of the negatives that are called.
    pub false_alarms: Option<Estimate>,
    /// Whether `risk` keeps what was promised.
    pub promise: Promise,
    /// What a reader must know, in words.
    pub notes: Vec<String>,
}

/// A controlled threshold, judged on patients that it was not chosen on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskControlEvaluation {
    /// The threshold of all cases that may be chosen on: what a bundle carries.
    pub control: RiskControl,
    /// The number of folds where thresholds were cross-fitted by patient, for want of a development set.
    pub folds: Option<u32>,
    /// What the threshold, or the folds' thresholds, do on other patients.
    pub realised: RealisedRisk,
}

impl Detections {
    /// The cases of one label.
    ///
    /// # Errors
    /// [`ConformalError`] for no cases or predictions that are no probabilities.
    pub fn of_cases(outcomes: &Outcomes<'_>) -> Result<Self, ConformalError> {
        check(outcomes, 0.5)?;
        let mut items: Vec<Item> = outcomes
            .iter()
            .map(|(positive, score, cluster)| Item {
                cluster,
                score,
                positive,
                loss: 1.0,
            })
            .collect();
        divide_by_patient(&mut items, outcomes.clusters());
        Ok(Self {
            misses: Misses::Cases,
            items,
            clusters: outcomes.clusters(),
        })
    }

    /// The five subtypes of slices or studies; a label that is not known is left out.
    ///
    /// # Shape
    /// One truth, prediction (in the order of [`falx_core::LABELS`]) and cluster a case.
    ///
    /// # Errors
    /// [`ConformalError`] for no known subtype, unequal lengths, or predictions that are no probabilities.
    pub fn of_subtypes(
        truth: &[LabelRow],
        prediction: &[[f64; 6]],
        cluster: &[u32],
    ) -> Result<Self, ConformalError> {
        for (given, what) in [
            (prediction.len(), "predictions"),
            (cluster.len(), "clusters"),
        ] {
            if given != truth.len() {
                return Err(ConformalError::Lengths {
                    cases: truth.len(),
                    given,
                    what,
                });
            }
        }
        let clusters = cluster.iter().max().map_or(0, |&c| c as usize + 1);
        let mut cases_with = vec![0.0; clusters];
        let mut items = Vec::new();
        for (case, ((truth, prediction), &cluster)) in
            truth.iter().zip(prediction).zip(cluster).enumerate()
        {
            let known = SUBTYPES.map(|label| truth.get(label));
            let positives = known.iter().filter(|t| **t == Some(true)).count();
            if let Some(with) = cases_with.get_mut(cluster as usize) {
                *with += f64::from(u8::from(positives > 0));
            }
            for (positive, &score) in known.into_iter().zip(prediction) {
                if !(0.0..=1.0).contains(&score) {
                    return Err(ConformalError::NotProbability { case, value: score });
                }
                if let Some(positive) = positive {
                    items.push(Item {
                        cluster,
                        score,
                        positive,
                        loss: 1.0 / positives.max(1) as f64,
                    });
                }
            }
        }
        if items.is_empty() {
            return Err(ConformalError::NoCases);
        }
        for item in &mut items {
            item.loss /= cases_with
                .get(item.cluster as usize)
                .map_or(1.0, |n: &f64| n.max(1.0));
        }
        Ok(Self {
            misses: Misses::Subtypes,
            items,
            clusters,
        })
    }

    /// The highest threshold t for which the expected loss of a patient to come is at most `alpha`:
    /// n/(n + 1) · (mean loss at t) + 1/(n + 1) ≤ alpha over the n patients with a haemorrhage. The loss grows with the
    /// threshold, so patients need only be exchangeable.
    ///
    /// # Errors
    /// [`ConformalError::Level`] for a level outside (0, 1).
    ///
    /// # Source
    /// Angelopoulos, Bates, Fisch, Lei and Schuster, "Conformal risk control", ICLR 2024, theorem 1 with B = 1.
    pub fn control(&self, alpha: f64) -> Result<RiskControl, ConformalError> {
        self.control_where(alpha, |_| true)
    }

    fn control_where(
        &self,
        alpha: f64,
        counts: impl Fn(u32) -> bool,
    ) -> Result<RiskControl, ConformalError> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(ConformalError::Level(alpha));
        }
        let mut positives: Vec<(f64, f64, u32)> = self
            .items
            .iter()
            .filter(|i| i.positive && counts(i.cluster))
            .map(|i| (i.score, i.loss, i.cluster))
            .collect();
        positives.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut with: Vec<u32> = positives.iter().map(|p| p.2).collect();
        with.sort_unstable();
        with.dedup();
        let patients = with.len() as f64;
        let allowed = alpha * (patients + 1.0) - 1.0;
        // A threshold at a positive's score misses those below it, and no tie of it.
        let mut chosen = None;
        let mut lost = 0.0;
        for ties in positives.chunk_by(|a, b| a.0 == b.0) {
            if lost > allowed + 1e-12 * (patients + 1.0) {
                break;
            }
            chosen = ties.first().map(|t| (t.0, lost));
            lost += ties.iter().map(|t| t.1).sum::<f64>();
        }
        let loss = chosen.map_or(0.0, |(_, lost)| lost);
        Ok(RiskControl {
            misses: self.misses,
            alpha,
            threshold: chosen.map(|(threshold, _)| threshold),
            patients: with.len() as u64,
            risk: loss / patients.max(1.0),
            bound: (loss + 1.0) / (patients + 1.0),
        })
    }

    /// What one threshold does on these cases; intervals resample patients.
    pub fn realised(&self, control: &RiskControl, resampling: &Resampling) -> RealisedRisk {
        self.realised_by(control.alpha, |_| Some(control), resampling)
    }

    /// As [`Self::realised`], where each patient has a threshold of its own; patients without one are left out.
    fn realised_by<'a>(
        &self,
        alpha: f64,
        control: impl Fn(u32) -> Option<&'a RiskControl>,
        resampling: &Resampling,
    ) -> RealisedRisk {
        let resampling = resampling.covering(self.clusters);
        let judged: Vec<(Item, bool)> = self
            .items
            .iter()
            .filter_map(|&item| Some((item, control(item.cluster)?.calls(item.score))))
            .collect();
        let share = |part: &dyn Fn(&Item, bool) -> Option<Part>| {
            let parts = judged.iter().filter_map(|(item, called)| {
                let (numerator, denominator) = part(item, *called)?;
                Some((item.cluster, numerator, denominator))
            });
            Share::of(resampling.clusters(), parts)
        };
        let flag = |is: bool| f64::from(u8::from(is));
        // A patient's losses sum to 1 at most, so its ratio is its loss.
        let loss = |i: &Item, called: bool| i.positive.then(|| (i.loss * flag(!called), i.loss));
        let risk = share(&loss).by_patient();
        let shares = [
            risk.clone(),
            share(&|i, called| i.positive.then(|| (flag(!called), 1.0))),
            share(&|_, called| Some((flag(called), 1.0))),
            share(&|i, called| (!i.positive).then(|| (flag(called), 1.0))),
        ];
        let found = Share::estimates(&shares, &resampling);
        let estimate = |i: usize| found.get(i).copied().flatten();
        let promise = Promise::at_most(alpha, estimate(0));
        let notes = estimate(0)
            .filter(|_| promise == Promise::Broken)
            .map(|risk| {
                format!(
                    "The mean share missed is {:.1} % (95 % interval from {:.1} %), more than the promised {:.1} %: these \
                     patients are unlike those that the threshold was chosen on.",
                    100.0 * risk.value,
                    100.0 * risk.low.unwrap_or(risk.value),
                    100.0 * alpha
                )
            });
        RealisedRisk {
            alpha,
            patients: risk.patients(),
            risk: estimate(0),
            missed: estimate(1),
            called: estimate(2),
            false_alarms: estimate(3),
            promise,
            notes: notes.into_iter().collect(),
        }
    }
}

/// Gives each positive its share of its patient's loss.
fn divide_by_patient(items: &mut [Item], clusters: usize) {
    let mut positives = vec![0.0_f64; clusters];
    for item in items.iter().filter(|i| i.positive) {
        if let Some(n) = positives.get_mut(item.cluster as usize) {
            *n += 1.0;
        }
    }
    for item in items {
        item.loss /= positives
            .get(item.cluster as usize)
            .map_or(1.0, |n| n.max(1.0));
    }
}

/// A threshold from the development cases, judged on the test cases; without development cases, cross-fitted by patient
/// in `folds` folds.
///
/// # Errors
/// [`ConformalError`] for a level outside (0, 1), or too few patients for the folds.
pub fn evaluate_risk_control(
    development: Option<&Detections>,
    test: &Detections,
    alpha: f64,
    folds: u32,
    resampling: &Resampling,
) -> Result<RiskControlEvaluation, ConformalError> {
    if let Some(development) = development {
        let control = development.control(alpha)?;
        return Ok(RiskControlEvaluation {
            control,
            folds: None,
            realised: test.realised(&control, resampling),
        });
    }
    let truth: Vec<bool> = test.items.iter().map(|i| i.positive).collect();
    let score: Vec<f64> = test.items.iter().map(|i| i.score).collect();
    let cluster: Vec<u32> = test.items.iter().map(|i| i.cluster).collect();
    let outcomes = Outcomes::new(&truth, &score, &cluster).map_err(|_| ConformalError::NoCases)?;
    let fold = dealt(&outcomes, folds, resampling.seed())?;
    let of = |cluster: u32| fold.get(cluster as usize).copied().unwrap_or(0);
    let mut controls = Vec::new();
    for f in 0..folds {
        controls.push(test.control_where(alpha, |cluster| of(cluster) != f)?);
    }
    Ok(RiskControlEvaluation {
        control: test.control(alpha)?,
        folds: Some(folds),
        realised: test.realised_by(alpha, |c| controls.get(of(c) as usize), resampling),
    })
}
