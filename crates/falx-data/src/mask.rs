//! Where a haemorrhage is in a slice, pixel by pixel: a picture beside it, or a slice of a volume.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use falx_core::{Label, SUBTYPES, Window};
use falx_dicom::{CtSlice, SliceHeader};

use crate::location::{Location, is_picture};
use crate::source::volume::Volume;
use crate::source::{Fault, picture};

/// How the description of a volume begins whose voxels hold a bit a subtype, as phantoms are written.
const BITS: &str = "bit k: subtype k";
/// A volume's slice belongs to a series' slice whose first pixel lies no farther from its own, in mm.
const TOLERANCE_MM: f64 = 0.5;
/// Grey levels of a picture from which on a pixel is marked: half of white, since lossy pictures have levels between.
const MARKED: f32 = 127.5;

/// What a mask tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskKind {
    /// Every subtype by itself.
    Subtypes,
    /// Haemorrhage, of whatever subtype.
    Any,
}

/// Where a haemorrhage is in a slice.
///
/// # Shape
/// As its slice: rows × columns, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    rows: usize,
    cols: usize,
    kind: MaskKind,
    /// Bit k for subtype k, or bit 0 for any.
    bits: Vec<u8>,
}

/// Which slice of its series a slice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceInSeries {
    /// Its number from the feet upwards, from 0.
    pub order: u32,
    /// How many slices of the series have one.
    pub of: u32,
}

/// Why there is no mask.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// The file cannot be read as a mask.
    #[error("{path}: no mask can be read: {reason}")]
    Read {
        /// The mask.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is not as large as its slice.
    #[error(
        "{path}: the mask has {found:?} rows and columns, its slice {expected:?}; is it another series' mask?"
    )]
    Size {
        /// The mask.
        path: PathBuf,
        /// Rows and columns of the slice.
        expected: [usize; 2],
        /// Rows and columns of the mask.
        found: [usize; 2],
    },
}

impl Mask {
    /// What it tells apart.
    pub const fn kind(&self) -> MaskKind {
        self.kind
    }

    /// Rows and columns.
    pub const fn size(&self) -> [usize; 2] {
        [self.rows, self.cols]
    }

    /// Which pixels show `label`; `None` where the mask does not tell subtypes apart.
    pub fn of(&self, label: Label) -> Option<Vec<bool>> {
        let bit = match (self.kind, label) {
            (_, Label::Any) => u8::MAX,
            (MaskKind::Subtypes, subtype) => 1 << subtype.index(),
            (MaskKind::Any, _) => return None,
        };
        Some(self.bits.iter().map(|bits| bits & bit != 0).collect())
    }

    fn of_slice(
        slice: &CtSlice,
        kind: MaskKind,
        bits: impl Fn(f32) -> u8,
        header: &SliceHeader,
        path: &Path,
    ) -> Result<Self, MaskError> {
        let found = [slice.header.rows, slice.header.cols];
        let expected = [header.rows, header.cols];
        if found != expected {
            return Err(MaskError::Size {
                path: path.to_owned(),
                expected,
                found,
            });
        }
        let [rows, cols] = found;
        let bits = slice.hu.iter().map(|value| bits(value.0)).collect();
        Ok(Self {
            rows,
            cols,
            kind,
            bits,
        })
    }
}

/// Reads masks; keeps the last volume from slice to slice.
#[derive(Default)]
pub struct MaskReader {
    volume: Option<(PathBuf, Volume)>,
}

impl MaskReader {
    /// A reader with nothing open.
    pub fn new() -> Self {
        Self::default()
    }

    /// The mask at `path`, as an index names it ([`Location`]), of the slice with this header.
    ///
    /// # Errors
    /// [`MaskError`] where it cannot be read, or is not as large as the slice.
    pub fn read(&mut self, path: &Path, header: &SliceHeader) -> Result<Mask, MaskError> {
        let fault = |reason: String| MaskError::Read {
            path: path.to_owned(),
            reason,
        };
        match Location::parse(path) {
            Location::File(file) if is_picture(&file) => {
                let bytes = std::fs::read(&file).map_err(|error| fault(error.to_string()))?;
                let levels = Window::new(127.5, 255.0).ok();
                let decoded = picture::decode(&bytes, levels);
                let slice = decoded.map_err(|error: Fault| fault(error.to_string()))?;
                let marked = |level: f32| u8::from(level > MARKED);
                Mask::of_slice(&slice, MaskKind::Any, marked, header, path)
            }
            Location::VolumeSlice { volume, number } => self.of_volume(&volume, number, header),
            _ => Err(fault(
                "a mask is a picture or a slice of a NIfTI volume".to_owned(),
            )),
        }
    }

    /// The mask of a slice in `<series>.nii.gz` or `<series>.nii` of a folder; `None` where the folder has no volume for the
    /// series, or the volume no slice there.
    ///
    /// A volume with as many slices as the series has theirs in the same order, from the feet upwards, however they are
    /// spaced. Another is matched by where the slice lies.
    ///
    /// # Errors
    /// As [`MaskReader::read`].
    pub fn beside(
        &mut self,
        folder: &Path,
        series: &str,
        place: Option<PlaceInSeries>,
        header: &SliceHeader,
    ) -> Result<Option<Mask>, MaskError> {
        let is_name = !series.is_empty() && !series.contains(['/', '\\']) && series != "..";
        let names = ["nii.gz", "nii"].map(|ending| folder.join(format!("{series}.{ending}")));
        let Some(path) = names.into_iter().find(|path| is_name && path.is_file()) else {
            return Ok(None);
        };
        let volume = self.volume(&path)?;
        let by_order = place.filter(|place| place.of == volume.len());
        let by_position = || volume.slice_at(header.image_position?, TOLERANCE_MM);
        let number = by_order.map(|place| place.order + 1).or_else(by_position);
        let mask = number.map(|number| self.of_volume(&path, number, header));
        mask.transpose()
    }

    fn of_volume(
        &mut self,
        path: &Path,
        number: u32,
        header: &SliceHeader,
    ) -> Result<Mask, MaskError> {
        let volume = self.volume(path)?;
        let slice = volume.slice(number).map_err(|error| MaskError::Read {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        if volume.description().starts_with(BITS) {
            let all = (1_u8 << SUBTYPES.len()) - 1;
            // Subtypes alone have a bit.
            let bits = |value: f32| (value.max(0.0) as u8) & all;
            return Mask::of_slice(&slice, MaskKind::Subtypes, bits, header, path);
        }
        let marked = |value: f32| u8::from(value > 0.0);
        Mask::of_slice(&slice, MaskKind::Any, marked, header, path)
    }

    fn volume(&mut self, path: &Path) -> Result<&Volume, MaskError> {
        if self.volume.as_ref().is_none_or(|(have, _)| have != path) {
            let read = Volume::read(path).map_err(|error| MaskError::Read {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
            self.volume = Some((path.to_owned(), read));
        }
        match &self.volume {
            Some((_, volume)) => Ok(volume),
            None => Err(MaskError::Read {
                path: path.to_owned(),
                reason: "it is gone".to_owned(),
            }),
        }
    }
}
