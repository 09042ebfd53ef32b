//! From which probabilities a bundle says "present" or "absent", found on patients that its networks did not learn from.

use std::collections::{BTreeMap, HashMap};

use falx_core::{ImageId, LABELS, Label, LabelRow, PatientId, Prediction, Probability};
use falx_data::index::Index;
use falx_infer::{CalibrationLine, Decisions, LabelCases, LabelRule};

use crate::cases::{Rows, patient};

/// The share of haemorrhages that may be called absent, and of heads without one that may be called present.
const ERROR_RATE: f64 = 0.1;

/// What is true of a slice, and whose it is; `None` of a slice that nobody knows.
pub(crate) type Truth<'a> = dyn Fn(&ImageId) -> Option<(LabelRow, PatientId)> + 'a;

/// The lines that make some predictions of slices probabilities, for labels with enough patients.
pub(crate) fn lines<'a>(
    truth: &Truth<'_>,
    predictions: impl Iterator<Item = &'a Prediction>,
) -> Vec<CalibrationLine> {
    let mut patients = HashMap::new();
    let mut slices = Level::default();
    for prediction in predictions {
        if let Some((labels, patient)) = truth(&prediction.image_id) {
            let next = patients.len() as u32;
            let patient = *patients.entry(patient).or_insert(next);
            slices.add(labels, prediction.probabilities, patient);
        }
    }
    slices.calibration()
}

/// The rules that some predictions and the index's labels allow; `None` where no label has enough patients.
pub(crate) fn decisions(
    index: &Index,
    predictions: &[Prediction],
    found_on: String,
) -> Option<Decisions> {
    let rows = Rows::new(index);
    let mut patients = HashMap::new();
    let mut slices = Level::default();
    let mut studies: BTreeMap<&str, Study> = BTreeMap::new();
    for prediction in predictions {
        let Some(row) = rows.get(&prediction.image_id) else {
            continue;
        };
        let next = patients.len() as u32;
        let patient = *patients.entry(patient(row)).or_insert(next);
        slices.add(row.labels, prediction.probabilities, patient);
        if let Some(study) = row.study_uid.as_deref() {
            let study = studies.entry(study);
            study
                .and_modify(|study| study.add(row.labels, prediction.probabilities))
                .or_insert(Study {
                    truth: row.labels,
                    highest: prediction.probabilities,
                    patient,
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
        study_calibration: of_studies.calibration(),
    })
}

/// A study's slices together.
struct Study {
    truth: LabelRow,
    highest: [Probability; 6],
    patient: u32,
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

/// The cases of a level, label by label.
#[derive(Default)]
struct Level([LabelCases; 6]);

impl Level {
    fn add(&mut self, truth: LabelRow, probabilities: [Probability; 6], patient: u32) {
        for label in LABELS {
            if let Some(truth) = truth.get(label) {
                let at = label.index();
                self.0[at].add(truth, probabilities[at], patient);
            }
        }
    }

    fn rules(&self) -> Vec<LabelRule> {
        let rule = |label: &Label| self.0[label.index()].rule(*label, ERROR_RATE);
        LABELS.iter().filter_map(rule).collect()
    }

    fn calibration(&self) -> Vec<CalibrationLine> {
        let line = |label: &Label| self.0[label.index()].line(*label);
        LABELS.iter().filter_map(line).collect()
    }
}
