//! Label CSVs: Kaggle's long form (`ID,Label`) and the wide form (an id and six columns).

mod build;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use falx_core::{ImageId, LABELS, Label, LabelRow};

use build::{Builder, parse_value};

/// The labels of many slices, sorted by image id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelTable {
    rows: Vec<(ImageId, LabelRow)>,
    agreeing_duplicates: u64,
    disagreeing_duplicates: u64,
    disagreeing: Vec<ImageId>,
}

impl LabelTable {
    /// The labels of one slice.
    pub fn get(&self, id: &ImageId) -> Option<LabelRow> {
        let at = self.rows.binary_search_by(|(have, _)| have.cmp(id)).ok()?;
        self.rows.get(at).map(|(_, row)| *row)
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
         (ids like ID_<hex>_<label>) or `image_id` and a column for each of the six labels"
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
    let path = path.as_ref();
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
    let found: Vec<String> = reader
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
    let form = Form::of(&found).map_err(|missing| LabelsError::MissingColumn {
        path: path.into(),
        missing,
        found: if found.is_empty() {
            "none".into()
        } else {
            found.join(", ")
        },
    })?;
    let mut builder = Builder::default();
    let mut bad = Bad::default();
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| csv_error(path, error))?
    {
        if let Err(what) = form.take(&record, &mut builder) {
            bad.add(record.position().map_or(0, csv::Position::line), &what);
        }
    }
    if bad.count > 0 {
        return Err(LabelsError::BadRows {
            path: path.into(),
            count: bad.count,
            first: bad.first.join("; "),
        });
    }
    Ok(builder.finish())
}

/// Which columns hold what.
enum Form {
    Long { id: usize, value: usize },
    Wide { id: usize, labels: [usize; 6] },
}

impl Form {
    /// The form of a CSV by its header, or the names of the columns that are missing.
    fn of(found: &[String]) -> Result<Self, String> {
        let column = |name: &str| {
            found
                .iter()
                .position(|have| have.eq_ignore_ascii_case(name))
        };
        let id = column("image_id").or_else(|| column("ID"));
        if let Some(value) = column("Label") {
            return Ok(Self::Long {
                id: id.ok_or("ID")?,
                value,
            });
        }
        let columns = LABELS.map(|label| column(label.name()));
        let mut missing: Vec<&str> = Vec::new();
        if columns.iter().all(Option::is_none) {
            // Nothing hints at the wide form: name what Kaggle's lacks.
            missing.extend(id.is_none().then_some("ID"));
            missing.push("Label");
            return Err(missing.join(", "));
        }
        missing.extend(id.is_none().then_some("image_id"));
        missing.extend(
            LABELS
                .iter()
                .zip(columns)
                .filter(|(_, at)| at.is_none())
                .map(|(label, _)| label.name()),
        );
        match id {
            Some(id) if missing.is_empty() => Ok(Self::Wide {
                id,
                labels: columns.map(Option::unwrap_or_default),
            }),
            _ => Err(missing.join(", ")),
        }
    }

    /// Takes one row, or says what is wrong with it.
    fn take(&self, record: &ByteRecord, builder: &mut Builder) -> Result<(), String> {
        let text = |at: usize| record.get(at).unwrap_or_default().trim_ascii();
        let show = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .chars()
                .take(60)
                .collect::<String>()
        };
        match *self {
            Self::Long { id, value } => {
                let id = text(id);
                let (image, label) = split_id(id).ok_or_else(|| {
                    format!("`{}` does not end in _ and one of the six labels", show(id))
                })?;
                let value = parse_value(text(value))
                    .ok_or_else(|| format!("`{}` is neither 0 nor 1", show(text(value))))?;
                builder.add(image, label, value);
            }
            Self::Wide { id, labels } => {
                let image = std::str::from_utf8(text(id))
                    .ok()
                    .filter(|id| !id.is_empty())
                    .ok_or("the id is empty")?;
                let mut row = [None; 6];
                for (slot, at) in row.iter_mut().zip(labels) {
                    let value = text(at);
                    if !value.is_empty() {
                        *slot = Some(
                            parse_value(value)
                                .ok_or_else(|| format!("`{}` is neither 0 nor 1", show(value)))?,
                        );
                    }
                }
                builder.add_row(image, LabelRow(row));
            }
        }
        Ok(())
    }
}

/// Splits `ID_<hex>_<label>` at its last underscore.
fn split_id(id: &[u8]) -> Option<(&str, Label)> {
    let (image, label) = std::str::from_utf8(id).ok()?.rsplit_once('_')?;
    (!image.is_empty()).then_some((image, label.parse().ok()?))
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
}

fn csv_error(path: &Path, source: csv::Error) -> LabelsError {
    LabelsError::Csv {
        path: path.into(),
        source,
    }
}
