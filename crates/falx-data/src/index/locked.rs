//! What an index is known by, without reading its rows.

use std::path::Path;

use super::file::DATA_HASH;
use crate::table::{Opened, TableError};

/// The data lock of the index at `path`, and how many rows it has.
///
/// # Errors
/// [`TableError`] for a file that cannot be read or is no index.
pub fn data_lock(path: &Path) -> Result<(String, u32), TableError> {
    let (opened, batches) = Opened::open_columns(path, "index", Some(&["usable"]))?;
    let rows = u32::try_from(batches.rows()).map_err(|_| opened.wrong("it has too many rows"))?;
    Ok((opened.metadata(DATA_HASH)?.to_owned(), rows))
}
