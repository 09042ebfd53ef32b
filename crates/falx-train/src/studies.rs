//! Predictions of whole studies, joined with what is true of each.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use falx_core::{LabelRow, PatientId, Prediction};
use falx_data::index::{Index, IndexRow};
use falx_data::labels::{Labels, StudyLabels};
use falx_eval::{Attributes, Case, StudyReads};

use crate::TrainError;
use crate::attributes::AttributeTable;
use crate::cases::{patient, reads};

/// A study, by the names that tables have for it: its Study Instance UID and, where it is its patient's only one, its
/// patient.
pub(crate) struct StudyNames<'a> {
    studies: Vec<Study<'a>>,
    by_name: HashMap<String, usize>,
}

/// A study and its slices.
struct Study<'a> {
    patient: PatientId,
    uid: Arc<str>,
    rows: Vec<&'a IndexRow>,
}

/// CQ500 writes `CQ500-CT-12` in its table and `CQ500CT12` on its folders.
fn plain(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("CQ500") {
        upper.replace('-', "")
    } else {
        name.to_owned()
    }
}

impl<'a> StudyNames<'a> {
    pub(crate) fn new(index: &'a Index) -> Self {
        let mut places: HashMap<(PatientId, Arc<str>), usize> = HashMap::new();
        let mut studies: Vec<Study<'a>> = Vec::new();
        for row in &index.rows {
            let Some(uid) = &row.study_uid else {
                continue;
            };
            let patient = patient(row);
            let place = places.entry((patient.clone(), uid.clone()));
            let at = *place.or_insert_with(|| {
                studies.push(Study {
                    patient,
                    uid: uid.clone(),
                    rows: Vec::new(),
                });
                studies.len() - 1
            });
            if let Some(study) = studies.get_mut(at) {
                study.rows.push(row);
            }
        }
        let mut of_patient: HashMap<&PatientId, Vec<usize>> = HashMap::new();
        for (at, study) in studies.iter().enumerate() {
            of_patient.entry(&study.patient).or_default().push(at);
        }
        let mut by_name = HashMap::new();
        for (patient, places) in of_patient {
            if let [only] = places.as_slice() {
                by_name.insert(plain(patient.as_str()), *only);
            }
        }
        // A UID is the surer name.
        for (at, study) in studies.iter().enumerate() {
            by_name.insert(study.uid.to_string(), at);
        }
        Self { studies, by_name }
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(&plain(name))
    }

    fn get(&self, name: &str) -> Option<&Study<'a>> {
        self.studies.get(*self.by_name.get(&plain(name))?)
    }
}

/// Where the truth of studies stands.
pub(crate) enum StudyTruth<'a> {
    /// A table's rows: of studies, or of what a table of slices calls by the studies' names.
    Table(&'a Labels),
    /// The index's tables of studies, else its slices.
    Index,
}

/// Studies with a prediction and a truth.
pub(crate) struct KnownStudies {
    pub(crate) cases: Vec<Case>,
    pub(crate) studies: Vec<StudyReads>,
    pub(crate) without_truth: u64,
    pub(crate) outside_index: u64,
}

/// Joins predictions of studies with their truth: a case a study, whose truth is that of the whole.
pub(crate) fn join(
    path: &Path,
    predictions: Vec<Prediction>,
    truth: &StudyTruth<'_>,
    (index, names): (Option<&Index>, Option<&StudyNames<'_>>),
    attributes: &mut AttributeTable,
) -> Result<KnownStudies, TrainError> {
    let table = match truth {
        StudyTruth::Table(labels) => Some(by_name(labels)),
        StudyTruth::Index => None,
    };
    let mut known = KnownStudies {
        cases: Vec::new(),
        studies: Vec::new(),
        without_truth: 0,
        outside_index: 0,
    };
    let mut seen: HashSet<(PatientId, Arc<str>)> = HashSet::new();
    for prediction in predictions {
        let id = prediction.image_id.as_str();
        let study = names.and_then(|names| names.get(id));
        let (whose, uid) = match study {
            Some(study) => (study.patient.clone(), study.uid.clone()),
            None => (PatientId::from(id), id.into()),
        };
        if !seen.insert((whose.clone(), uid.clone())) {
            return Err(TrainError::RepeatedStudy {
                predictions: path.to_owned(),
                study: uid.to_string(),
                name: id.to_owned(),
            });
        }
        known.outside_index += u64::from(names.is_some() && study.is_none());
        let case = Case {
            attributes: shared(&prediction, &whose, study, attributes),
            study: Some(uid),
            series: None,
            order: None,
            truth: LabelRow::default(),
            prediction: prediction.probabilities,
            image_id: prediction.image_id,
            patient: whose,
        };
        let said = table.as_ref().map(|table| {
            let of = |name: &str| table.get(&plain(name)).copied();
            let uid = case.study.as_deref().unwrap_or_default();
            let said = of(case.image_id.as_str()).or_else(|| of(uid));
            said.or_else(|| of(case.patient.as_str()).filter(|_| study.is_some()))
        });
        match said {
            Some(None) => known.without_truth += 1,
            Some(Some(said)) => {
                known.studies.push(read(&case, said.0, said.1));
                known.cases.push(case);
            }
            None => known.cases.push(case),
        }
    }
    if let (None, Some(index)) = (&table, index) {
        of_index(index, names, &mut known);
    }
    Ok(known)
}

fn read(case: &Case, truth: LabelRow, readers: &[(String, LabelRow)]) -> StudyReads {
    StudyReads {
        patient: case.patient.clone(),
        study: case.study.clone().unwrap_or_default(),
        truth,
        readers: readers.to_vec(),
    }
}

/// What a table says of a study: its labels, and each reader's.
type Said<'a> = (LabelRow, &'a [(String, LabelRow)]);

/// A table's rows by the names of their studies.
fn by_name(labels: &Labels) -> HashMap<String, Said<'_>> {
    let of_slices = labels
        .slices
        .iter()
        .map(|(id, row)| (plain(id.as_str()), (row, [].as_slice())));
    let name = |said: &StudyLabels| {
        let patient = said.patient.as_ref().map(|p| p.as_str().to_owned());
        said.study_uid.clone().or(patient).map(|name| plain(&name))
    };
    let of_studies = labels
        .studies
        .iter()
        .filter_map(|said| Some((name(said)?, (said.labels, said.readers.as_slice()))));
    of_slices.chain(of_studies).collect()
}

/// Takes the truth from the index: what its tables say of studies, else positive where a slice is and negative where all
/// are.
fn of_index(index: &Index, names: Option<&StudyNames<'_>>, known: &mut KnownStudies) {
    known.studies = reads(index, &known.cases);
    let said: BTreeSet<(PatientId, Arc<str>)> = known
        .studies
        .iter()
        .map(|s| (s.patient.clone(), s.study.clone()))
        .collect();
    for case in &known.cases {
        let Some(uid) = &case.study else {
            continue;
        };
        if said.contains(&(case.patient.clone(), uid.clone())) {
            continue;
        }
        let rows = names.and_then(|n| n.get(uid)).map(|study| &study.rows);
        let truth = whole(rows.into_iter().flatten().map(|row| row.labels));
        if !truth.is_empty() {
            known.studies.push(read(case, truth, &[]));
        }
    }
    let with_truth: HashSet<(&PatientId, &Arc<str>)> = known
        .studies
        .iter()
        .map(|s| (&s.patient, &s.study))
        .collect();
    let before = known.cases.len();
    known.cases.retain(|case| {
        let study = case.study.as_ref();
        study.is_some_and(|study| with_truth.contains(&(&case.patient, study)))
    });
    known.without_truth += (before - known.cases.len()) as u64;
}

/// Positive where one is, negative where all are, otherwise unknown.
fn whole(rows: impl Iterator<Item = LabelRow>) -> LabelRow {
    let joined = rows.reduce(|mut whole, slice| {
        for (whole, slice) in whole.0.iter_mut().zip(slice.0) {
            *whole = match (*whole, slice) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        whole
    });
    joined.unwrap_or_default()
}

/// What is known of all of a study's slices alike.
fn shared(
    prediction: &Prediction,
    patient: &PatientId,
    study: Option<&Study<'_>>,
    attributes: &mut AttributeTable,
) -> Option<Arc<Attributes>> {
    let Some(study) = study else {
        return attributes.of(&prediction.image_id, patient, None);
    };
    let mut all = study
        .rows
        .iter()
        .map(|row| attributes.of(&row.image_id, patient, Some(row)));
    let mut shared = all.next()??.0.clone();
    for other in all {
        let other = other?;
        shared.retain(|pair| other.0.contains(pair));
    }
    (!shared.is_empty()).then(|| Arc::new(Attributes(shared)))
}
