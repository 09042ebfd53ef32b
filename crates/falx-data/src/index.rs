//! The index of a data set: one row a slice, whatever state its file is in.

mod build;
mod file;
mod files;
mod listing;
mod read;
mod summary;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{Hu, ImageId, LabelRow, Millimetre, PatientId};
use serde::{Deserialize, Serialize};

pub use build::{build, scan};
pub(crate) use files::find;
pub use listing::{ListingError, read_listing};
pub(crate) use read::reason;
pub use summary::IndexSummary;

use crate::labels::LabelsError;
use crate::table::TableError;

/// How a data set lies on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Found out from the files.
    #[default]
    Auto,
    /// Flat folders of `ID_<hex>.dcm`, as in the RSNA 2019 competition; anonymised already.
    Rsna,
    /// Folders of studies and series, at any depth and under any name.
    Folders,
}

/// A word that is no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a layout; the layouts are auto, rsna, folders")]
pub struct UnknownLayout(pub String);

impl Layout {
    /// The layout's name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Rsna => "rsna",
            Self::Folders => "folders",
        }
    }
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Rsna, Self::Folders]
            .into_iter()
            .find(|layout| layout.name() == word)
            .ok_or_else(|| UnknownLayout(word.to_owned()))
    }
}

/// What [`build`] reads and writes.
#[derive(Clone, Debug)]
pub struct IndexOptions {
    /// Files and folders.
    pub sources: Vec<PathBuf>,
    /// A label CSV.
    pub labels: Option<PathBuf>,
    /// How the sources lie on the disk.
    pub layout: Layout,
    /// The index to write.
    pub out: PathBuf,
}

/// One slice: where it is, what it shows, and whether it may be used.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexRow {
    /// The DICOM file.
    pub path: PathBuf,
    /// RSNA's id (the file's stem), or the SOP Instance UID.
    pub image_id: ImageId,
    /// SOP Instance UID.
    pub sop_uid: Option<String>,
    /// The patient's pseudonym.
    pub patient: Option<PatientId>,
    /// Study Instance UID.
    pub study_uid: Option<Arc<str>>,
    /// Series Instance UID.
    pub series_uid: Option<Arc<str>>,
    /// The name of the source folder.
    pub dataset: Arc<str>,
    /// Rows of the picture; 0 where the file could not be read.
    pub rows: u32,
    /// Columns of the picture; 0 where the file could not be read.
    pub cols: u32,
    /// Position along the slice normal.
    pub z_mm: Option<Millimetre>,
    /// The series' usual distance between neighbours.
    pub spacing_mm: Option<Millimetre>,
    /// Gantry tilt in degrees.
    pub tilt_deg: Option<f64>,
    /// The slice's place in its series, from the feet upwards, starting at 0.
    pub order: Option<u32>,
    /// Transfer Syntax UID.
    pub transfer_syntax: Option<Arc<str>>,
    /// BLAKE3 over rows, columns and HU: equal for equal pictures.
    pub pixel_hash: Option<String>,
    /// The smallest value that is not padding.
    pub hu_min: Option<Hu>,
    /// The largest value that is not padding.
    pub hu_max: Option<Hu>,
    /// Names of repairs, or of the refusal.
    pub defects: Vec<String>,
    /// True where the file gave a checked slice.
    pub usable: bool,
    /// What is known of the six labels.
    pub labels: LabelRow,
    /// The share of pixels of at least 300 HU, among all of the picture.
    pub bone_fraction: Option<f32>,
    /// The share of pixels from 0 to 80 HU, among all of the picture.
    pub brain_fraction: Option<f32>,
    /// How the slice was taken; shared by rows that were taken alike.
    pub acquisition: Option<Arc<Acquisition>>,
}

/// How a slice was taken: what tells scanners and protocols apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Acquisition {
    /// Manufacturer.
    pub manufacturer: Option<String>,
    /// Manufacturer's Model Name.
    pub model: Option<String>,
    /// Convolution Kernel.
    pub kernel: Option<String>,
    /// Peak tube voltage in kV.
    pub kvp: Option<f64>,
    /// Slice Thickness in mm.
    pub thickness_mm: Option<f64>,
    /// Pixel Spacing between rows in mm.
    pub pixel_mm: Option<f64>,
    /// Rescale Intercept in HU, as the file states it.
    pub intercept: Option<f64>,
    /// Bits of a stored value.
    pub bits_stored: Option<u32>,
    /// True for signed stored values.
    pub signed: Option<bool>,
    /// The centre of the file's first window in HU.
    pub window_center: Option<f64>,
    /// The width of the file's first window in HU.
    pub window_width: Option<f64>,
}

/// A data set's rows, sorted by study, series and position, and what [`build`] had to say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// One row a slice.
    pub rows: Vec<IndexRow>,
    /// What was found while indexing.
    pub summary: IndexSummary,
}

/// Why no index could be built.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A source does not exist.
    #[error("{path} does not exist; give files or folders that hold DICOM")]
    NoSuchPath {
        /// The source.
        path: PathBuf,
    },
    /// A source is an empty folder.
    #[error("the folder {path} is empty; give a folder that holds DICOM files")]
    Empty {
        /// The source.
        path: PathBuf,
    },
    /// No source was given.
    #[error("no source was given; give files or folders that hold DICOM")]
    NoSources,
    /// There are files, but none is DICOM.
    #[error("no DICOM found in {path} ({files} other files); give a folder that holds DICOM files")]
    NoDicom {
        /// The source, or the first of several.
        path: PathBuf,
        /// How many files were looked at.
        files: u64,
    },
    /// A folder could not be listed.
    #[error("cannot list {path}: {source}")]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The labels are unusable.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// The index could not be written.
    #[error(transparent)]
    File(#[from] TableError),
    /// The user asked to stop.
    #[error("indexing was interrupted; nothing was written")]
    Interrupted,
}
