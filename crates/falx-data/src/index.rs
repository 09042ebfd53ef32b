//! The index of a data set: one row a slice, whatever state its file is in.

mod arrange;
mod build;
mod digest;
mod file;
mod files;
mod journal;
mod layout;
mod listing;
mod locked;
mod names;
mod read;
mod spill;
mod summary;
#[cfg(test)]
mod tests;
mod workers;

use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{Hu, ImageId, LabelRow, Millimetre, PatientId, Window};
use falx_dicom::Plane;
use serde::{Deserialize, Serialize};

pub use build::{build, merge, scan};
pub use files::Unlisted;
pub(crate) use files::find;
pub use layout::{Layout, UnknownLayout};
pub use listing::{ListingError, read_listing};
pub use locked::data_lock;
pub(crate) use read::reason;
pub use summary::{IndexSummary, SourceSummary, WindowFrom};

use crate::labels::{ColumnMap, LabelsError, StudyLabels};
use crate::source::Place;
use crate::table::TableError;

/// What [`build`] reads and writes.
#[derive(Clone, Debug, Default)]
pub struct IndexOptions {
    /// Files and folders.
    pub sources: Vec<PathBuf>,
    /// Label CSVs; a later one adds to an earlier.
    pub labels: Vec<PathBuf>,
    /// What other people call the columns of their CSVs.
    pub columns: ColumnMap,
    /// How the sources lie on the disk.
    pub layout: Layout,
    /// The window that pictures show, where their layout does not say.
    pub window: Option<Window>,
    /// Read headers and stop before the pixels: no hash, no HU, no defects of values.
    pub headers_only: bool,
    /// Go on with a finished index: read only files that are new or have changed.
    pub update: bool,
    /// Read only this part of the files, and write it as a part for [`merge`].
    pub part: Option<Part>,
    /// The index to write.
    pub out: PathBuf,
}

/// A part of the files: number `number` of `of`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which part, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// A text that is no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no part; give number/of, as 2/8")]
pub struct NoPart(pub String);

impl std::str::FromStr for Part {
    type Err = NoPart;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match numbers {
            Some((number, of)) if number >= 1 && number <= of => Ok(Self { number, of }),
            _ => Err(NoPart(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// One slice: where it is, what it shows, and whether it may be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexRow {
    /// Where its bytes are ([`crate::location::Location`]).
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
    /// Where a mask of the haemorrhage is.
    pub mask: Option<PathBuf>,
    /// The patient's age in years when the slice was taken; from 90 on it is 90, since higher ages name people.
    pub age_years: Option<f32>,
    /// The patient's sex: `M`, `F` or `O`.
    pub sex: Option<Arc<str>>,
}

impl IndexRow {
    /// A row of which nothing is known but its name: not usable.
    pub(crate) fn unread(path: PathBuf, image_id: ImageId, dataset: Arc<str>) -> Self {
        Self {
            path,
            image_id,
            sop_uid: None,
            patient: None,
            study_uid: None,
            series_uid: None,
            dataset,
            rows: 0,
            cols: 0,
            z_mm: None,
            spacing_mm: None,
            tilt_deg: None,
            order: None,
            transfer_syntax: None,
            pixel_hash: None,
            hu_min: None,
            hu_max: None,
            defects: Vec::new(),
            usable: false,
            labels: LabelRow::default(),
            bone_fraction: None,
            brain_fraction: None,
            acquisition: None,
            mask: None,
            age_years: None,
            sex: None,
        }
    }

    /// Where its slice is read.
    pub fn place(&self) -> Place<'_> {
        Place {
            path: &self.path,
            window: self.picture_window(),
        }
    }

    /// The window of a slice that comes from a picture; `None` for one that comes with its own scale.
    pub fn picture_window(&self) -> Option<Window> {
        let taken = self.acquisition.as_deref()?;
        let is_picture = self.transfer_syntax.is_none();
        let [center, width] = [taken.window_center?, taken.window_width?];
        Window::new(center as f32, width as f32)
            .ok()
            .filter(|_| is_picture)
    }
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
    /// Body Part Examined.
    pub body_part: Option<String>,
    /// True where Contrast/Bolus Agent names one.
    pub contrast: Option<bool>,
    /// The plane in which the slice lies.
    pub plane: Option<Plane>,
}

/// A data set's rows, sorted by study, series and position, and what [`build`] had to say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// One row a slice.
    pub rows: Vec<IndexRow>,
    /// What was found while indexing.
    pub summary: IndexSummary,
    /// What is known of whole studies, where labels are not by slice.
    pub study_labels: Vec<StudyLabels>,
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
    /// A listing cannot be used.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// A listing among other things, or without what it needs.
    #[error(
        "a Parquet table names slices that have no files here: give it as the only SRC, with --headers-only and without \
         --labels (its own are used)"
    )]
    ListingAlone,
    /// What has been read cannot be kept.
    #[error(
        "cannot write {path}: {source}; check that its folder exists and has room; an index that was there is untouched"
    )]
    Journal {
        /// The journal, or the folder of the sorting.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A part cannot be merged.
    #[error("{path} is no finished part of an index: {what}; run `falx index --part` for it again")]
    PartUnusable {
        /// The part.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Parts are missing, or do not belong together.
    #[error("the parts make no whole: {what}")]
    Parts {
        /// What is missing or different.
        what: String,
    },
    /// The user asked to stop.
    #[error(
        "indexing was interrupted; what `falx index` has read is kept, and the same command goes on from there"
    )]
    Interrupted,
}
