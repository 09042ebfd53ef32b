//! The readers of the studies that an evaluation judges, with the model among them.

use std::collections::{BTreeSet, HashMap};

use falx_core::{LABELS, Label, PatientId};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ModelReads, ReaderAgreement, ReaderTable, agreement};
use crate::details::LabelCases;
use crate::operating::HEADLINE_RULE;
use crate::operating::{LockedPoint, dealt_for_thresholds};
use crate::units::{Gathered, Units};
use crate::{
    Aggregation, Case, Evaluation, EvaluationInput, LabelScore, Resampling, StudyReads, units,
};

/// How far the readers of the judged studies agree, and where the model stands among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readers {
    /// Judged studies with reads.
    pub studies: u64,
    /// Their patients; the intervals resample these.
    pub patients: u64,
    /// The readers' names.
    pub readers: Vec<String>,
    /// How the model's slices became its prediction of a study.
    pub aggregation: Aggregation,
    /// One item for each label that somebody read, in the fixed order.
    pub labels: Vec<ReaderAgreement>,
}

/// The studies that were scored, and their units, in the same order.
pub(crate) struct ScoredStudies<'a> {
    pub(crate) gathered: &'a [Gathered<'a>],
    pub(crate) units: &'a Units,
}

/// `None` where nobody's own reads of a judged study are known.
pub(crate) fn of(
    e: &Evaluation,
    input: &EvaluationInput<'_>,
    scored: &ScoredStudies<'_>,
    aggregation: Aggregation,
) -> Option<Readers> {
    if input.studies.iter().all(|study| study.readers.is_empty()) {
        return None;
    }
    // Sums must not depend on the order in which cases came.
    let mut cases: Vec<&Case> = input.cases.iter().collect();
    cases.sort_by(|a, b| a.image_id.cmp(&b.image_id));
    let predicted = units::study_predictions(&cases, aggregation);
    let key = |study: &StudyReads| (study.patient.clone(), study.study.clone());
    let mut studies: Vec<StudyReads> = input
        .studies
        .iter()
        .filter(|s| !s.readers.is_empty() && predicted.contains_key(&(&s.patient, &*s.study)))
        .cloned()
        .collect();
    studies.sort_by_key(key);
    studies.dedup_by_key(|study| key(study));
    let table = ReaderTable::of_studies(&studies).ok()?;
    let resampling = Resampling::new(table.clusters(), e.replicates, e.seed);
    let scores = e.study.as_ref().map_or(&e.labels, |study| &study.labels);
    let numbers: HashMap<&PatientId, u32> = scored
        .gathered
        .iter()
        .map(Gathered::patient)
        .zip(scored.units.units.iter().map(|unit| unit.patient))
        .collect();
    let of_label = |label: Label| {
        let reads = table.counts(label).iter().any(|(_, all)| *all > 0);
        let prediction: Vec<Option<f64>> = studies
            .iter()
            .map(|s| {
                let row = predicted.get(&(&s.patient, &*s.study))?;
                row.get(label.index()).copied()
            })
            .collect();
        let point = point(scores, label);
        let own = point.and_then(|point| own_thresholds(point, scored.units, label, e.seed));
        let own: Option<Vec<f64>> = own.zip(point).map(|(by_patient, point)| {
            let number = |s: &StudyReads| numbers.get(&s.patient).copied();
            let of = |s: &StudyReads| by_patient.get(number(s)? as usize).copied();
            studies
                .iter()
                .map(|s| of(s).unwrap_or(point.threshold))
                .collect()
        });
        let model = ModelReads {
            prediction: &prediction,
            threshold: point.map(|point| point.threshold),
            own_thresholds: own.as_deref(),
            chosen_on: point.map(|point| point.chosen_on),
        };
        reads.then(|| agreement(&table, label, Some(&model), &resampling))
    };
    let patients: BTreeSet<_> = studies.iter().map(|s| &s.patient).collect();
    Some(Readers {
        studies: studies.len() as u64,
        patients: patients.len() as u64,
        readers: table.readers().to_vec(),
        aggregation,
        labels: LABELS.into_par_iter().filter_map(of_label).collect(),
    })
}

fn point(scores: &[LabelScore], label: Label) -> Option<&LockedPoint> {
    let points = scores.iter().find(|s| s.label == label)?;
    points.locked_points.as_ref()?.of(&HEADLINE_RULE)
}

/// The threshold of each patient's own fold, by the patient's number; `None` without folds. The folds are those that the
/// operating points were judged in.
fn own_thresholds(point: &LockedPoint, units: &Units, label: Label, seed: u64) -> Option<Vec<f64>> {
    let folds = u32::try_from(point.fold_thresholds.len()).ok()?;
    if folds == 0 {
        return None;
    }
    let cases = LabelCases::of(&units.units, label);
    let fold_of = dealt_for_thresholds(&cases.outcomes()?, folds, seed).ok()?;
    let threshold = |fold: &u32| point.fold_thresholds.get(*fold as usize).copied();
    fold_of.iter().map(threshold).collect()
}
