//! The crate's doors: a file or bytes in, a slice or a refusal out.

use std::path::Path;

use crate::{CtSlice, DicomError, Refusal, Refused, SliceHeader};

/// Reads the CT slice in the file at `path`.
///
/// # Errors
/// [`DicomError::Io`] where the file cannot be read, [`DicomError::Refused`] where it is no CT slice in HU.
pub fn read_file(path: &Path) -> Result<CtSlice, DicomError> {
    Reader::new().read(path)
}

/// Reads the CT slice in `bytes`, a whole file.
///
/// # Errors
/// [`Refused`] where the bytes are no CT slice in HU.
pub fn read_bytes(bytes: &[u8]) -> Result<CtSlice, Refused> {
    let _ = bytes;
    Err(Refused::new(Refusal::NotDicom, ""))
}

/// Reads everything short of the pixels of the file at `path`, and reads no further than it must.
///
/// # Errors
/// [`DicomError::Io`] where the file cannot be read, [`DicomError::Refused`] where its header refuses it already.
pub fn read_header(path: &Path) -> Result<SliceHeader, DicomError> {
    Reader::new().read_header(path)
}

/// A reader that keeps its buffers from file to file: one for each thread.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// A reader with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the CT slice in the file at `path`.
    ///
    /// # Errors
    /// As [`read_file`].
    pub fn read(&mut self, path: &Path) -> Result<CtSlice, DicomError> {
        read_bytes(&self.bytes).map_err(|refused| DicomError::Refused {
            path: path.to_owned(),
            refused,
        })
    }

    /// Reads everything short of the pixels of the file at `path`.
    ///
    /// # Errors
    /// As [`read_header`].
    pub fn read_header(&mut self, path: &Path) -> Result<SliceHeader, DicomError> {
        self.read(path).map(|slice| slice.header)
    }
}
