//! From files to rows.

use falx_core::{Interrupt, Progress};

use super::{IndexError, IndexOptions, IndexSummary};

/// Reads every DICOM file of the sources and writes the index.
///
/// Runs on rayon's current pool; the file's bytes do not depend on the number of threads.
///
/// # Errors
/// [`IndexError`].
pub fn build(
    options: &IndexOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<IndexSummary, IndexError> {
    let _ = (options, progress, interrupt);
    todo!()
}
