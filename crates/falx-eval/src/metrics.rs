//! The plain scores: log losses, area under the ROC curve, average precision.

use falx_core::{LABELS, LabelRow, Probability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Estimate;
use crate::ranked::{Ranked, Walk};
use crate::resampling::Resampling;

/// How far a probability is kept away from 0 and 1 before its logarithm is taken.
///
/// # Source
/// RSNA Intracranial Hemorrhage Detection (Kaggle, 2019), evaluation page.
pub const CLIP: f64 = 1e-15;

/// Why a score has no value.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, thiserror::Error,
)]
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
pub(crate) fn row_loss(truth: LabelRow, prediction: &[f64; 6]) -> Option<f64> {
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
        .filter_map(|(y, p)| row_loss(*y, &p.map(Probability::get)))
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

/// The area under the ROC curve with its 95 % interval over `replicates` resamples of whole clusters.
///
/// # Shape
/// One truth, score and cluster a case; clusters are numbered from 0 without gaps. Of unequal lengths the shortest
/// counts.
///
/// # Errors
/// [`Undefined`] when one of the two classes has no case.
pub fn auc_by_cluster(
    truth: &[bool],
    score: &[f64],
    cluster: &[u32],
    replicates: u32,
    seed: u64,
) -> Result<Estimate, Undefined> {
    let cases = truth.iter().zip(score).zip(cluster);
    let ranked = Ranked::new(cases.map(|((&truth, &score), _)| (truth, score)));
    let value = ranked.auc(|_| 1)?;
    let clusters = cluster.iter().max().map_or(0, |&last| last as usize + 1);
    let resampling = Resampling::new(clusters, replicates, seed);
    let number = |case: u32| cluster.get(case as usize).copied().unwrap_or(0);
    let Some(walk) = Walk::new(&ranked, number, std::iter::empty()) else {
        return Ok(resampling.interval_of(value, std::iter::empty()));
    };
    Ok(resampling.estimate_of(value, |weights| {
        walk.areas(weights, &walk.totals(weights), 1.0).auc
    }))
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
