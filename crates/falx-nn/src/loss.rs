//! Losses of logits and their gradients.
//!
//! A [`Loss`] is a cross-entropy of each label (plain, focal or asymmetric), weighted over labels and samples. A missing
//! label takes no part; a target may be anything from 0 to 1.

mod clipped;
mod config;
mod element;

use falx_core::Probability;

use crate::{Targets, Tensor};
pub use clipped::clipped_log_loss;
pub use config::{LossConfig, LossConfigError, LossName, Reduction};
use element::Element;

/// A loss that can be evaluated: [`LossConfig`], checked. The default is the weighted multi-label log loss of the competition.
///
/// # Source
/// RSNA Intracranial Hemorrhage Detection (Kaggle, 2019), evaluation page, for the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    element: Element,
    smoothing: f64,
    reduction: Reduction,
    /// What each label counts; only their proportions matter.
    weights: [f64; 6],
}

impl Default for Loss {
    fn default() -> Self {
        Self::checked(&LossConfig::default())
    }
}

/// A loss and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct LossOutput {
    /// The loss; 0 where no sample has a label.
    pub value: f64,
    /// The gradient with respect to the logits.
    pub gradient: Tensor,
}

/// Logits and targets that do not belong together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LossError {
    /// The logits are not one row of six per target.
    #[error(
        "the logits have the shape {logits:?}, but {targets} rows of six labels want [{targets}, 6]"
    )]
    Shape {
        /// The logits' shape.
        logits: Vec<usize>,
        /// The number of rows of labels.
        targets: usize,
    },
    /// Sample weights that are neither absent nor one per sample.
    #[error("{weights} sample weights came for {targets} samples; give one each, or none at all")]
    Weights {
        /// How many weights came.
        weights: usize,
        /// How many samples there are.
        targets: usize,
    },
    /// A negative or unusable sample weight.
    #[error("a sample weight is {0}; weights must be finite and at least 0")]
    WeightValue(f32),
}

impl Loss {
    /// The loss of `logits` and its gradient.
    ///
    /// # Shape
    /// `logits` is N x 6, or N x T x 6 with a row of targets for each of the N·T slices; the gradient has the same shape.
    ///
    /// # Errors
    /// [`LossError`] when logits, labels and sample weights do not belong together.
    pub fn evaluate(&self, logits: &Tensor, targets: &Targets) -> Result<LossOutput, LossError> {
        let of = |logit, label: Probability| {
            let target = label.get() * (1.0 - self.smoothing) + self.smoothing / 2.0;
            self.element.of(logit, target)
        };
        reduce(logits, targets, &self.weights, self.reduction, of)
    }
}

/// Sums `of` (a loss and its derivative) over labels and samples.
fn reduce(
    values: &Tensor,
    targets: &Targets,
    weights: &[f64; 6],
    reduction: Reduction,
    of: impl Fn(f64, Probability) -> (f64, f64),
) -> Result<LossOutput, LossError> {
    check(values, targets)?;
    let known = |labels: &[Option<Probability>; 6]| -> f64 {
        let weighted = labels.iter().zip(weights);
        weighted
            .filter(|(label, _)| label.is_some())
            .map(|(_, weight)| weight)
            .sum()
    };
    let sample = |index: usize| f64::from(targets.weight(index));
    let rows = || targets.labels.iter().enumerate();
    let total: f64 = match reduction {
        Reduction::Samples => rows()
            .filter(|(_, row)| known(&row.0) > 0.0)
            .map(|(index, _)| sample(index))
            .sum(),
        Reduction::Global => rows()
            .map(|(index, row)| sample(index) * known(&row.0))
            .sum(),
        Reduction::Batch => targets.labels.len() as f64 * weights.iter().sum::<f64>(),
    };
    // What the losses of a sample's labels are multiplied with, beside each label's weight.
    let scale = |index: usize, labels: &[Option<Probability>; 6]| {
        let (share, known) = (sample(index) / total, known(labels));
        match reduction {
            _ if known == 0.0 => 0.0,
            Reduction::Samples => share / known,
            Reduction::Global | Reduction::Batch => share,
        }
    };
    let (mut value, mut gradient) = (0.0, Tensor::filled(&values.shape, 0.0));
    if total == 0.0 {
        return Ok(LossOutput { value, gradient });
    }
    let slopes = gradient.data.chunks_exact_mut(6);
    for (((index, row), values), slopes) in rows().zip(values.data.chunks_exact(6)).zip(slopes) {
        let scale = scale(index, &row.0);
        if scale == 0.0 {
            continue;
        }
        for (((&x, label), weight), slope) in values.iter().zip(row.0).zip(weights).zip(slopes) {
            let Some(label) = label else { continue };
            let (loss, derivative) = of(f64::from(x), label);
            value += scale * weight * loss;
            *slope = (scale * weight * derivative) as f32;
        }
    }
    Ok(LossOutput { value, gradient })
}

fn check(logits: &Tensor, targets: &Targets) -> Result<(), LossError> {
    let (rows, weights) = (targets.labels.len(), targets.weights.len());
    let fits = match *logits.shape.as_slice() {
        [samples, 6] => samples == rows,
        [studies, slices, 6] => studies.checked_mul(slices) == Some(rows),
        _ => false,
    };
    if !fits || logits.data.len() != rows * 6 {
        let logits = logits.shape.clone();
        return Err(LossError::Shape {
            logits,
            targets: rows,
        });
    }
    if weights != 0 && weights != rows {
        return Err(LossError::Weights {
            weights,
            targets: rows,
        });
    }
    let unusable = |weight: &&f32| !weight.is_finite() || **weight < 0.0;
    match targets.weights.iter().find(unusable) {
        Some(&weight) => Err(LossError::WeightValue(weight)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
