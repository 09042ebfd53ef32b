//! A listing: a table that names slices and their labels without their files.
//!
//! Public tables of a data set's ids are listings. They can be indexed, audited for their labels and split; nothing
//! that needs pixels can be done with them.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};
use falx_core::{ImageId, LABELS, LabelRow, Millimetre};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::file::intern;
use super::names::pseudonym;
use super::{IndexRow, Layout};

/// Rows that are read at once.
const BATCH: usize = 1 << 14;

/// Why a listing could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// The file could not be opened.
    #[error("cannot open {}: {source}; check that it exists and may be read", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no Parquet, or a damaged one.
    #[error("{} cannot be used as Parquet: {source}; get it again", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ParquetError,
    },
    /// There is no column of image ids.
    #[error(
        "{} has no column of image ids; found: {found}; name one image_id", .path.display()
    )]
    NoIds {
        /// The file.
        path: PathBuf,
        /// The columns that are there.
        found: String,
    },
    /// A column has a type that means nothing here.
    #[error("the column {column} of {} is {found}; it must be {wanted}", .path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A value means nothing.
    #[error("row {row} of {}: {what}; correct it", .path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: u64,
        /// What is wrong.
        what: String,
    },
    /// The table has no rows.
    #[error("{} has no rows; give a table of slices", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a listing as rows of an index, sorted as indices are: study, series, position, id; unknown ones last.
///
/// Of the columns only `image_id` (or `id`) must be there. Read are also `patient` (`patient_id`), `study_uid`
/// (`study_id`), `series_uid` (`series_id`), `z_mm` (`position_z`), `dataset` (`source`) and the six labels, in any
/// case; a label that has no column, or no value, is unknown. Without a column the data set is named after the file's
/// folder.
///
/// No file was opened: a row's `path` is its id, it has neither size nor pixel hash, and it counts as usable. A slice
/// has its place in its series only where the position of the whole series is known.
///
/// # Errors
/// [`ListingError`].
pub fn read_listing(path: &Path) -> Result<Vec<IndexRow>, ListingError> {
    let parquet = |source| ListingError::Parquet {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(|source| ListingError::Open {
        path: path.into(),
        source,
    })?;
    // Without the writer's own schema a text is a text, however the writer had it in memory.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(parquet)?;
    let columns = Columns::of(path, builder.schema())?;
    let mut rows = Vec::new();
    let mut interned = HashSet::new();
    for batch in builder.with_batch_size(BATCH).build().map_err(parquet)? {
        let batch = batch.map_err(|error| parquet(error.into()))?;
        columns.read(&batch, &mut interned, &mut rows)?;
    }
    if rows.is_empty() {
        return Err(ListingError::Empty { path: path.into() });
    }
    place(&mut rows);
    Ok(rows)
}

/// Where in a batch what is found.
struct Columns<'a> {
    path: &'a Path,
    names: Vec<String>,
    id: usize,
    patient: Option<usize>,
    study: Option<usize>,
    series: Option<usize>,
    z: Option<usize>,
    dataset: Option<usize>,
    labels: [Option<usize>; 6],
    default_dataset: Arc<str>,
}

impl<'a> Columns<'a> {
    fn of(path: &'a Path, schema: &Schema) -> Result<Self, ListingError> {
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let find = |wanted: &[&str]| {
            wanted.iter().find_map(|&wanted| {
                let is_it = |name: &String| name.trim().eq_ignore_ascii_case(wanted);
                names.iter().position(is_it)
            })
        };
        let id = find(&["image_id", "id"]).ok_or_else(|| ListingError::NoIds {
            path: path.into(),
            found: names.join(", "),
        })?;
        Ok(Self {
            path,
            id,
            patient: find(&["patient", "patient_id"]),
            study: find(&["study_uid", "study_id"]),
            series: find(&["series_uid", "series_id"]),
            z: find(&["z_mm", "position_z"]),
            dataset: find(&["dataset", "source"]),
            labels: LABELS.map(|label| find(&[label.name()])),
            default_dataset: folder_name(path),
            names,
        })
    }

    /// Appends a batch's rows.
    fn read(
        &self,
        batch: &RecordBatch,
        interned: &mut HashSet<Arc<str>>,
        rows: &mut Vec<IndexRow>,
    ) -> Result<(), ListingError> {
        let ids = self.text(batch, self.id)?;
        let texts = |at: Option<usize>| at.map(|at| self.text(batch, at)).transpose();
        let (patients, studies) = (texts(self.patient)?, texts(self.study)?);
        let (series, datasets) = (texts(self.series)?, texts(self.dataset)?);
        let numbers = |at: Option<usize>| at.map(|at| self.numbers(batch, at)).transpose();
        let positions = numbers(self.z)?;
        let mut labels = Vec::with_capacity(LABELS.len());
        for at in self.labels {
            labels.push(numbers(at)?);
        }
        for at in 0..batch.num_rows() {
            let wrong = |what: String| ListingError::Row {
                path: self.path.into(),
                row: rows.len() as u64 + 1,
                what,
            };
            let id = value(Some(ids), at).ok_or_else(|| wrong("it has no image id".into()))?;
            let mut known = LabelRow::default();
            for ((slot, column), label) in known.0.iter_mut().zip(&labels).zip(LABELS) {
                *slot = match column.as_ref().and_then(|column| column.get(at)).copied() {
                    None | Some(None) => None,
                    Some(Some(0.0)) => Some(false),
                    Some(Some(1.0)) => Some(true),
                    Some(Some(other)) => {
                        return Err(wrong(format!("{label} is {other}, neither 0 nor 1")));
                    }
                };
            }
            let z = positions
                .as_ref()
                .and_then(|z| z.get(at).copied().flatten());
            let mut share = |text: Option<&str>| text.map(|text| intern(interned, text));
            let dataset =
                share(value(datasets, at)).unwrap_or_else(|| Arc::clone(&self.default_dataset));
            let row = IndexRow {
                patient: value(patients, at).map(|id| pseudonym(id, Layout::Rsna)),
                study_uid: share(value(studies, at)),
                series_uid: share(value(series, at)),
                z_mm: z.filter(|z| z.is_finite()).map(Millimetre),
                usable: true,
                labels: known,
                ..IndexRow::unread(PathBuf::from(id), ImageId::from(id), dataset)
            };
            rows.push(row);
        }
        Ok(())
    }

    fn text<'b>(&self, batch: &'b RecordBatch, at: usize) -> Result<&'b StringArray, ListingError> {
        let column = batch.column(at);
        column
            .as_string_opt::<i32>()
            .ok_or_else(|| self.wrong_type(at, column.data_type(), "text"))
    }

    /// A column of numbers of any kind; true is 1.
    fn numbers(&self, batch: &RecordBatch, at: usize) -> Result<Vec<Option<f64>>, ListingError> {
        macro_rules! as_numbers {
            ($kind:ty, $column:expr) => {
                $column
                    .as_primitive::<$kind>()
                    .iter()
                    .map(|value| value.map(|value| value as f64))
                    .collect()
            };
        }
        let column = batch.column(at);
        Ok(match column.data_type() {
            DataType::Boolean => column
                .as_boolean()
                .iter()
                .map(|value| value.map(|value| f64::from(u8::from(value))))
                .collect(),
            DataType::Int8 => as_numbers!(Int8Type, column),
            DataType::Int16 => as_numbers!(Int16Type, column),
            DataType::Int32 => as_numbers!(Int32Type, column),
            DataType::Int64 => as_numbers!(Int64Type, column),
            DataType::UInt8 => as_numbers!(UInt8Type, column),
            DataType::UInt16 => as_numbers!(UInt16Type, column),
            DataType::UInt32 => as_numbers!(UInt32Type, column),
            DataType::UInt64 => as_numbers!(UInt64Type, column),
            DataType::Float32 => as_numbers!(Float32Type, column),
            DataType::Float64 => as_numbers!(Float64Type, column),
            other => return Err(self.wrong_type(at, other, "a number")),
        })
    }

    fn wrong_type(&self, at: usize, found: &DataType, wanted: &'static str) -> ListingError {
        ListingError::Type {
            path: self.path.into(),
            column: self.names.get(at).cloned().unwrap_or_default(),
            found: found.to_string(),
            wanted,
        }
    }
}

/// A text that is there and not empty.
fn value(column: Option<&StringArray>, at: usize) -> Option<&str> {
    let column = column?;
    let text = column.is_valid(at).then(|| column.value(at).trim())?;
    (!text.is_empty()).then_some(text)
}

/// The name of the file's folder, or of the file where the folder has none.
fn folder_name(path: &Path) -> Arc<str> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let folder = absolute.parent().and_then(Path::file_name);
    let name = folder.or_else(|| absolute.file_stem()).unwrap_or_default();
    name.to_string_lossy().into()
}

type Series<'a> = (bool, Option<&'a str>, bool, Option<&'a str>);

fn series_of(row: &IndexRow) -> Series<'_> {
    let (study, series) = (row.study_uid.as_deref(), row.series_uid.as_deref());
    (study.is_none(), study, series.is_none(), series)
}

/// Sorts, and gives every slice its place where its whole series has positions.
fn place(rows: &mut [IndexRow]) {
    // `None` would come first; a position that is not known comes last.
    let z = |row: &IndexRow| row.z_mm.map_or(f64::INFINITY, |z| z.0);
    rows.sort_unstable_by(|a, b| {
        series_of(a)
            .cmp(&series_of(b))
            .then_with(|| z(a).total_cmp(&z(b)))
            .then_with(|| a.image_id.cmp(&b.image_id))
    });
    for series in rows.chunk_by_mut(|a, b| series_of(a) == series_of(b)) {
        if series
            .iter()
            .all(|row| row.series_uid.is_some() && row.z_mm.is_some())
        {
            for (row, order) in series.iter_mut().zip(0..) {
                row.order = Some(order);
            }
        } else {
            // Indices are sorted by order, and these rows have none.
            series.sort_unstable_by(|a, b| a.image_id.cmp(&b.image_id));
        }
    }
}
