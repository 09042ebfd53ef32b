//! Consistency bands: which frequencies would be seen if the predictions were right?

use super::band::{Moments, shares};
use super::fit_error::check_probabilities;

/// The frequencies between which a bin's share of positives lies in 95 % of repetitions if its predictions are right.
///
/// This is the consistency resampling of Bröcker and Smith without chance: the number of positives among independent
/// cases with probabilities `prediction` has a known distribution, taken exactly for small variances and to its third
/// moment for large ones. Bins that follow the predictions hold fixed numbers of cases, so those are not redrawn.
///
/// Cases of one patient resemble each other, which widens the band: `design_effect` is by how much their variance is
/// larger than that of independent cases (1 for those). In a reliability table it is the residuals' variance over patients
/// divided by that over cases, never below 1. `None` without cases, or where a prediction is no probability.
///
/// # Source
/// Bröcker, Smith 2007, "Increasing the reliability of reliability diagrams", Weather and Forecasting 22.
pub fn consistency(prediction: &[f64], design_effect: f64) -> Option<(f64, f64)> {
    check_probabilities(prediction).ok()?;
    let mut moments = Moments::default();
    for &p in prediction {
        moments.add(p);
    }
    let cases = prediction.len() as u64;
    Some(shares(&moments, prediction, cases, design_effect))
}
