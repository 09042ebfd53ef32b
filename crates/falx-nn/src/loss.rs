//! The weighted multi-label log loss and its gradient.

use falx_core::{LABELS, Probability};

use crate::{Targets, Tensor};

/// The mean over samples of the weighted mean over labels of the binary cross-entropy.
///
/// With sample weights s, known labels m and label weights w it is `sum_n s_n r_n / sum_n s_n` over the
/// samples with any label, where `r_n = sum_c m w BCE / sum_c m w`. A target y may be anything from 0 to 1; the cross-entropy
/// is then `-y log p - (1 - y) log(1 - p)`, which is least, but not 0, where p = y.
///
/// # Source
/// RSNA Intracranial Hemorrhage Detection (Kaggle, 2019), evaluation page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedLogLoss {
    /// One weight per label, in the order of [`LABELS`].
    pub weights: [f32; 6],
}

impl Default for WeightedLogLoss {
    fn default() -> Self {
        Self {
            weights: LABELS.map(|label| label.loss_weight() as f32),
        }
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

impl WeightedLogLoss {
    /// The loss of `logits` and its gradient.
    ///
    /// # Shape
    /// `logits` is N x 6; the gradient has the same shape.
    ///
    /// # Errors
    /// [`LossError`] when logits, labels and sample weights do not belong together.
    pub fn evaluate(&self, logits: &Tensor, targets: &Targets) -> Result<LossOutput, LossError> {
        check(logits, targets)?;
        let rows = || logits.data.chunks_exact(6).zip(&targets.labels).enumerate();
        // A sample's share counts only where some of its labels are known.
        let known = |labels: &[Option<Probability>; 6]| -> f64 {
            let weighted = labels.iter().zip(self.weights);
            weighted
                .filter(|(label, _)| label.is_some())
                .map(|(_, weight)| f64::from(weight))
                .sum()
        };
        let share = |index: usize, labels: &[Option<Probability>; 6]| {
            if known(labels) > 0.0 {
                f64::from(targets.weight(index))
            } else {
                0.0
            }
        };
        let total: f64 = rows().map(|(index, (_, row))| share(index, &row.0)).sum();
        let (mut value, mut gradient) = (0.0, Tensor::filled(&logits.shape, 0.0));
        if total == 0.0 {
            return Ok(LossOutput { value, gradient });
        }
        for ((index, (logits, row)), slopes) in rows().zip(gradient.data.chunks_exact_mut(6)) {
            let scale = share(index, &row.0) / total;
            if scale == 0.0 {
                continue;
            }
            let scale = scale / known(&row.0);
            for (((&logit, label), weight), slope) in
                logits.iter().zip(row.0).zip(self.weights).zip(slopes)
            {
                let Some(label) = label else { continue };
                let (loss, derivative) = cross_entropy(f64::from(logit), label.get());
                value += scale * f64::from(weight) * loss;
                *slope = (scale * f64::from(weight) * derivative) as f32;
            }
        }
        Ok(LossOutput { value, gradient })
    }
}

fn check(logits: &Tensor, targets: &Targets) -> Result<(), LossError> {
    let (rows, weights) = (targets.labels.len(), targets.weights.len());
    if logits.shape != [rows, 6] || logits.data.len() != rows * 6 {
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
    match targets
        .weights
        .iter()
        .find(|weight| !weight.is_finite() || **weight < 0.0)
    {
        Some(&weight) => Err(LossError::WeightValue(weight)),
        None => Ok(()),
    }
}

/// The binary cross-entropy of a logit in the form that cannot overflow, and its derivative.
fn cross_entropy(logit: f64, y: f64) -> (f64, f64) {
    let loss = logit.max(0.0) - logit * y + (-logit.abs()).exp().ln_1p();
    (loss, 1.0 / (1.0 + (-logit).exp()) - y)
}

#[cfg(test)]
mod tests;
