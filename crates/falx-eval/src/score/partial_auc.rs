//! The area under the part of the ROC curve on which a test would be used.

use crate::ranked::{Cut, Ranked};
use crate::{Outcomes, Undefined};

/// The part of the ROC curve that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RocRange {
    /// A specificity of at least this much: few false alarms.
    Specificity(f64),
    /// A sensitivity of at least this much: few misses.
    Sensitivity(f64),
}

/// Why a partial area has no value.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PartialAreaError {
    /// A class is missing.
    #[error(transparent)]
    Undefined(#[from] Undefined),
    /// A bound that leaves no range.
    #[error("a bound of {0} leaves no part of the curve; it must be at least 0 and below 1")]
    Bound(f64),
}

/// A partial area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartialArea {
    /// The area itself: at most the width of the range.
    pub area: f64,
    /// `McClish`'s standardised area: 0.5 for chance and 1 for a perfect ranking, whatever the range.
    pub standardised: f64,
}

impl PartialArea {
    /// An area over rates of wrong calls from 0 to `width`.
    pub(crate) fn new(area: f64, width: f64) -> Self {
        let (least, most) = (width * width / 2.0, width);
        Self {
            area,
            standardised: f64::midpoint(1.0, (area - least) / (most - least)),
        }
    }
}

/// The area under the part of the ROC curve with a specificity (or a sensitivity) of at least a bound.
///
/// Between two points of the curve it runs straight, as for the whole area. A bound of 0 gives the whole area.
///
/// # Errors
/// [`PartialAreaError`] where a class is missing or the bound leaves no range.
///
/// # Source
/// `McClish` DK. Analyzing a portion of the ROC curve. Med Decis Making 1989; 9:190. The value of scikit-learn's
/// `roc_auc_score(max_fpr = 1 - specificity)` is the standardised one.
pub fn partial_auc(
    outcomes: &Outcomes<'_>,
    range: RocRange,
) -> Result<PartialArea, PartialAreaError> {
    let (RocRange::Specificity(bound) | RocRange::Sensitivity(bound)) = range;
    if !(0.0..1.0).contains(&bound) {
        return Err(PartialAreaError::Bound(bound));
    }
    // A range of sensitivities is one of specificities with the classes and the scores turned round.
    let cases = outcomes.iter().map(|(truth, score, _)| match range {
        RocRange::Specificity(_) => (truth, score),
        RocRange::Sensitivity(_) => (!truth, -score),
    });
    let ranked = Ranked::new(cases);
    ranked.auc(|_| 1)?;
    Ok(specific(&ranked, |_| 1, 1.0 - bound).unwrap_or(PartialArea::new(0.0, 1.0 - bound)))
}

/// The partial area over false positive rates from 0 to `width` under weights; `None` where a class has no weight.
pub(crate) fn specific(
    ranked: &Ranked,
    weight: impl Fn(u32) -> u32 + Copy,
    width: f64,
) -> Option<PartialArea> {
    let mut total = Cut::default();
    ranked.cuts(weight, |_, now, _| total = now);
    if total.positives == 0 || total.negatives == 0 {
        return None;
    }
    let end = width * total.negatives as f64;
    let mut sum = 0.0;
    ranked.cuts(weight, |before, now, _| {
        let positives = now.positives - before.positives;
        if positives > 0 {
            let here = now.negatives - before.negatives;
            sum += positives as f64 * reached(before.negatives as f64, here as f64, end);
        }
    });
    let pairs = total.positives as f64 * total.negatives as f64;
    Some(PartialArea::new(sum / pairs, width))
}

/// How many of the first `end` negatives a positive case outranks that has `before` negatives above it and `here` beside
/// it; a negative beside it counts by how much of it lies before the end.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it is the inner loop of many draws at once, which must become vector instructions"
)]
pub(crate) fn reached(before: f64, here: f64, end: f64) -> f64 {
    let room = (end - before).max(0.0);
    // Of the ties, the curve's straight piece has climbed a share of room / here when the end comes.
    if here <= room {
        room - here / 2.0
    } else {
        room * room / (2.0 * here)
    }
}

#[cfg(test)]
mod tests;
