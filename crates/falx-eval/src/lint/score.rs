//! What a submission would score against known labels.

use falx_core::{ImageId, LABELS, Label, LabelRow};
use serde::{Deserialize, Serialize};

use super::sample::Sample;
use crate::kaggle::Truth;
use crate::metrics::row_loss;
use crate::{log_loss, prevalence};

/// One label of the local score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredLabel {
    /// The label.
    pub label: Label,
    /// Positive images.
    pub positives: u64,
    /// The submission's mean log loss.
    pub log_loss: f64,
    /// The mean log loss of predicting this label's prevalence.
    pub baseline_log_loss: f64,
}

/// What the submission would score against known labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Images scored: six valid values, and six known labels.
    pub images: u64,
    /// Images of the sample that were not scored.
    pub not_scored: u64,
    /// The weighted log loss.
    pub weighted_log_loss: f64,
    /// The same with every row counted as often as the label file has it; `None` where it repeats none of those scored.
    /// RSNA's own label files have the rows of four images twice, and Kaggle scores the rows as they stand.
    pub with_repeated_rows: Option<f64>,
    /// The weighted log loss of predicting these images' prevalence.
    pub prevalence_log_loss: f64,
    /// The weighted log loss of predicting one half.
    pub half_log_loss: f64,
    /// `1 - loss / prevalence's loss`; `None` where the latter has only one outcome to predict.
    pub skill: Option<f64>,
    /// One row a label.
    pub labels: Vec<ScoredLabel>,
}

/// Scores the images that have six valid values and six known labels; `None` where there is none.
pub(super) fn score<'a>(
    truth: &'a Truth,
    sample: &Sample,
    values: &'a [[f64; 6]],
) -> Option<Score> {
    let pair = |(image, labels): &'a (ImageId, LabelRow)| {
        let values = values.get(sample.number(image.as_str())? as usize)?;
        let whole = labels.is_complete() && values.iter().all(|v| !v.is_nan());
        whole.then_some((labels, values))
    };
    let pairs: Vec<_> = truth.rows.iter().filter_map(pair).collect();
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let prevalence = prevalence(pairs.iter().map(|(y, _)| *y)).map(|p| p.unwrap_or(0.5));
    let mean = |prediction: &dyn Fn(&[f64; 6]) -> [f64; 6]| {
        let losses = pairs
            .iter()
            .filter_map(|(y, p)| row_loss(**y, &prediction(p)));
        losses.sum::<f64>() / n
    };
    let weighted_log_loss = mean(&|p| *p);
    let (loss, weight) = truth
        .repeated
        .iter()
        .filter_map(|&(row, label)| {
            let (labels, values) = pair(truth.rows.get(row)?)?;
            let loss = log_loss(labels.get(label)?, values[label.index()]);
            Some((label.loss_weight() * loss, label.loss_weight()))
        })
        .fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    let with_repeated_rows = (weight > 0.0).then(|| (n * weighted_log_loss + loss) / (n + weight));
    let prevalence_log_loss = mean(&|_| prevalence);
    let labels = LABELS
        .into_iter()
        .zip(prevalence)
        .map(|(label, share)| {
            let of = |p: &dyn Fn(&[f64; 6]) -> f64| {
                let losses = pairs
                    .iter()
                    .filter_map(|(y, v)| Some(log_loss(y.get(label)?, p(v))));
                losses.sum::<f64>() / n
            };
            ScoredLabel {
                label,
                positives: pairs
                    .iter()
                    .filter(|(y, _)| y.get(label) == Some(true))
                    .count() as u64,
                log_loss: of(&|v| v[label.index()]),
                baseline_log_loss: of(&|_| share),
            }
        })
        .collect();
    Some(Score {
        images: pairs.len() as u64,
        not_scored: (sample.places.len() - pairs.len()) as u64,
        weighted_log_loss,
        with_repeated_rows,
        prevalence_log_loss,
        half_log_loss: mean(&|_| [0.5; 6]),
        skill: (prevalence_log_loss > crate::level::PERFECT)
            .then(|| 1.0 - weighted_log_loss / prevalence_log_loss),
        labels,
    })
}
