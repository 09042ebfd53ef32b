//! Entries whose truths are of whole studies: the studies take the place of the slices.

use std::collections::{BTreeSet, HashMap};

use falx_core::{ImageId, LabelRow, Probability};

use super::Entry;
use crate::units::{self, Whole};
use crate::{Aggregation, Case, StudyReads};

/// Each entry with one case a study, where an entry has no truth of slices but of studies; `None` where all have truths of
/// slices.
///
/// An entry that predicts slices and one that predicts studies meet here.
pub(super) fn of_studies(entries: &[Entry], by: Aggregation) -> Option<Vec<Entry>> {
    let of_slices = |entry: &Entry| entry.cases.iter().any(|case| !case.truth.is_empty());
    let needed = |entry: &Entry| !of_slices(entry) && !entry.studies.is_empty();
    if !entries.iter().any(needed) {
        return None;
    }
    Some(entries.iter().map(|entry| of_entry(entry, by)).collect())
}

fn of_entry(entry: &Entry, by: Aggregation) -> Entry {
    let mut cases: Vec<&Case> = entry.cases.iter().collect();
    cases.sort_by(|a, b| a.image_id.cmp(&b.image_id));
    let gathered = units::gather(&cases, Whole::Study, &entry.studies);
    let scored = units::aggregate(&gathered, by).units;
    let readers: HashMap<_, _> = entry
        .studies
        .iter()
        .map(|said| ((&said.patient, &*said.study), &said.readers))
        .collect();
    let (mut cases, mut studies) = (Vec::new(), Vec::new());
    for (whole, unit) in gathered.iter().zip(scored) {
        let (patient, Some(study)) = (whole.patient(), whole.study()) else {
            continue;
        };
        studies.push(StudyReads {
            patient: patient.clone(),
            study: study.into(),
            truth: unit.truth,
            readers: readers
                .get(&(patient, study))
                .map(|readers| (*readers).clone())
                .unwrap_or_default(),
        });
        cases.push(Case {
            image_id: name(patient.as_str(), study),
            patient: patient.clone(),
            study: Some(study.into()),
            series: None,
            order: None,
            attributes: None,
            truth: unit.truth,
            prediction: unit
                .prediction
                .map(|p| Probability::new(p).unwrap_or_default()),
        });
    }
    Entry {
        name: entry.name.clone(),
        cases,
        // What slices of the training folds show says nothing of studies.
        train_prevalence: None,
        blind: Vec::new(),
        studies,
        run: entry.run.clone(),
    }
}

/// A study's name is its own only within its patient.
fn name(patient: &str, study: &str) -> ImageId {
    ImageId(format!("{patient} {study}"))
}

/// An entry's own cases that belong to the studies given, without the truths that only slices have.
pub(super) fn within(entry: &Entry, studies: &BTreeSet<&ImageId>) -> Vec<Case> {
    let belongs = |case: &&Case| {
        let study = case.study.as_deref();
        study.is_some_and(|study| studies.contains(&name(case.patient.as_str(), study)))
    };
    let known = entry.cases.iter().filter(belongs).cloned();
    known
        .map(|case| Case {
            truth: LabelRow::default(),
            ..case
        })
        .collect()
}
