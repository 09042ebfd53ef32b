//! Which column of a label CSV holds what.

use std::collections::BTreeMap;

use csv::ByteRecord;
use falx_core::{LABELS, Label, LabelRow};

use super::build::{Builder, Grouping, parse_value};

/// What other people call the columns that falx reads: falx's name to theirs.
///
/// falx's names are `image_id`, `label` (of the long form), the six labels, and `patient`, `study_uid`, `series_uid`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap(BTreeMap<&'static str, String>);

const NAMES: [&str; 5] = ["image_id", "label", "patient", "study_uid", "series_uid"];

/// A text that maps no columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` maps no column; give OURS=THEIRS, ours being image_id, label, patient, study_uid, series_uid, or one of the \
     six labels"
)]
pub struct NoColumn(pub String);

impl ColumnMap {
    /// Adds `ours=theirs`.
    ///
    /// # Errors
    /// [`NoColumn`] where `ours` is no column of falx.
    pub fn add(&mut self, pair: &str) -> Result<(), NoColumn> {
        let error = || NoColumn(pair.to_owned());
        let (ours, theirs) = pair.split_once('=').ok_or_else(error)?;
        let names = NAMES.into_iter().chain(LABELS.map(Label::name));
        let ours = names
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(ours.trim()))
            .ok_or_else(error)?;
        self.0.insert(ours, theirs.trim().to_owned());
        Ok(())
    }

    /// Where the column is; ignoring case, under its mapped name, else under one of its usual ones.
    fn find(&self, found: &[String], ours: &'static str, usual: &[&str]) -> Option<usize> {
        let at = |name: &str| {
            found
                .iter()
                .position(|have| have.eq_ignore_ascii_case(name))
        };
        match self.0.get(ours) {
            Some(theirs) => at(theirs),
            None => usual.iter().find_map(|name| at(name)),
        }
    }

    /// The mapped names that a header lacks.
    fn absent(&self, found: &[String]) -> Vec<&str> {
        let is_absent = |name: &&String| !found.iter().any(|have| have.eq_ignore_ascii_case(name));
        self.0
            .values()
            .filter(is_absent)
            .map(String::as_str)
            .collect()
    }

    fn maps_labels(&self) -> bool {
        LABELS.iter().any(|label| self.0.contains_key(label.name()))
    }
}

/// The columns of one CSV.
pub(super) struct Form {
    id: Option<usize>,
    patient: Option<usize>,
    study: Option<usize>,
    series: Option<usize>,
    values: Values,
}

enum Values {
    Long(usize),
    Wide([Option<usize>; 6]),
}

impl Form {
    /// The form of a CSV by its header, or the names of the columns that are missing.
    pub(super) fn of(found: &[String], map: &ColumnMap) -> Result<Self, String> {
        let absent = map.absent(found);
        if !absent.is_empty() {
            return Err(absent.join(", "));
        }
        let id = map.find(
            found,
            "image_id",
            &["image_id", "ID", "sop_uid", "SOPInstanceUID"],
        );
        let mut form = Self {
            id,
            patient: map.find(found, "patient", &["patient", "patient_id", "PatientID"]),
            study: map.find(
                found,
                "study_uid",
                &["study_uid", "StudyInstanceUID", "study_id"],
            ),
            series: map.find(
                found,
                "series_uid",
                &["series_uid", "SeriesInstanceUID", "series_id"],
            ),
            values: Values::Wide([None; 6]),
        };
        if let Some(value) = map.find(found, "label", &["Label"]) {
            form.id.ok_or("ID")?;
            form.values = Values::Long(value);
            return Ok(form);
        }
        let columns = LABELS.map(|label| map.find(found, label.name(), &[label.name()]));
        let mut missing: Vec<&str> = Vec::new();
        if columns.iter().all(Option::is_none) {
            // Nothing hints at the wide form: name what Kaggle's lacks.
            missing.extend(id.is_none().then_some("ID"));
            missing.push("Label");
            return Err(missing.join(", "));
        }
        // Without an id a row stands for a whole study.
        missing.extend((id.is_none() && form.study.is_none()).then_some("image_id"));
        if !map.maps_labels() {
            missing.extend(
                LABELS
                    .iter()
                    .zip(columns)
                    .filter(|(_, at)| at.is_none())
                    .map(|(label, _)| label.name()),
            );
        }
        if !missing.is_empty() {
            return Err(missing.join(", "));
        }
        form.values = Values::Wide(columns);
        Ok(form)
    }

    /// True where a row stands for a study.
    pub(super) fn is_by_study(&self) -> bool {
        self.id.is_none()
    }

    /// Takes one row, or says what is wrong with it.
    pub(super) fn take(&self, record: &ByteRecord, builder: &mut Builder) -> Result<(), String> {
        let text = |at: usize| record.get(at).unwrap_or_default().trim_ascii();
        let id = text(self.id.or(self.study).unwrap_or_default());
        match self.values {
            Values::Long(value) => {
                let (image, label) = split_id(id).ok_or_else(|| {
                    format!("`{}` does not end in _ and one of the six labels", show(id))
                })?;
                if let Some(value) = read_value(text(value))? {
                    builder.add(image, label, value);
                }
                self.group(record, image, builder);
            }
            Values::Wide(columns) => {
                let image = std::str::from_utf8(id)
                    .ok()
                    .filter(|id| !id.is_empty())
                    .ok_or("the id is empty")?;
                let mut row = LabelRow::default();
                for (slot, at) in row.0.iter_mut().zip(columns) {
                    if let Some(at) = at {
                        *slot = read_value(text(at))?;
                    }
                }
                builder.add_row(image, row);
                if !self.is_by_study() {
                    self.group(record, image, builder);
                }
            }
        }
        Ok(())
    }

    fn group(&self, record: &ByteRecord, image: &str, builder: &mut Builder) {
        if self.patient.or(self.study).or(self.series).is_none() {
            return;
        }
        let text = |at: Option<usize>| {
            let bytes = record.get(at?)?.trim_ascii();
            std::str::from_utf8(bytes)
                .ok()
                .filter(|text| !is_unknown(text.as_bytes()))
        };
        let [patient, study, series] = [text(self.patient), text(self.study), text(self.series)];
        builder.group(
            image,
            Grouping {
                patient,
                study,
                series,
            },
        );
    }
}

/// A label's value, `None` where it is said to be unknown.
fn read_value(text: &[u8]) -> Result<Option<bool>, String> {
    if is_unknown(text) {
        return Ok(None);
    }
    match parse_value(text) {
        Some(value) => Ok(Some(value)),
        None => Err(format!("`{}` is neither 0 nor 1", show(text))),
    }
}

/// True for the ways in which tables say nothing.
fn is_unknown(text: &[u8]) -> bool {
    ["", "nan", "na", "n/a", "null", "none"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(60).collect()
}

/// Splits `ID_<hex>_<label>` at its last underscore.
fn split_id(id: &[u8]) -> Option<(&str, Label)> {
    let (image, label) = std::str::from_utf8(id).ok()?.rsplit_once('_')?;
    (!image.is_empty()).then_some((image, label.parse().ok()?))
}
