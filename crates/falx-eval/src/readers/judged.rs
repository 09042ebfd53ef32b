//! The readers of the studies that an evaluation judges, with the model among them.

use std::collections::BTreeSet;

use falx_core::{LABELS, Label};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ModelReads, ReaderAgreement, ReaderTable, agreement};
use crate::summary::HEADLINE_RULE;
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

/// `None` where nobody's own reads of a judged study are known.
pub(crate) fn of(
    e: &Evaluation,
    input: &EvaluationInput<'_>,
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
    let of_label = |label: Label| {
        let reads = table.counts(label).iter().any(|(_, all)| *all > 0);
        let prediction: Vec<Option<f64>> = studies
            .iter()
            .map(|s| {
                let row = predicted.get(&(&s.patient, &*s.study))?;
                row.get(label.index()).copied()
            })
            .collect();
        let model = ModelReads {
            prediction: &prediction,
            threshold: threshold(scores, label),
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

fn threshold(scores: &[LabelScore], label: Label) -> Option<f64> {
    let points = scores.iter().find(|s| s.label == label)?;
    let point = points.locked_points.as_ref()?.of(&HEADLINE_RULE)?;
    Some(point.threshold)
}
