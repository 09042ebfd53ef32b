//! Why no DICOM objects were written.

use std::path::{Path, PathBuf};

use falx_core::Label;

/// Why no DICOM objects were written. None of them names a patient.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The disk said no.
    #[error("{}: {source}; check that the folder exists, may be written to and has room", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A source whose header cannot be read.
    #[error("{}: its DICOM header cannot be read ({reason}); give the original file", .path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// The reader's reason.
        reason: String,
    },
    /// A source lacks what every object of its study must say.
    #[error("{}: it has no {attribute}, without which nothing can refer to it; export the study again with it", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The attribute's name in DICOM.
        attribute: &'static str,
    },
    /// A source of another study than the first.
    #[error("{}: it belongs to another study than the first file; give the files of one study", .path.display())]
    OtherStudy {
        /// The file.
        path: PathBuf,
    },
    /// A source that was given twice.
    #[error("{}: the same image was given before; give each image once", .path.display())]
    SameImage {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to refer to.
    #[error("no image was given that the findings could be of; give at least one")]
    NoSource,
    /// There is nothing to say.
    #[error("no finding was given; give at least one")]
    NoFinding,
    /// A label with two findings.
    #[error("the finding `{0}` was given twice; give each label once")]
    SameLabel(Label),
    /// A slice that is none of the sources.
    #[error("{what} names slice {slice}, but {slices} slices were given (counted from 0)")]
    UnknownSlice {
        /// Who names it.
        what: String,
        /// The slice's place, from 0.
        slice: usize,
        /// How many there are.
        slices: usize,
    },
    /// An interval that does not hold its probability.
    #[error("the interval of `{0}` does not hold its probability; give lower end, then upper end")]
    Interval(Label),
    /// A picture without pixels, or whose pixels are not rows × columns × 3 bytes.
    #[error(
        "a picture of {rows} rows and {cols} columns has {bytes} bytes; it must have 3 for each pixel, and 1 to 65535 rows and columns"
    )]
    Picture {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
        /// Bytes of its pixels.
        bytes: usize,
    },
    /// A heat map that does not fit to its slices.
    #[error("the heat map of `{label}` {reason}")]
    HeatMap {
        /// Its label.
        label: Label,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// An instant outside the calendar of DICOM.
    #[error(
        "the instant {unix_seconds} s, {offset_minutes} min from UTC cannot be written as a date; give one of the years 1 to 9999 and an offset of at most 14 hours"
    )]
    Instant {
        /// Seconds since 1970 in UTC.
        unix_seconds: i64,
        /// Minutes of local time before UTC.
        offset_minutes: i32,
    },
    /// The folder holds an object of an earlier run that this one would not replace.
    #[error("{} is of another run; name another folder, or remove it first", .0.display())]
    LeftOver(PathBuf),
    /// An object that cannot be put into DICOM: a fault of falx.
    #[error(
        "cannot encode the {what} as DICOM ({reason}); this is a fault of falx, please report it"
    )]
    Encode {
        /// Which object.
        what: &'static str,
        /// The library's reason.
        reason: String,
    },
}

/// Names a file in the system's error.
pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> EvidenceError {
    let path = path.to_owned();
    move |source| EvidenceError::Io { path, source }
}
