//! The split as a Parquet file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use falx_core::{ImageId, PatientId};

use super::{Split, SplitRow};
use crate::table::{self, GROUP, Opened, TableError};

const DATA_LOCK: &str = "falx.data_lock";
const OPTIONS: &str = "falx.split";

/// True for a Parquet file, so for a split of falx's own; false for any other, so for a CSV.
///
/// # Errors
/// [`TableError::Open`] for a file that cannot be read.
pub fn is_split_file(path: impl AsRef<Path>) -> Result<bool, TableError> {
    let path = path.as_ref();
    let start = File::open(path).and_then(|file| {
        let mut start = Vec::new();
        file.take(4).read_to_end(&mut start)?;
        Ok(start)
    });
    start
        .map(|start| start == *b"PAR1")
        .map_err(|source| TableError::Open {
            path: path.into(),
            source,
        })
}

impl Split {
    /// Reads a split.
    ///
    /// # Errors
    /// [`TableError`] for a file that cannot be read or is no split.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TableError> {
        let (opened, batches) = Opened::open(path.as_ref(), "split")?;
        let data_hash = opened.metadata(DATA_LOCK)?.to_owned();
        let options = serde_json::from_str(opened.metadata(OPTIONS)?)
            .map_err(|error| opened.wrong(format!("its options cannot be read ({error})")))?;
        let mut rows = Vec::with_capacity(batches.room());
        for batch in batches {
            let batch = batch?;
            let ids = opened.column::<StringArray>(&batch, "image_id")?;
            let patients = opened.column::<StringArray>(&batch, "patient")?;
            let folds = opened.column::<Int32Array>(&batch, "fold")?;
            rows.extend((0..batch.num_rows()).map(|at| SplitRow {
                image_id: ImageId::from(ids.value(at)),
                patient: PatientId::from(patients.value(at)),
                fold: folds.value(at),
            }));
        }
        Ok(Self {
            rows,
            options,
            data_hash,
        })
    }

    /// Writes the split; the file appears whole or not at all.
    ///
    /// # Errors
    /// [`TableError`] when the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), TableError> {
        let path = path.as_ref();
        let wrong = |what: String| TableError::Content {
            path: path.into(),
            kind: "split",
            what,
        };
        let options =
            serde_json::to_string(&self.options).map_err(|error| wrong(error.to_string()))?;
        let metadata = [(DATA_LOCK, self.data_hash.clone()), (OPTIONS, options)];
        let schema = Arc::new(Schema::new(vec![
            Field::new("image_id", DataType::Utf8, false),
            Field::new("patient", DataType::Utf8, false),
            Field::new("fold", DataType::Int32, false),
        ]));
        let batches = self
            .rows
            .chunks(GROUP)
            .map(|rows| RecordBatch::try_new(Arc::clone(&schema), columns(rows)));
        table::write(path, &schema, &metadata, batches)
    }
}

fn columns(rows: &[SplitRow]) -> Vec<ArrayRef> {
    vec![
        Arc::new(
            rows.iter()
                .map(|row| Some(row.image_id.as_str()))
                .collect::<StringArray>(),
        ),
        Arc::new(
            rows.iter()
                .map(|row| Some(row.patient.as_str()))
                .collect::<StringArray>(),
        ),
        Arc::new(
            rows.iter()
                .map(|row| Some(row.fold))
                .collect::<Int32Array>(),
        ),
    ]
}
