//! Label CSVs: Kaggle's long form (`ID,Label`), the wide form (an id and six columns), and published sets' own.

mod build;
mod columns;
mod published;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;
use falx_core::{ImageId, LabelRow, PatientId};
use serde::{Deserialize, Serialize};

use build::Builder;
use columns::Form;
pub use columns::{ColumnMap, NoColumn};

/// The labels of many slices, sorted by image id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelTable {
    rows: Vec<(ImageId, LabelRow)>,
    /// By the place of their row, in order.
    groups: Vec<(u32, Groups)>,
    agreeing_duplicates: u64,
    disagreeing_duplicates: u64,
    disagreeing: Vec<ImageId>,
}

/// Where a table says that a slice belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    /// The patient as the table names them.
    pub(crate) patient: Option<Arc<str>>,
    pub(crate) study: Option<Arc<str>>,
    pub(crate) series: Option<Arc<str>>,
}

/// What is known of a whole study: its labels, and the votes behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyLabels {
    /// Study Instance UID, where the table goes by it.
    pub study_uid: Option<String>,
    /// The patient, where the table goes by them.
    pub patient: Option<PatientId>,
    /// The labels of the study: of several readers the majority's.
    pub labels: LabelRow,
    /// Each reader's own labels.
    pub readers: Vec<(String, LabelRow)>,
}

/// Label tables of all kinds, read together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// By slice.
    pub slices: LabelTable,
    /// By study.
    pub studies: Vec<StudyLabels>,
}

/// A table, by who made it.
#[derive(Clone, Debug)]
pub(crate) enum Table {
    /// In one of the forms of [`read`].
    Given(PathBuf),
    /// CT-ICH's diagnoses.
    CtIch(PathBuf),
    /// CQ500's votes.
    Cq500(PathBuf),
}

impl LabelTable {
    /// The labels of one slice.
    pub fn get(&self, id: &ImageId) -> Option<LabelRow> {
        self.rows.get(self.place(id)?).map(|(_, row)| *row)
    }

    /// The place of a slice in the order of ids.
    pub(crate) fn place(&self, id: &ImageId) -> Option<usize> {
        self.rows.binary_search_by(|(have, _)| have.cmp(id)).ok()
    }

    /// The slice at a place, with its labels and where it belongs.
    pub(crate) fn at(&self, place: usize) -> Option<(&ImageId, LabelRow, Option<&Groups>)> {
        let (id, row) = self.rows.get(place)?;
        let groups = self
            .groups
            .binary_search_by_key(&(place as u32), |(at, _)| *at);
        let groups = groups.ok().and_then(|at| self.groups.get(at));
        Some((id, *row, groups.map(|(_, groups)| groups)))
    }

    /// All slices in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&ImageId, LabelRow)> {
        self.rows.iter().map(|(id, row)| (id, *row))
    }

    /// How many slices.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many values repeated an earlier one of the same slice and label.
    pub fn agreeing_duplicates(&self) -> u64 {
        self.agreeing_duplicates
    }

    /// How many values contradicted an earlier one of the same slice and label.
    pub fn disagreeing_duplicates(&self) -> u64 {
        self.disagreeing_duplicates
    }

    /// Slices one of whose labels was given with different values; that label counts as unknown.
    pub fn disagreeing(&self) -> &[ImageId] {
        &self.disagreeing
    }
}

/// Why a label CSV could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The file does not exist.
    #[error("the label file {path} does not exist")]
    NoSuchFile {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read the labels {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no CSV.
    #[error("the labels {path} are no valid CSV: {source}")]
    Csv {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: csv::Error,
    },
    /// A column is missing.
    #[error(
        "the labels {path} have no column {missing}; found: {found}; falx reads `ID,Label` \
         (ids like ID_<hex>_<label>) or `image_id` and a column for each of the six labels; --columns tells it other names"
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The columns that are missing.
        missing: String,
        /// The columns that are there.
        found: String,
    },
    /// Some values are no labels.
    #[error("the labels {path} have {count} bad rows: {first}; correct them")]
    BadRows {
        /// The file.
        path: PathBuf,
        /// How many.
        count: u64,
        /// The first few, with their lines.
        first: String,
    },
}

/// Reads a label CSV in either form; empty values in the wide form are unknown labels.
///
/// # Errors
/// [`LabelsError`]; bad values are named with their lines, all of the file is looked at first.
pub fn read(path: impl AsRef<Path>) -> Result<LabelTable, LabelsError> {
    let mut builder = Builder::default();
    read_given(
        path.as_ref(),
        &ColumnMap::default(),
        &mut builder,
        &mut Builder::default(),
    )?;
    Ok(builder.finish())
}

/// Reads a label CSV whose rows may be slices or, where only studies are named, whole studies; or CQ500's votes.
///
/// # Errors
/// As [`read`].
pub fn read_any(path: impl AsRef<Path>) -> Result<Labels, LabelsError> {
    let path = path.as_ref();
    let (_, found) = open(path)?;
    let votes = found.iter().any(|name| name == "R1:ICH");
    let table = if votes {
        Table::Cq500(path.to_owned())
    } else {
        Table::Given(path.to_owned())
    };
    read_all(&[table], &ColumnMap::default())
}

/// Reads several tables; what they say of one slice is joined.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_all(tables: &[Table], columns: &ColumnMap) -> Result<Labels, LabelsError> {
    let (mut slices, mut studies) = (Builder::default(), Builder::default());
    let mut labels = Labels::default();
    for table in tables {
        match table {
            Table::Given(path) => read_given(path, columns, &mut slices, &mut studies)?,
            Table::CtIch(path) => published::ct_ich(path, &mut slices)?,
            Table::Cq500(path) => labels.studies.extend(published::cq500(path)?),
        }
    }
    let by_study = studies.finish();
    labels
        .studies
        .extend(by_study.iter().map(|(id, row)| StudyLabels {
            study_uid: Some(id.as_str().to_owned()),
            labels: row,
            ..StudyLabels::default()
        }));
    labels.slices = slices.finish();
    Ok(labels)
}

fn read_given(
    path: &Path,
    columns: &ColumnMap,
    slices: &mut Builder,
    studies: &mut Builder,
) -> Result<(), LabelsError> {
    let (mut reader, found) = open(path)?;
    let form = Form::of(&found, columns).map_err(|missing| LabelsError::MissingColumn {
        path: path.into(),
        missing,
        found: if found.is_empty() {
            "none".into()
        } else {
            found.join(", ")
        },
    })?;
    let builder = if form.is_by_study() { studies } else { slices };
    let mut bad = Bad::default();
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| csv_error(path, error))?
    {
        if let Err(what) = form.take(&record, builder) {
            bad.add(record.position().map_or(0, csv::Position::line), &what);
        }
    }
    bad.finish(path)
}

/// Opens a CSV, and the names of its columns.
fn open(path: &Path) -> Result<(csv::Reader<File>, Vec<String>), LabelsError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => LabelsError::NoSuchFile { path: path.into() },
        _ => LabelsError::Read {
            path: path.into(),
            source,
        },
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .buffer_capacity(1 << 18)
        .from_reader(file);
    let found = reader
        .byte_headers()
        .map_err(|error| csv_error(path, error))?
        .iter()
        .map(|name| {
            String::from_utf8_lossy(name)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_owned()
        })
        .collect();
    Ok((reader, found))
}

/// Rows that cannot be used: all are counted, the first few shown.
#[derive(Default)]
struct Bad {
    count: u64,
    first: Vec<String>,
}

impl Bad {
    fn add(&mut self, line: u64, what: &str) {
        self.count += 1;
        if self.first.len() < 5 {
            self.first.push(format!("line {line}: {what}"));
        }
    }

    /// An error where there were any.
    fn finish(self, path: &Path) -> Result<(), LabelsError> {
        if self.count == 0 {
            return Ok(());
        }
        Err(LabelsError::BadRows {
            path: path.into(),
            count: self.count,
            first: self.first.join("; "),
        })
    }
}

fn csv_error(path: &Path, source: csv::Error) -> LabelsError {
    LabelsError::Csv {
        path: path.into(),
        source,
    }
}
