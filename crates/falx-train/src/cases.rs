//! From rows of an index and predictions to cases that can be judged.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use falx_core::{ImageId, LabelRow, PatientId, Prediction};
use falx_data::audit::{NoShortcut, cross_fit_from_metadata, predict_from_metadata};
use falx_data::index::{Index, IndexRow};
use falx_eval::{BlindPrediction, Case, StudyReads};

use crate::attributes::AttributeTable;

/// The name of the baseline that knows metadata and no picture.
const METADATA: &str = "metadata alone, no picture";

/// The rows of an index by their image.
pub(crate) struct Rows<'a> {
    index: &'a Index,
    place: HashMap<&'a ImageId, usize>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(index: &'a Index) -> Self {
        let rows = index.rows.iter().enumerate();
        Self {
            index,
            place: rows.map(|(at, row)| (&row.image_id, at)).collect(),
        }
    }

    pub(crate) fn place(&self, image: &ImageId) -> Option<usize> {
        self.place.get(image).copied()
    }

    pub(crate) fn first(&self) -> Option<&'a ImageId> {
        self.index.rows.first().map(|row| &row.image_id)
    }

    pub(crate) fn get(&self, image: &ImageId) -> Option<&'a IndexRow> {
        self.index.rows.get(self.place(image)?)
    }
}

/// A case of which an index may know where it belongs.
pub(crate) fn case(
    prediction: Prediction,
    truth: LabelRow,
    row: Option<&IndexRow>,
    attributes: &mut AttributeTable,
) -> Case {
    let patient = row.map_or_else(|| PatientId::from(prediction.image_id.as_str()), patient);
    Case {
        attributes: attributes.of(&prediction.image_id, &patient, row),
        study: row.and_then(|row| row.study_uid.clone()),
        series: row.and_then(|row| row.series_uid.clone()),
        order: row.and_then(|row| row.order),
        truth,
        prediction: prediction.probabilities,
        image_id: prediction.image_id,
        patient,
    }
}

/// Without a patient the study is the best guess of who belongs together; without a study, the slice alone.
pub(crate) fn patient(row: &IndexRow) -> PatientId {
    row.patient.clone().unwrap_or_else(|| {
        PatientId(
            row.study_uid
                .as_deref()
                .unwrap_or(row.image_id.as_str())
                .to_owned(),
        )
    })
}

/// What an index's tables say of the studies of these cases.
///
/// A table that goes by patient speaks of a study only where the patient has no other.
pub(crate) fn reads(index: &Index, cases: &[Case]) -> Vec<StudyReads> {
    let studies: BTreeSet<(&PatientId, &Arc<str>)> = cases
        .iter()
        .filter_map(|case| Some((&case.patient, case.study.as_ref()?)))
        .collect();
    let mut of_patient: HashMap<&PatientId, usize> = HashMap::new();
    for (patient, _) in &studies {
        *of_patient.entry(patient).or_default() += 1;
    }
    let by_uid: HashMap<&str, _> = index
        .study_labels
        .iter()
        .filter_map(|said| Some((said.study_uid.as_deref()?, said)))
        .collect();
    let by_patient: HashMap<&PatientId, _> = index
        .study_labels
        .iter()
        .filter(|said| said.study_uid.is_none())
        .filter_map(|said| Some((said.patient.as_ref()?, said)))
        .collect();
    studies
        .into_iter()
        .filter_map(|(patient, study)| {
            let of_this = || {
                let is_only = of_patient.get(patient) == Some(&1);
                by_patient.get(patient).filter(|_| is_only)
            };
            let said = by_uid.get(&**study).or_else(of_this)?;
            Some(StudyReads {
                patient: patient.clone(),
                study: study.clone(),
                truth: said.labels,
                readers: said.readers.clone(),
            })
        })
        .collect()
}

/// Takes back what slices only inherited from their study: an index says of a slice what no slice of its study shows,
/// and of a study with haemorrhage nothing, so that all slices would be negative.
pub(crate) fn forget_inherited(cases: &mut [Case], reads: &[StudyReads]) {
    let said: HashMap<(&PatientId, &str), LabelRow> = reads
        .iter()
        .map(|r| ((&r.patient, &*r.study), r.truth))
        .collect();
    let inherited = |case: &Case| {
        let study = case.study.as_deref()?;
        let truth = said.get(&(&case.patient, study))?;
        let negatives = truth.0.map(|label| label.filter(|shown| !shown));
        Some(case.truth.0 == negatives)
    };
    let of_read: Vec<Option<bool>> = cases.iter().map(inherited).collect();
    // A table of slices beside the reads would differ from them somewhere.
    if of_read.iter().flatten().all(|&is_inherited| is_inherited) {
        for (case, _) in cases.iter_mut().zip(of_read).filter(|(_, of)| of.is_some()) {
            case.truth = LabelRow::default();
        }
    }
}

/// The baseline that knows metadata alone, learnt from `training` rows or, without them, across the cases; `None` where
/// the index has none that tells slices apart, or too little is labelled.
pub(crate) fn metadata_alone(
    rows: &Rows<'_>,
    training: Option<&[usize]>,
    cases: &[Case],
) -> Option<BlindPrediction> {
    let judged: Option<Vec<usize>> = cases.iter().map(|c| rows.place(&c.image_id)).collect();
    let judged = judged?;
    let predicted: Result<_, NoShortcut> = match training {
        Some(training) => predict_from_metadata(rows.index, training, &judged),
        None => cross_fit_from_metadata(rows.index, &judged),
    };
    Some(BlindPrediction {
        name: METADATA.to_owned(),
        prediction: predicted.ok()?,
    })
}
