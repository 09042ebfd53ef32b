//! The competition's metric as a loss of probabilities.

use falx_core::Probability;

use super::{Loss, LossError, LossOutput, Reduction, reduce};
use crate::{Targets, Tensor};

/// Probabilities are kept this far from 0 and 1.
const CLIP: f64 = 1e-15;

/// The weighted log loss of `probabilities`, clipped to 1e-15 from 0 and 1, and its gradient by them: for networks from
/// elsewhere that end in probabilities. Where the clip acts the gradient is 0.
///
/// # Shape
/// `probabilities` is N x 6; the gradient has the same shape.
///
/// # Errors
/// [`LossError`] when probabilities, labels and sample weights do not belong together.
///
/// # Source
/// RSNA Intracranial Hemorrhage Detection (Kaggle, 2019), evaluation page.
pub fn clipped_log_loss(
    probabilities: &Tensor,
    targets: &Targets,
) -> Result<LossOutput, LossError> {
    let of = |p: f64, label: Probability| {
        let (y, inside) = (label.get(), p.clamp(CLIP, 1.0 - CLIP));
        let loss = -y * inside.ln() - (1.0 - y) * (-inside).ln_1p();
        let is_inside = p > CLIP && p < 1.0 - CLIP;
        let slope = if is_inside {
            (p - y) / (p * (1.0 - p))
        } else {
            0.0
        };
        (loss, slope)
    };
    let weights = Loss::default().weights;
    reduce(probabilities, targets, &weights, Reduction::Samples, of)
}
