//! What predictions do as a test.
//!
//! * [`Confusion`] says what four counts mean; [`Performance`] adds intervals.
//! * A [`Rule`] chooses a threshold on some patients; [`locked_points`] and [`cross_fitted_points`] judge it on others.
//! * [`roc_band`] says how surely a ROC curve is known.
//! * [`decision_curve`] says what acting on the predictions is worth.

mod confusion;
mod decision_curve;
mod locked;
mod performance;
mod roc_band;
#[cfg(test)]
mod tests;
mod threshold;

pub use confusion::{Confusion, MEASURES, Measure, NoValue};
pub use decision_curve::{
    DecisionCurve, DecisionPoint, HAEMORRHAGE_RANGE, NoCurve, decision_curve, thresholds,
};
pub(crate) use locked::deal as dealt_for_thresholds;
pub use locked::{
    ChosenOn, LockedPoint, LockedPoints, MissingPoint, cross_fitted_points, locked_points,
};
pub use performance::{
    CountsByCluster, PREVALENCES, Performance, PredictiveValues, UndefinedMeasure, performances,
};
pub use roc_band::{BAND_SPECIFICITIES, RocBandPoint, roc_band};
pub use threshold::{HEADLINE_RULE, NoThreshold, RULES, Rule};

use crate::OperatingPoint;
use crate::ranked::{Cut, Ranked};

const ROC_POINTS: usize = 200;

/// The ROC curve as (1 - specificity, sensitivity); empty where a class is missing.
pub(crate) fn roc(ranked: &Ranked) -> Vec<(f64, f64)> {
    let cuts = all_cuts(ranked);
    let Some(&(total, _)) = cuts.last() else {
        return Vec::new();
    };
    if total.positives == 0 || total.negatives == 0 {
        return Vec::new();
    }
    let mut corners = vec![Cut::default()];
    for (i, &(cut, _)) in cuts.iter().enumerate() {
        let previous = corners.last().copied().unwrap_or_default();
        let next = cuts.get(i + 1).map(|&(next, _)| next);
        // A point on a straight piece adds nothing to the picture.
        if next.is_none_or(|next| !straight(previous, cut, next)) {
            corners.push(cut);
        }
    }
    let step = corners.len().div_ceil(ROC_POINTS).max(1);
    let last = corners.len() - 1;
    corners
        .iter()
        .enumerate()
        .filter(|(i, _)| i % step == 0 || *i == last)
        .map(|(_, cut)| {
            (
                cut.negatives as f64 / total.negatives as f64,
                cut.positives as f64 / total.positives as f64,
            )
        })
        .collect()
}

fn straight(a: Cut, b: Cut, c: Cut) -> bool {
    let run = |from: Cut, to: Cut| {
        (
            i128::from(to.negatives - from.negatives),
            i128::from(to.positives - from.positives),
        )
    };
    let (x, y) = (run(a, b), run(b, c));
    x.0 * y.1 == x.1 * y.0
}

/// Counts at every distinct prediction, from the highest down, with a case that has it.
fn all_cuts(ranked: &Ranked) -> Vec<(Cut, u32)> {
    let mut cuts = Vec::new();
    ranked.cuts(|_| 1, |_, now, case| cuts.push((now, case)));
    cuts
}

/// The label's operating points: one half, the thresholds that reach a sensitivity of 90 % and 95 %, and the one that
/// keeps a specificity of 90 %. Empty where a class is missing.
///
/// Thresholds found on the cases that they are judged on look better than they are; the text says so.
pub(crate) fn points(ranked: &Ranked, predictions: &[f64]) -> Vec<OperatingPoint> {
    let cuts: Vec<(Cut, f64)> = all_cuts(ranked)
        .into_iter()
        .filter_map(|(cut, case)| Some((cut, *predictions.get(case as usize)?)))
        .collect();
    let Some(&(total, _)) = cuts.last() else {
        return Vec::new();
    };
    if total.positives == 0 || total.negatives == 0 {
        return Vec::new();
    }
    let point = |rule: String, threshold: f64, cut: Cut, chosen_on: ChosenOn| {
        let counts = Confusion {
            true_positives: cut.positives,
            false_positives: cut.negatives,
            true_negatives: total.negatives - cut.negatives,
            false_negatives: total.positives - cut.positives,
        };
        let value = |measure| counts.measure(measure).ok();
        OperatingPoint {
            rule,
            threshold,
            true_positives: counts.true_positives,
            false_positives: counts.false_positives,
            true_negatives: counts.true_negatives,
            false_negatives: counts.false_negatives,
            sensitivity: cut.positives as f64 / total.positives as f64,
            specificity: counts.true_negatives as f64 / total.negatives as f64,
            positive_predictive_value: value(Measure::PositivePredictiveValue),
            negative_predictive_value: value(Measure::NegativePredictiveValue),
            f1: value(Measure::F1),
            positive_likelihood_ratio: value(Measure::PositiveLikelihoodRatio),
            negative_likelihood_ratio: value(Measure::NegativeLikelihoodRatio),
            chosen_on,
        }
    };
    let half = cuts
        .iter()
        .take_while(|(_, threshold)| *threshold >= 0.5)
        .last()
        .map_or_else(Cut::default, |&(cut, _)| cut);
    let mut points = vec![point(
        "prediction of at least 0.5".to_owned(),
        0.5,
        half,
        ChosenOn::Fixed,
    )];
    for percent in [90, 95] {
        let reached = cuts
            .iter()
            .find(|(cut, _)| cut.positives * 100 >= total.positives * percent);
        if let Some(&(cut, threshold)) = reached {
            let rule = format!("sensitivity of at least {percent} %");
            points.push(point(rule, threshold, cut, ChosenOn::SameCases));
        }
    }
    let specific = cuts
        .iter()
        .take_while(|(cut, _)| (total.negatives - cut.negatives) * 100 >= total.negatives * 90)
        .last();
    if let Some(&(cut, threshold)) = specific {
        let rule = "specificity of at least 90 %".to_owned();
        points.push(point(rule, threshold, cut, ChosenOn::SameCases));
    }
    points
}
