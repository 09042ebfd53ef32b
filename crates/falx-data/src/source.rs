//! Slices wherever they lie: DICOM files, archives, windowed pictures, volumes.

pub(crate) mod archive;
pub(crate) mod picture;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod volume;

use std::path::{Path, PathBuf};

use falx_core::Window;
use falx_dicom::{CtSlice, DicomError, Reader, Refusal, Refused};

use crate::augment::Augmenter;
use crate::location::{Location, is_picture};

/// Why something beside a plain DICOM file gives no slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceFault {
    /// An archive's entry has a name that leads out of the archive.
    UnsafeArchivePath,
    /// An archive, or an entry of it, cannot be unpacked.
    DamagedArchive,
    /// An entry of an archive is larger than 1 GiB.
    ArchiveEntryTooLarge,
    /// A picture cannot be decoded.
    DamagedPicture,
    /// A picture has no window, so that its grey levels have no Hounsfield units.
    PictureWithoutWindow,
    /// A picture of 16 bits is no picture from black to white, but values of another scale.
    RawPicture,
    /// A `NIfTI` volume cannot be read.
    DamagedVolume,
    /// A `NIfTI` volume is no stack of axial slices.
    UnsupportedVolume,
}

impl SourceFault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::UnsafeArchivePath,
        Self::DamagedArchive,
        Self::ArchiveEntryTooLarge,
        Self::DamagedPicture,
        Self::PictureWithoutWindow,
        Self::RawPicture,
        Self::DamagedVolume,
        Self::UnsupportedVolume,
    ];

    /// Its name in an index.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnsafeArchivePath => "unsafe_archive_path",
            Self::DamagedArchive => "damaged_archive",
            Self::ArchiveEntryTooLarge => "archive_entry_too_large",
            Self::DamagedPicture => "damaged_picture",
            Self::PictureWithoutWindow => "picture_without_window",
            Self::RawPicture => "raw_picture",
            Self::DamagedVolume => "damaged_volume",
            Self::UnsupportedVolume => "unsupported_volume",
        }
    }

    /// What it is, in one sentence.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::UnsafeArchivePath => {
                "An archive's entry has a name that leads out of the archive."
            }
            Self::DamagedArchive => "An archive, or an entry of it, cannot be unpacked.",
            Self::ArchiveEntryTooLarge => "An entry of an archive is larger than 1 GiB.",
            Self::DamagedPicture => "A picture cannot be decoded.",
            Self::PictureWithoutWindow => {
                "A picture has no window, so that its grey levels have no Hounsfield units."
            }
            Self::RawPicture => {
                "A picture of 16 bits does not go from black to white: its values are of another scale, which nobody says."
            }
            Self::DamagedVolume => "A NIfTI volume cannot be read.",
            Self::UnsupportedVolume => "A NIfTI volume is no stack of axial slices.",
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::UnsafeArchivePath => {
                "look who made this archive; make it again with names inside of it"
            }
            Self::DamagedArchive | Self::DamagedPicture | Self::DamagedVolume => {
                "fetch the file again, or leave it out"
            }
            Self::ArchiveEntryTooLarge => "unpack the archive, if you trust it",
            Self::PictureWithoutWindow => "say which window it shows with --window",
            Self::RawPicture => {
                "give the DICOM file, or a picture of one window from black to white"
            }
            Self::UnsupportedVolume => "store the volume again in axial slices",
        }
    }
}

/// A fault with what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}; {}", .fault.name(), .fault.remedy())]
pub struct Fault {
    /// What is wrong.
    pub fault: SourceFault,
    /// What was found.
    pub detail: String,
}

impl Fault {
    pub(crate) fn new(fault: SourceFault, detail: impl Into<String>) -> Self {
        Self {
            fault,
            detail: detail.into(),
        }
    }
}

/// The defect of every slice that comes from a windowed picture: beyond the window values are cut off.
pub const WINDOWED_PICTURE: &str = "windowed_picture";
/// What it is, in one sentence.
pub const WINDOWED_PICTURE_IS: &str = "The slice comes from a picture of 8 bits in one window: its Hounsfield units are estimates, and cut off beyond the window.";

/// A slice's location, and the window its picture shows where it is a picture.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The path as an index has it ([`Location`]).
    pub path: &'a Path,
    /// The window of a picture.
    pub window: Option<Window>,
}

/// Reads slices wherever they lie; keeps buffers, and the last archive and volume, from slice to slice.
#[derive(Default)]
pub struct SliceReader {
    /// Reads plain DICOM files.
    pub dicom: Reader,
    /// Changes what was read.
    pub(crate) augmenter: Augmenter,
    archive: archive::Opened,
    volume: Option<(PathBuf, volume::Volume)>,
}

impl SliceReader {
    /// A reader with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the slice at `place`; `None` for a plain DICOM file, which [`SliceReader::dicom`] reads faster.
    ///
    /// # Errors
    /// As [`Reader::read_slice`]; a fault of a picture, volume or archive is [`DicomError::Io`] with its text.
    pub fn read_other(&mut self, place: Place<'_>) -> Option<Result<CtSlice, DicomError>> {
        let io = |source: std::io::Error| DicomError::Io {
            path: place.path.into(),
            source,
        };
        let fault = |fault: Fault| io(std::io::Error::new(std::io::ErrorKind::InvalidData, fault));
        let read = match Location::parse(place.path) {
            Location::File(path) if is_picture(&path) => std::fs::read(&path)
                .map_err(io)
                .and_then(|bytes| picture::decode(&bytes, place.window).map_err(fault)),
            Location::File(_) => return None,
            Location::Entry { archive, entry } => self
                .archive
                .entry(&archive, &entry)
                .map_err(fault)
                .and_then(|bytes| {
                    if is_picture(Path::new(&entry)) {
                        return picture::decode(&bytes, place.window).map_err(fault);
                    }
                    slice_of(&bytes).map_err(|refused| DicomError::Refused {
                        path: place.path.into(),
                        refused,
                    })
                }),
            Location::VolumeSlice { volume, number } => {
                self.volume_slice(&volume, number).map_err(fault)
            }
        };
        Some(read)
    }

    /// The bytes of the archive's entry that `path` names, for what needs more of a file than its slice; `None` where `path` names
    /// a file of its own.
    ///
    /// # Errors
    /// [`DicomError::Io`] with the archive's fault as its text.
    pub fn entry(&mut self, path: &Path) -> Option<Result<Vec<u8>, DicomError>> {
        let Location::Entry { archive, entry } = Location::parse(path) else {
            return None;
        };
        let bytes = self.archive.entry(&archive, &entry);
        Some(bytes.map_err(|fault| DicomError::Io {
            path: path.into(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, fault),
        }))
    }

    /// Reads the slice at `place`, wherever it lies.
    ///
    /// # Errors
    /// As [`SliceReader::read_other`].
    pub fn read(&mut self, place: Place<'_>) -> Result<CtSlice, DicomError> {
        match self.read_other(place) {
            Some(read) => read,
            None => self.dicom.read_slice(place.path),
        }
    }

    fn volume_slice(&mut self, path: &Path, number: u32) -> Result<CtSlice, Fault> {
        if self.volume.as_ref().is_none_or(|(have, _)| have != path) {
            self.volume = Some((path.to_owned(), volume::Volume::read(path)?));
        }
        match &self.volume {
            Some((_, volume)) => volume.slice(number),
            None => Err(Fault::new(SourceFault::DamagedVolume, "it is gone")),
        }
    }
}

/// The only slice of a DICOM file's bytes.
pub(crate) fn slice_of(bytes: &[u8]) -> Result<CtSlice, Refused> {
    let decoded = falx_dicom::read_bytes(bytes)?;
    let frames = decoded.slices.len();
    decoded.into_slice().ok_or_else(|| Refused {
        refusal: Refusal::UnsupportedMultiframe,
        detail: format!("{frames} frames"),
    })
}
