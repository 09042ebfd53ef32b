//! Files, whole or not at all.

use std::io::Write as _;
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

use crate::ExplainError;

/// Writes a file under a temporary name, and renames it.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> Result<(), ExplainError> {
    let attempt = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    attempt().map_err(ExplainError::write(path))
}

/// Makes a folder, with those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), ExplainError> {
    std::fs::create_dir_all(path).map_err(ExplainError::write(path))
}
