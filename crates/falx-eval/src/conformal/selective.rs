//! Selective prediction: the error of the cases kept, when the least confident are left to a human.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::covering;
use crate::{Estimate, Outcomes, Resampling, log_loss};

/// What abstaining should lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectiveLoss {
    /// 1 for a case on the wrong side of the threshold.
    Error,
    /// The log loss, in nats.
    LogLoss,
}

/// The mean loss of the most confident cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskAt {
    /// The share of cases kept.
    pub coverage: f64,
    /// Their mean loss.
    pub risk: Option<Estimate>,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskPoint {
    /// The share of cases kept.
    pub coverage: f64,
    /// Their mean loss.
    pub risk: f64,
    /// The lowest confidence kept.
    pub confidence: f64,
}

/// Risk against coverage: what abstaining on the least confident cases buys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskCoverage {
    /// What is averaged.
    pub loss: SelectiveLoss,
    /// Cases.
    pub cases: u64,
    /// The curve from the most confident cases to all of them, thinned to at most some two hundred points.
    pub curve: Vec<RiskPoint>,
    /// The mean loss of all cases.
    pub full_risk: Option<Estimate>,
    /// The area under the curve, the mean of the risks at 1, 2, … n cases kept; lower is better.
    pub area: Option<Estimate>,
    /// The same area if the cases were left out in the order of their true losses: the best that confidence could do.
    pub oracle_area: Option<Estimate>,
    /// The excess of the area over the oracle's; 0 is a perfect order.
    pub excess_area: Option<Estimate>,
    /// The risk with 80 and with 90 % of the cases kept.
    pub at: Vec<RiskAt>,
}

const AT: [f64; 2] = [0.8, 0.9];
const POINTS: usize = 200;

/// How far a prediction lies from the threshold towards certainty, 0 to 1. With a threshold of 0.5 its order is that of
/// the probability of the likelier answer.
pub fn confidence(prediction: f64, threshold: f64) -> f64 {
    let (far, room) = if prediction >= threshold {
        (prediction - threshold, 1.0 - threshold)
    } else {
        (threshold - prediction, threshold)
    };
    if room > 0.0 { far / room } else { 0.0 }
}

/// The curve of one label, with [`confidence`] about a locked threshold. Intervals resample patients.
pub fn selective_risk(
    outcomes: &Outcomes<'_>,
    threshold: f64,
    loss: SelectiveLoss,
    resampling: &Resampling,
) -> RiskCoverage {
    let confidence: Vec<f64> = outcomes
        .prediction()
        .iter()
        .map(|&p| confidence(p, threshold))
        .collect();
    let losses: Vec<f64> = outcomes
        .iter()
        .map(|(truth, p, _)| match loss {
            SelectiveLoss::Error => f64::from(u8::from((p >= threshold) != truth)),
            SelectiveLoss::LogLoss => log_loss(truth, p),
        })
        .collect();
    let resampling = covering(resampling, outcomes);
    selective_risk_of(&confidence, &losses, outcomes.cluster(), loss, &resampling)
}

/// As [`selective_risk`], with any confidence and any loss.
///
/// Among equal confidences the expectation over their random order counts, so that ties depend on no order of cases.
///
/// # Shape
/// A confidence, a loss and a cluster a case; of unequal lengths the shortest counts.
///
/// # Source
/// El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 11 (2010); Geifman, Uziel and
/// El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers", ICLR 2019 (AURC and E-AURC).
pub fn selective_risk_of(
    confidence: &[f64],
    losses: &[f64],
    cluster: &[u32],
    loss: SelectiveLoss,
    resampling: &Resampling,
) -> RiskCoverage {
    let cases = || confidence.iter().zip(losses).zip(cluster);
    let by_confidence = Kept::new(cases().map(|((&c, &l), &k)| (-c, l, k)));
    let by_loss = Kept::new(cases().map(|((_, &l), &k)| (l, l, k)));
    let found = resampling.estimates(|weights| {
        let walked = by_confidence.walk(weights, |_, _, _| ());
        let oracle = by_loss.walk(weights, |_, _, _| ()).map(|w| w.area);
        let excess = walked
            .as_ref()
            .zip(oracle)
            .map(|(w, oracle)| w.area - oracle);
        vec![
            walked.as_ref().map(|w| w.risk),
            walked.as_ref().map(|w| w.area),
            oracle,
            excess,
            walked.as_ref().map(|w| w.at[0]),
            walked.as_ref().map(|w| w.at[1]),
        ]
    });
    let estimate = |i: usize| found.get(i).copied().flatten();
    let mut curve = Vec::new();
    let ones = vec![1; resampling.clusters()];
    let _ = by_confidence.walk(&ones, |coverage, risk, key| {
        curve.push(RiskPoint {
            coverage,
            risk,
            confidence: -key,
        });
    });
    RiskCoverage {
        loss,
        cases: by_confidence.cases.len() as u64,
        curve: thinned(&curve),
        full_risk: estimate(0),
        area: estimate(1),
        oracle_area: estimate(2),
        excess_area: estimate(3),
        at: (4..)
            .zip(AT)
            .map(|(i, coverage)| RiskAt {
                coverage,
                risk: estimate(i),
            })
            .collect(),
    }
}

/// Every so-manieth point, the first and the last among them.
fn thinned(curve: &[RiskPoint]) -> Vec<RiskPoint> {
    let step = curve.len().div_ceil(POINTS).max(1);
    let last = curve.len().saturating_sub(1);
    let kept = (0..)
        .zip(curve)
        .filter(|(i, _)| i % step == 0 || *i == last);
    kept.map(|(_, point)| *point).collect()
}

/// Cases in the order in which they are kept: (key, loss, cluster), the lowest key first.
struct Kept {
    cases: Vec<(f64, f64, u32)>,
}

/// The numbers of one walk.
struct Walked {
    risk: f64,
    area: f64,
    at: [f64; 2],
}

impl Kept {
    fn new(cases: impl Iterator<Item = (f64, f64, u32)>) -> Self {
        let mut cases: Vec<_> = cases.collect();
        cases.sort_unstable_by(|a, b| {
            let order = a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
            order.then(a.2.cmp(&b.2))
        });
        Self { cases }
    }

    /// Walks through groups of equal keys under weights; `visit` gets coverage, risk and key after each group.
    /// `None` where no case counts.
    fn walk(&self, weights: &[u32], mut visit: impl FnMut(f64, f64, f64)) -> Option<Walked> {
        let weight = |cluster: u32| weights.get(cluster as usize).copied().unwrap_or(0);
        let total: u64 = self.cases.iter().map(|c| u64::from(weight(c.2))).sum();
        if total == 0 {
            return None;
        }
        let marks = AT.map(|at| (at * total as f64 - 1e-9).ceil().max(1.0) as u64);
        let mut walked = Walked {
            risk: 0.0,
            area: 0.0,
            at: [0.0; 2],
        };
        let (mut kept, mut lost) = (0_u64, 0.0);
        for ties in self.cases.chunk_by(|a, b| a.0 == b.0) {
            let (mut more, mut loss) = (0_u64, 0.0);
            for &(_, l, cluster) in ties {
                let w = weight(cluster);
                more += u64::from(w);
                loss += l * f64::from(w);
            }
            let Some(&(key, _, _)) = ties.first().filter(|_| more > 0) else {
                continue;
            };
            let mean = loss / more as f64;
            // The sum over j = 1 … more of (lost + j · mean) / (kept + j).
            walked.area +=
                loss + (lost - kept as f64 * mean) * harmonic_difference(kept, kept + more);
            for (risk, mark) in walked.at.iter_mut().zip(marks) {
                if kept < mark && mark <= kept + more {
                    *risk = (lost + (mark - kept) as f64 * mean) / mark as f64;
                }
            }
            kept += more;
            lost += loss;
            visit(kept as f64 / total as f64, lost / kept as f64, key);
        }
        walked.risk = lost / total as f64;
        walked.area /= total as f64;
        Some(walked)
    }
}

/// 1/(from + 1) + … + 1/to: added up where that is short, else by Euler and Maclaurin's formula.
fn harmonic_difference(from: u64, to: u64) -> f64 {
    const SHORT: u64 = 64;
    if to - from <= SHORT {
        return (from + 1..=to).map(|k| 1.0 / k as f64).sum();
    }
    // Below some 30 the expansion would not be exact to the last digits.
    let near = (from + SHORT).min(to);
    let first: f64 = (from + 1..=near).map(|k| 1.0 / k as f64).sum();
    let tail = |n: f64| {
        let square = n * n;
        0.5 / n - 1.0 / (12.0 * square) + 1.0 / (120.0 * square * square)
            - 1.0 / (252.0 * square * square * square)
    };
    let (a, b) = (near as f64, to as f64);
    first + (b / a).ln() + tail(b) - tail(a)
}
