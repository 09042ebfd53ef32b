//! The images that findings are of: their headers, from files or from bytes out of an archive.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::EvidenceError;
use crate::element::{DataSet, decimals_of, items_of, put, text_of};
use crate::error::io;

mod plain;
mod start;

/// A slice that was looked at: what its file says before the pixels, but for sequences of unknown representation.
#[derive(Clone, Debug)]
pub struct SourceSlice {
    path: PathBuf,
    frame: Option<u32>,
    header: Arc<DataSet>,
    sop_class: String,
    sop_instance: String,
    study: String,
    series: String,
}

impl SourceSlice {
    /// Reads the header of the file at `path`, in whatever transfer syntax it is.
    ///
    /// # Errors
    /// [`EvidenceError::Io`] where the file cannot be read, [`EvidenceError::Source`] where it is no DICOM,
    /// [`EvidenceError::Missing`] where it lacks an identifier without which nothing can refer to it.
    pub fn read(path: &Path) -> Result<Self, EvidenceError> {
        let file = File::open(path).map_err(io(path))?;
        Self::parse(path, file)
    }

    /// Reads the header from a file's bytes; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`SourceSlice::read`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, EvidenceError> {
        Self::parse(path, Cursor::new(bytes))
    }

    /// One frame of a file that holds several, by its number from 1.
    #[must_use]
    pub fn with_frame(mut self, number: u32) -> Self {
        self.frame = Some(number);
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SOP Instance UID.
    pub fn sop_instance_uid(&self) -> &str {
        &self.sop_instance
    }

    fn parse(path: &Path, file: impl Read + Seek) -> Result<Self, EvidenceError> {
        let (header, meta) = start::header(file).map_err(|reason| EvidenceError::Source {
            path: path.to_owned(),
            reason,
        })?;
        let need = |attribute: &'static str, found: Option<String>| {
            found.ok_or_else(|| EvidenceError::Missing {
                path: path.to_owned(),
                attribute,
            })
        };
        // Files of some archives name the class of what they hold in their meta information alone.
        let sop_class = text_of(&header, tags::SOP_CLASS_UID).or(meta.sop_class);
        let sop_instance = text_of(&header, tags::SOP_INSTANCE_UID).or(meta.sop_instance);
        Ok(Self {
            path: path.to_owned(),
            frame: None,
            sop_class: need("SOP Class UID", sop_class)?,
            sop_instance: need("SOP Instance UID", sop_instance)?,
            study: need(
                "Study Instance UID",
                text_of(&header, tags::STUDY_INSTANCE_UID),
            )?,
            series: need(
                "Series Instance UID",
                text_of(&header, tags::SERIES_INSTANCE_UID),
            )?,
            header: Arc::new(header),
        })
    }

    pub(crate) fn header(&self) -> &DataSet {
        &self.header
    }

    pub(crate) fn study(&self) -> &str {
        &self.study
    }

    pub(crate) fn series(&self) -> &str {
        &self.series
    }

    pub(crate) const fn frame(&self) -> Option<u32> {
        self.frame
    }

    /// What the slice is called where people read it: its Instance Number, else its place from 1.
    pub(crate) fn name(&self, place: usize) -> String {
        let number = text_of(&self.header, tags::INSTANCE_NUMBER);
        match (number, self.frame) {
            (_, Some(frame)) => format!("frame {frame}"),
            (Some(number), None) => number,
            (None, None) => format!("#{}", place + 1),
        }
    }

    /// The item of a sequence that refers to the whole object.
    pub(crate) fn object_reference(&self) -> DataSet {
        let mut item = DataSet::new_empty();
        put(
            &mut item,
            tags::REFERENCED_SOP_CLASS_UID,
            VR::UI,
            &*self.sop_class,
        );
        put(
            &mut item,
            tags::REFERENCED_SOP_INSTANCE_UID,
            VR::UI,
            &*self.sop_instance,
        );
        item
    }

    /// The item of a sequence that refers to the slice: to the object, and to the frame where it is one.
    pub(crate) fn reference(&self) -> DataSet {
        let mut item = self.object_reference();
        if let Some(frame) = self.frame {
            put(
                &mut item,
                tags::REFERENCED_FRAME_NUMBER,
                VR::IS,
                frame.to_string(),
            );
        }
        item
    }

    /// Rows and columns, where the header says them.
    pub(crate) fn matrix(&self) -> Option<[u16; 2]> {
        let number = |tag| self.header.get(tag)?.to_int::<u16>().ok();
        Some([number(tags::ROWS)?, number(tags::COLUMNS)?])
    }

    /// Within what the slice's place means something; `None` where the file does not say its place.
    pub(crate) fn placed_in(&self) -> Option<PlacedIn> {
        let named = self.geometry()?.frame_of_reference;
        Some(named.map_or_else(
            || PlacedIn::Series(self.series().to_owned()),
            PlacedIn::Frame,
        ))
    }

    /// Where the slice lies; `None` where the file does not say position, orientation and spacing.
    pub(crate) fn geometry(&self) -> Option<Geometry> {
        let plane = |group, tag| self.of_frame(group, tag);
        Some(Geometry {
            frame_of_reference: text_of(&self.header, tags::FRAME_OF_REFERENCE_UID),
            position: decimals_of(
                plane(tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT)?,
                tags::IMAGE_POSITION_PATIENT,
            )?,
            orientation: decimals_of(
                plane(
                    tags::PLANE_ORIENTATION_SEQUENCE,
                    tags::IMAGE_ORIENTATION_PATIENT,
                )?,
                tags::IMAGE_ORIENTATION_PATIENT,
            )?,
            spacing: decimals_of(
                plane(tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING)?,
                tags::PIXEL_SPACING,
            )?,
            thickness: plane(tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS)
                .and_then(|set| decimals_of(set, tags::SLICE_THICKNESS))
                .map(|[thickness]| thickness),
        })
    }

    /// The data set that holds `tag` for this slice: a functional group of its frame, one of all frames, or the header.
    fn of_frame(&self, group: Tag, tag: Tag) -> Option<&DataSet> {
        let frames = items_of(&self.header, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
        let own = self
            .frame
            .and_then(|number| frames.get((number as usize).checked_sub(1)?));
        let shared = items_of(&self.header, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
        let groups = own.into_iter().chain(shared);
        let items = groups.filter_map(|groups| items_of(groups, group).first());
        items
            .chain([&*self.header])
            .find(|set| set.get(tag).is_some())
    }
}

/// Within what places of slices mean something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlacedIn {
    /// The frame of reference of this UID.
    Frame(String),
    /// The series of this UID, which names no frame: places agree within it, and nothing is claimed of others.
    Series(String),
}

/// Where a slice lies.
///
/// # Units
/// mm in the patient's axes; directions are cosines
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    pub frame_of_reference: Option<String>,
    pub position: [f64; 3],
    pub orientation: [f64; 6],
    pub spacing: [f64; 2],
    pub thickness: Option<f64>,
}

#[cfg(test)]
mod tests;
