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

/// A Parquet file that is being written; it appears whole, with [`Writer::finish`], or not at all.
pub(crate) struct Writer {
    path: PathBuf,
    writer: ArrowWriter<BufWriter<AtomicWriteFile>>,
}

impl Writer {
    /// Begins a file for `path`.
    pub(crate) fn create(path: &Path, schema: &Arc<Schema>) -> Result<Self, TableError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("falx ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = AtomicWriteFile::open(path).map_err(|source| TableError::Write {
            path: path.into(),
            source,
        })?;
        let writer =
            ArrowWriter::try_new(BufWriter::new(file), Arc::clone(schema), Some(properties))
                .map_err(|source| TableError::Parquet {
                    path: path.into(),
                    source,
                })?;
        Ok(Self {
            path: path.into(),
            writer,
        })
    }

    /// Writes a batch as a row group of its own.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let written = self.writer.write(batch);
        written
            .and_then(|()| self.writer.flush())
            .map_err(|source| failed(&self.path, source))
    }

    /// Adds text metadata, and lets the file appear.
    pub(crate) fn finish(mut self, metadata: &[(&str, String)]) -> Result<(), TableError> {
        for (key, value) in metadata {
            let pair = KeyValue::new((*key).to_owned(), value.clone());
            self.writer.append_key_value_metadata(pair);
        }
        let path = self.path.clone();
        let io = |source| TableError::Write {
            path: path.clone(),
            source,
        };
        let file = self
            .writer
            .into_inner()
            .map_err(|source| failed(&path, source))?;
        file.into_inner()
            .map_err(|error| io(error.into_error()))?
            .commit()
            .map_err(io)
    }
}

/// A full disk is no fault of Parquet's.
fn failed(path: &Path, source: ParquetError) -> TableError {
    let parquet = |source| TableError::Parquet {
        path: path.into(),
        source,
    };
    match source {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(source) => TableError::Write {
                path: path.into(),
                source: *source,
            },
            Err(error) => parquet(ParquetError::External(error)),
        },
        source => parquet(source),
    }
}

/// Writes batches and text metadata to `path`; one batch is in memory at a time.
pub(crate) fn write(
    path: &Path,
    schema: &Arc<Schema>,
    metadata: &[(&str, String)],
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<(), TableError> {
    let mut writer = Writer::create(path, schema)?;
    for batch in batches {
        let batch = batch.map_err(|error| failed(path, error.into()))?;
        writer.write(&batch)?;
    }
    writer.finish(metadata)
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

    /// As [`Self::column`], of a column that older files lack.
    pub(crate) fn newer_column<'a, A: Array + 'static>(
        &self,
        batch: &'a RecordBatch,
        name: &str,
    ) -> Result<Option<&'a A>, TableError> {
        let is_there = batch.column_by_name(name).is_some();
        is_there.then(|| self.column(batch, name)).transpose()
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
