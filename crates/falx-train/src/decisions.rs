//! From which probabilities a bundle says "present" or "absent", found on patients that its networks did not learn from.

use std::collections::{BTreeMap, HashMap};

use falx_core::{LABELS, Label, LabelRow, PatientId, Prediction, Probability};
use falx_infer::{CalibrationLine, Decisions, LabelCases, LabelRule};

use crate::cases::{Rows, patient};

/// The share of haemorrhages that may be called absent, and of heads without one that may be called present.
const ERROR_RATE: f64 = 0.1;

/// The rules that some predictions and the labels of their rows allow; `None` where no label has enough patients.
pub(crate) fn decisions(
    rows: &Rows<'_>,
    predictions: &[Prediction],
    found_on: String,
) -> Option<Decisions> {
    let mut slices = Level::default();
    let mut studies: BTreeMap<&str, Study> = BTreeMap::new();
    for prediction in predictions {
        let Some(row) = rows.get(&prediction.image_id) else {
            continue;
        };
        slices.add(row.labels, prediction.probabilities, patient(row));
        if let Some(study) = row.study_uid.as_deref() {
            let study = studies.entry(study);
            study
                .and_modify(|study| study.add(row.labels, prediction.probabilities))
                .or_insert_with(|| Study {
                    truth: row.labels,
                    highest: prediction.probabilities,
                    patient: patient(row),
                });
        }
    }
    let mut of_studies = Level::default();
    for study in studies.into_values() {
        of_studies.add(study.truth, study.highest, study.patient);
    }
    let (slice, study) = (slices.rules(), of_studies.rules());
    let has_some = !slice.is_empty() || !study.is_empty();
    has_some.then(|| Decisions {
        found_on,
        slice,
        study,
        study_calibration: of_studies.lines(),
    })
}

/// A study's slices together.
struct Study {
    truth: LabelRow,
    highest: [Probability; 6],
    patient: PatientId,
}

impl Study {
    fn add(&mut self, truth: LabelRow, probabilities: [Probability; 6]) {
        for label in LABELS {
            let at = label.index();
            // What one slice shows the study shows; what it does not show is known where every slice says so.
            self.truth.0[at] = match (self.truth.get(label), truth.get(label)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            if probabilities[at].get() > self.highest[at].get() {
                self.highest[at] = probabilities[at];
            }
        }
    }
}

/// The cases of a level, label by label, and the numbers of their patients.
#[derive(Default)]
pub(crate) struct Level {
    cases: [LabelCases; 6],
    patients: HashMap<PatientId, u32>,
}

impl Level {
    pub(crate) fn add(
        &mut self,
        truth: LabelRow,
        probabilities: [Probability; 6],
        patient: PatientId,
    ) {
        let next = self.patients.len() as u32;
        let patient = *self.patients.entry(patient).or_insert(next);
        for label in LABELS {
            if let Some(truth) = truth.get(label) {
                let at = label.index();
                self.cases[at].add(truth, probabilities[at], patient);
            }
        }
    }

    fn rules(&self) -> Vec<LabelRule> {
        let rule = |label: &Label| self.cases[label.index()].rule(*label, ERROR_RATE);
        LABELS.iter().filter_map(rule).collect()
    }

    /// The lines that make the probabilities right, for labels with enough patients.
    pub(crate) fn lines(&self) -> Vec<CalibrationLine> {
        let line = |label: &Label| self.cases[label.index()].line(*label);
        LABELS.iter().filter_map(line).collect()
    }
}
