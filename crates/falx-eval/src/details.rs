//! What is asked of a label's predictions beyond plain scores: thresholds found on some patients and judged on others,
//! and what acting on them is worth.

use falx_core::{LABELS, Label};
use rayon::prelude::*;

use crate::calibration::{recalibrate, recalibrate_cross_fitted};
use crate::level::Unit;
use crate::operating::{
    BAND_SPECIFICITIES, HAEMORRHAGE_RANGE, RULES, cross_fitted_points, decision_curve,
    locked_points, roc_band, thresholds,
};
use crate::resampling::{FOLDS, draws};
use crate::units::Units;
use crate::{LabelScore, LevelAbstention, Outcomes, Resampling, abstention};

/// One label's cases, owned, from the lowest prediction to the highest: much of what is asked of them sorts them so.
pub(crate) struct LabelCases {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    cluster: Vec<u32>,
}

impl LabelCases {
    pub(crate) fn of(units: &[Unit], label: Label) -> Self {
        let known = |unit: &Unit| {
            let positive = unit.truth.get(label)?;
            Some((unit.prediction[label.index()], unit.patient, positive))
        };
        let mut sorted: Vec<(f64, u32, bool)> = units.iter().filter_map(known).collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.2, a.1).cmp(&(b.2, b.1))));
        Self {
            truth: sorted.iter().map(|case| case.2).collect(),
            prediction: sorted.iter().map(|case| case.0).collect(),
            cluster: sorted.iter().map(|case| case.1).collect(),
        }
    }

    pub(crate) fn outcomes(&self) -> Option<Outcomes<'_>> {
        Outcomes::new(&self.truth, &self.prediction, &self.cluster).ok()
    }
}

/// Adds to each label's scores what needs other patients' cases; gives what abstaining does.
pub(crate) fn add(
    scores: &mut [LabelScore],
    judged: &Units,
    development: Option<&Units>,
    replicates: u32,
    seed: u64,
) -> Option<LevelAbstention> {
    let replicates = draws(judged.units.len(), replicates);
    let resampling = Resampling::new(judged.patients, replicates, seed).keeping_draws();
    let (low, high) = HAEMORRHAGE_RANGE;
    let steps: Vec<f64> = thresholds()
        .into_iter()
        .filter(|t| (low..=high).contains(t))
        .collect();
    scores
        .par_iter_mut()
        .zip(LABELS)
        .for_each(|(score, label)| {
            let cases = LabelCases::of(&judged.units, label);
            let developed = development.map(|units| LabelCases::of(&units.units, label));
            let Some(outcomes) = cases.outcomes().filter(|outcomes| !outcomes.is_empty()) else {
                return;
            };
            match developed.as_ref().map(LabelCases::outcomes) {
                Some(Some(developed)) => {
                    score.locked_points =
                        Some(locked_points(&RULES, &developed, &outcomes, &resampling));
                    score.recalibration = recalibrate(&developed, &outcomes).ok();
                }
                Some(None) => {}
                None => {
                    let points = cross_fitted_points(&RULES, &outcomes, FOLDS, &resampling);
                    score.locked_points = Some(points);
                    score.recalibration = recalibrate_cross_fitted(&outcomes, FOLDS, seed).ok();
                }
            }
            score.roc_band = roc_band(&outcomes, &BAND_SPECIFICITIES, &resampling);
            score.decision_curve = decision_curve(&outcomes, &steps, None, &resampling).ok();
        });
    abstention::of(scores, judged, development, &resampling)
}
