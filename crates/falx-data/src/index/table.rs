//! The index as a Parquet file.

use std::path::{Path, PathBuf};

use super::Index;

/// Why an index or split file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IndexFileError {
    /// The file could not be read or written.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// [`IndexFileError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, IndexFileError> {
        let _ = path.as_ref();
        todo!()
    }

    /// Writes the index; the file appears whole or not at all.
    ///
    /// # Errors
    /// [`IndexFileError`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), IndexFileError> {
        let _ = path.as_ref();
        todo!()
    }

    /// The data lock: a hash over image ids, pixel hashes and labels, independent of paths and order.
    pub fn data_hash(&self) -> String {
        todo!()
    }
}
