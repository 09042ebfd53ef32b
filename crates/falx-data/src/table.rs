//! Parquet files: written whole or not at all, read column by column with typed errors.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, Schema};
use atomic_write_file::AtomicWriteFile;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

/// Why an index or a split could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file could not be opened.
    #[error("cannot open {}: {source}; check that it exists and may be read", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {}: {source}; check that its folder exists and has room", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no Parquet, or a damaged one.
    #[error("{} cannot be used as Parquet: {source}; make it again", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ParquetError,
    },
    /// The file is Parquet, but not what it should be.
    #[error("{} is no {kind}: {what}; make it again with `falx {kind}`", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// `index` or `split`.
        kind: &'static str,
        /// What is wrong.
        what: String,
    },
}

/// Rows of one row group.
pub(crate) const GROUP: usize = 1 << 16;

/// Rows that are read at once.
const BATCH: usize = 1 << 13;

/// Writes batches and text metadata to `path`; one batch is in memory at a time.
pub(crate) fn write(
    path: &Path,
    schema: &Arc<Schema>,
    metadata: &[(&str, String)],
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<(), TableError> {
    let io = |source| TableError::Write {
        path: path.into(),
        source,
    };
    let parquet = |source| TableError::Parquet {
        path: path.into(),
        source,
    };
    let pairs = metadata
        .iter()
        .map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()))
        .collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("falx ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(pairs))
        .build();
    let mut file = AtomicWriteFile::open(path).map_err(io)?;
    let mut writer = ArrowWriter::try_new(
        BufWriter::new(&mut file),
        Arc::clone(schema),
        Some(properties),
    )
    .map_err(parquet)?;
    for batch in batches {
        let batch = batch.map_err(|error| parquet(error.into()))?;
        writer.write(&batch).map_err(parquet)?;
        writer.flush().map_err(parquet)?;
    }
    writer
        .into_inner()
        .map_err(parquet)?
        .into_inner()
        .map_err(|error| io(error.into_error()))?;
    file.commit().map_err(io)
}

/// More rows than a file really has must not reserve memory that is not there.
const MOST_RESERVED: usize = 1 << 21;

/// The batches of an opened Parquet file, read one after the other.
pub(crate) struct Batches {
    path: PathBuf,
    rows: usize,
    reader: ParquetRecordBatchReader,
}

impl Batches {
    /// How many rows to make room for.
    pub(crate) fn room(&self) -> usize {
        self.rows.min(MOST_RESERVED)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|error| TableError::Parquet {
            path: self.path.clone(),
            source: error.into(),
        }))
    }
}

/// An opened Parquet file: its text metadata, and what its columns should be.
pub(crate) struct Opened {
    path: PathBuf,
    kind: &'static str,
    metadata: BTreeMap<String, String>,
}

impl Opened {
    /// Opens `path`.
    pub(crate) fn open(path: &Path, kind: &'static str) -> Result<(Self, Batches), TableError> {
        Self::open_columns(path, kind, None)
    }

    /// Opens `path` to read only some columns, or all.
    pub(crate) fn open_columns(
        path: &Path,
        kind: &'static str,
        columns: Option<&[&str]>,
    ) -> Result<(Self, Batches), TableError> {
        let parquet = |source| TableError::Parquet {
            path: path.into(),
            source,
        };
        let file = File::open(path).map_err(|source| TableError::Open {
            path: path.into(),
            source,
        })?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
        let metadata = builder
            .metadata()
            .file_metadata()
            .key_value_metadata()
            .into_iter()
            .flatten()
            .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
            .collect();
        let rows = builder.metadata().file_metadata().num_rows();
        let mask = columns.map_or_else(ProjectionMask::all, |names| {
            ProjectionMask::columns(builder.parquet_schema(), names.iter().copied())
        });
        let reader = builder
            .with_projection(mask)
            .with_batch_size(BATCH)
            .build()
            .map_err(parquet)?;
        let opened = Self {
            path: path.into(),
            kind,
            metadata,
        };
        let batches = Batches {
            path: path.into(),
            rows: usize::try_from(rows).unwrap_or(0),
            reader,
        };
        Ok((opened, batches))
    }

    /// The error that this file is not what it should be.
    pub(crate) fn wrong(&self, what: impl Into<String>) -> TableError {
        TableError::Content {
            path: self.path.clone(),
            kind: self.kind,
            what: what.into(),
        }
    }

    /// Metadata that must be there.
    pub(crate) fn metadata(&self, key: &str) -> Result<&str, TableError> {
        self.metadata
            .get(key)
            .map(String::as_str)
            .ok_or_else(|| self.wrong(format!("its metadata lack {key}")))
    }

    /// A column of a batch as its type.
    pub(crate) fn column<'a, A: Array + 'static>(
        &self,
        batch: &'a RecordBatch,
        name: &str,
    ) -> Result<&'a A, TableError> {
        batch
            .column_by_name(name)
            .ok_or_else(|| self.wrong(format!("it has no column {name}")))?
            .as_any()
            .downcast_ref()
            .ok_or_else(|| self.wrong(format!("its column {name} has another type")))
    }

    /// Columns of a batch that have one type.
    pub(crate) fn columns<A: Array + Clone + 'static, const N: usize>(
        &self,
        batch: &RecordBatch,
        names: [&str; N],
    ) -> Result<[A; N], TableError> {
        let mut columns = Vec::with_capacity(N);
        for name in names {
            columns.push(self.column::<A>(batch, name)?.clone());
        }
        columns
            .try_into()
            .map_err(|_| self.wrong("it lacks columns"))
    }
}
