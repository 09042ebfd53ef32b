//! Areas of independent cases.

use super::placement::Placements;
use super::{Area, AreaDifference, AreaError};
use crate::Outcomes;

/// The area under the ROC curve with `DeLong`'s variance.
///
/// Every case counts as independent: where patients have several slices this claims far too much, and
/// [`super::clustered_area`] is right. Clusters of the outcomes are not looked at.
///
/// # Errors
/// [`AreaError`] where a class is missing or has a single case.
///
/// # Source
/// `DeLong` ER, `DeLong` DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating
/// characteristic curves: a nonparametric approach. Biometrics 1988; 44:837.
pub fn delong(outcomes: &Outcomes<'_>) -> Result<Area, AreaError> {
    let placements = Placements::of(outcomes)?;
    Ok(Area {
        auc: placements.auc,
        variance: covariance(outcomes.truth(), &placements, &placements)?,
    })
}

/// Two areas of the same independent cases, and their difference; `second` is the other prediction of each case.
///
/// # Errors
/// [`AreaError`] where a class is missing or has a single case, or `second` does not fit the cases.
///
/// # Source
/// As [`delong`].
pub fn delong_difference(
    outcomes: &Outcomes<'_>,
    second: &[f64],
) -> Result<AreaDifference, AreaError> {
    let truth = outcomes.truth();
    let other = paired(outcomes, second)?;
    let (a, b) = (Placements::of(outcomes)?, Placements::of(&other)?);
    Ok(AreaDifference {
        first: Area {
            auc: a.auc,
            variance: covariance(truth, &a, &a)?,
        },
        second: Area {
            auc: b.auc,
            variance: covariance(truth, &b, &b)?,
        },
        covariance: covariance(truth, &a, &b)?,
    })
}

/// The same cases with another prediction.
pub(super) fn paired<'a>(
    outcomes: &Outcomes<'a>,
    second: &'a [f64],
) -> Result<Outcomes<'a>, AreaError> {
    use crate::OutcomesError::{Lengths, NotFinite};
    Outcomes::new(outcomes.truth(), second, outcomes.cluster()).map_err(|error| match error {
        Lengths {
            truths: cases,
            predictions: given,
            ..
        } => AreaError::Lengths { given, cases },
        NotFinite { case, value } => AreaError::NotFinite { case, value },
    })
}

/// The covariance of two areas: that of their placements within each class, over its number of cases.
fn covariance(truth: &[bool], a: &Placements, b: &Placements) -> Result<f64, AreaError> {
    let unit = "case";
    for (count, class) in [(a.positives, "positive"), (a.negatives, "negative")] {
        if count < 2 {
            return Err(AreaError::Single { unit, class });
        }
    }
    let (mut of_positives, mut of_negatives) = (0.0, 0.0);
    for ((&positive, x), y) in truth.iter().zip(&a.components).zip(&b.components) {
        let product = (x - a.auc) * (y - b.auc);
        if positive {
            of_positives += product;
        } else {
            of_negatives += product;
        }
    }
    let (m, n) = (a.positives as f64, a.negatives as f64);
    Ok(of_positives / ((m - 1.0) * m) + of_negatives / ((n - 1.0) * n))
}
