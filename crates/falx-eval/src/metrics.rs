//! The plain scores: log losses, area under the ROC curve, average precision.

use falx_core::{LABELS, LabelRow, Probability};
use serde::{Deserialize, Serialize};

/// How far a probability is kept away from 0 and 1 before its logarithm is taken.
///
/// # Source
/// RSNA Intracranial Hemorrhage Detection (Kaggle, 2019), evaluation page.
pub const CLIP: f64 = 1e-15;

/// Why a score has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// Nothing to score.
    #[error("no case has this label known")]
    NoCases,
    /// No positive case.
    #[error("no positive case")]
    NoPositives,
    /// No negative case.
    #[error("no negative case")]
    NoNegatives,
}

/// The log loss of one binary outcome, with the prediction clipped to `[CLIP, 1 - CLIP]`.
///
/// # Units
/// Nats.
pub fn log_loss(truth: bool, prediction: f64) -> f64 {
    let p = prediction.clamp(CLIP, 1.0 - CLIP);
    if truth { -p.ln() } else { -(1.0 - p).ln() }
}

/// The mean log loss of one label.
///
/// # Shape
/// Two slices of equal length; of unequal ones the shorter length counts.
///
/// # Errors
/// [`Undefined::NoCases`] when there is nothing to score.
pub fn label_log_loss(truth: &[bool], prediction: &[f64]) -> Result<f64, Undefined> {
    let n = truth.len().min(prediction.len());
    if n == 0 {
        return Err(Undefined::NoCases);
    }
    let sum: f64 = truth
        .iter()
        .zip(prediction)
        .map(|(&y, &p)| log_loss(y, p))
        .sum();
    Ok(sum / n as f64)
}

/// The weighted log loss of one row, over the labels that are known; `None` when none is.
pub(crate) fn row_loss(truth: &LabelRow, prediction: &[f64; 6]) -> Option<f64> {
    let mut loss = 0.0;
    let mut weight = 0.0;
    for (label, &p) in LABELS.into_iter().zip(prediction) {
        if let Some(y) = truth.get(label) {
            loss += label.loss_weight() * log_loss(y, p);
            weight += label.loss_weight();
        }
    }
    (weight > 0.0).then(|| loss / weight)
}

/// The competition's weighted multi-label log loss: the mean over rows of the weighted mean over labels, `any` double.
///
/// A label that is not known is left out of its row's weighted mean; a row without any known label is left out.
///
/// # Shape
/// One truth and one prediction a row, both in the order of [`LABELS`]; of unequal lengths the shorter counts.
///
/// # Errors
/// [`Undefined::NoCases`] when no row has a known label.
///
/// # Source
/// RSNA Intracranial Hemorrhage Detection (Kaggle, 2019), evaluation page.
pub fn weighted_log_loss(
    truth: &[LabelRow],
    prediction: &[[Probability; 6]],
) -> Result<f64, Undefined> {
    let (sum, rows) = truth
        .iter()
        .zip(prediction)
        .filter_map(|(y, p)| row_loss(y, &p.map(Probability::get)))
        .fold((0.0, 0_u64), |(sum, rows), loss| (sum + loss, rows + 1));
    if rows == 0 {
        return Err(Undefined::NoCases);
    }
    Ok(sum / rows as f64)
}

/// The share of positives of each label among the rows that know it; `None` where no row does.
pub fn prevalence<'a>(truth: impl IntoIterator<Item = &'a LabelRow>) -> [Option<f64>; 6] {
    let mut counts = [(0_u64, 0_u64); 6];
    for row in truth {
        for (count, value) in counts.iter_mut().zip(row.0) {
            if let Some(positive) = value {
                count.0 += u64::from(positive);
                count.1 += 1;
            }
        }
    }
    counts.map(|(positive, known)| (known > 0).then(|| positive as f64 / known as f64))
}

/// The exact area under the ROC curve (Mann-Whitney): the share of positive-negative pairs in which the positive
/// case scores higher, ties counting one half.
///
/// # Shape
/// Two slices of equal length; of unequal ones the shorter length counts.
///
/// # Errors
/// [`Undefined`] when one of the two classes has no case.
pub fn auc(truth: &[bool], score: &[f64]) -> Result<f64, Undefined> {
    Ranked::new(truth.iter().copied().zip(score.iter().copied())).auc(|_| 1)
}

/// Average precision: the mean of the precision over the positives, ties taken together, without interpolation.
///
/// # Shape
/// Two slices of equal length; of unequal ones the shorter length counts.
///
/// # Errors
/// [`Undefined`] when there is no positive case.
///
/// # Source
/// The definition of scikit-learn's `average_precision_score`.
pub fn average_precision(truth: &[bool], score: &[f64]) -> Result<f64, Undefined> {
    Ranked::new(truth.iter().copied().zip(score.iter().copied())).average_precision(|_| 1)
}

/// The cases of one label from the highest score to the lowest: sorted once, scored under any weights.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranked {
    entries: Vec<Entry>,
}

/// One case in its rank.
#[derive(Clone, Copy, Debug)]
struct Entry {
    case: u32,
    positive: bool,
    /// The last of its ties.
    closes: bool,
}

/// Weighted counts at the end of a group of ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Positives that score at least this much.
    pub(crate) positives: u64,
    /// Negatives that score at least this much.
    pub(crate) negatives: u64,
}

impl Ranked {
    /// Sorts cases by score; the place in `cases` is the number by which weights are asked for.
    pub(crate) fn new(cases: impl IntoIterator<Item = (bool, f64)>) -> Self {
        let mut sorted: Vec<(f64, u32, bool)> = cases
            .into_iter()
            .enumerate()
            .map(|(i, (positive, score))| (score, i as u32, positive))
            .collect();
        sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let next = sorted.iter().skip(1).map(|e| Some(e.0)).chain([None]);
        let entries = sorted
            .iter()
            .zip(next)
            .map(|(&(score, case, positive), next)| Entry {
                case,
                positive,
                closes: next != Some(score),
            })
            .collect();
        Self { entries }
    }

    /// Replaces every case's number, say by that of its patient.
    pub(crate) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        for entry in &mut self.entries {
            entry.case = number(entry.case);
        }
    }

    /// Weighted counts of positives and negatives.
    pub(crate) fn totals(&self, weight: impl Fn(u32) -> u32) -> Cut {
        let mut total = Cut::default();
        for entry in &self.entries {
            let w = u64::from(weight(entry.case));
            if entry.positive {
                total.positives += w;
            } else {
                total.negatives += w;
            }
        }
        total
    }

    /// Calls `visit` with the counts before and after each group of ties, from the highest score down.
    pub(crate) fn cuts(&self, weight: impl Fn(u32) -> u32, mut visit: impl FnMut(Cut, Cut)) {
        let (mut before, mut now) = (Cut::default(), Cut::default());
        for entry in &self.entries {
            let w = u64::from(weight(entry.case));
            if entry.positive {
                now.positives += w;
            } else {
                now.negatives += w;
            }
            if entry.closes {
                visit(before, now);
                before = now;
            }
        }
    }

    pub(crate) fn auc(&self, weight: impl Fn(u32) -> u32) -> Result<f64, Undefined> {
        self.areas(weight).0
    }

    pub(crate) fn average_precision(&self, weight: impl Fn(u32) -> u32) -> Result<f64, Undefined> {
        self.areas(weight).1
    }

    /// Area under the ROC curve and average precision in one walk.
    pub(crate) fn areas(
        &self,
        weight: impl Fn(u32) -> u32,
    ) -> (Result<f64, Undefined>, Result<f64, Undefined>) {
        // Twice the pairs won, so that half a pair for a tie stays a whole number and the area exact.
        let mut twice_won = 0_u128;
        let mut precision_sum = 0.0;
        let mut total = Cut::default();
        self.cuts(weight, |before, now| {
            let positives = now.positives - before.positives;
            let negatives = now.negatives - before.negatives;
            twice_won += u128::from(negatives) * u128::from(before.positives + now.positives);
            if positives > 0 {
                precision_sum += positives as f64 * now.positives as f64
                    / (now.positives + now.negatives) as f64;
            }
            total = now;
        });
        let Cut {
            positives,
            negatives,
        } = total;
        if positives + negatives == 0 {
            return (Err(Undefined::NoCases), Err(Undefined::NoCases));
        }
        if positives == 0 {
            return (Err(Undefined::NoPositives), Err(Undefined::NoPositives));
        }
        let ap = Ok(precision_sum / positives as f64);
        if negatives == 0 {
            return (Err(Undefined::NoNegatives), ap);
        }
        let pairs = u128::from(positives) * u128::from(negatives);
        (Ok(twice_won as f64 / (2 * pairs) as f64), ap)
    }
}
