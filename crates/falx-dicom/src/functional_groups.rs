//! Enhanced CT: what each frame says of itself, in the functional groups of the image.
//!
//! A macro stands either in the shared functional groups or in every frame's own.
//!
//! # Source
//! DICOM PS3.3 C.7.6.16 and C.8.15.3.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::check::{check_image_type, check_rescale};
use crate::dataset::DataSet;
use crate::defect::DefectSet;
use crate::{Refusal, Refused, SliceHeader, header};

/// The functional groups of an enhanced image.
pub(crate) struct FunctionalGroups<'a> {
    shared: Option<DataSet<'a>>,
    of_frames: Vec<DataSet<'a>>,
}

impl<'a> FunctionalGroups<'a> {
    /// Reads the groups of an image of `frames` frames.
    ///
    /// # Errors
    /// Where their structure contradicts itself, or there are other than one item a frame.
    pub(crate) fn read(set: &DataSet<'a>, frames: usize) -> Result<Self, Refused> {
        let shared = set.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE)?;
        let of_frames = set.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)?;
        let found = of_frames.len();
        if found != frames && found != 0 {
            return Err(Refused::new(
                Refusal::InconsistentPixelGeometry,
                format!("{frames} frames are declared and {found} have functional groups"),
            ));
        }
        Ok(Self {
            shared: shared.into_iter().next(),
            of_frames,
        })
    }

    /// The first item of the macro `sequence` that holds for a frame.
    fn group(&self, frame: usize, sequence: Tag) -> Result<Option<DataSet<'a>>, Refused> {
        for groups in [self.of_frames.get(frame), self.shared.as_ref()] {
            let Some(groups) = groups else { continue };
            let mut items = groups.items(sequence)?.into_iter();
            if let Some(item) = items.next() {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// The header of a frame: the image's own, with what the frame's groups say in its place.
    ///
    /// # Errors
    /// Where the frame has no rescale to Hounsfield units, or is a localizer.
    pub(crate) fn header_of(
        &self,
        frame: usize,
        image: &SliceHeader,
        defects: &mut DefectSet,
    ) -> Result<SliceHeader, Refused> {
        let mut header = image.clone();
        if let Some(mut group) = self.group(frame, tags::CT_IMAGE_FRAME_TYPE_SEQUENCE)? {
            check_image_type(&mut group, tags::FRAME_TYPE)?;
            header.image_type = header::words(&group, tags::FRAME_TYPE);
            defects.extend(group.defects);
        }
        let Some(mut group) = self.group(frame, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE)? else {
            return Err(Refused::new(
                Refusal::MissingRescale,
                format!(
                    "frame {} has no Pixel Value Transformation Sequence",
                    frame + 1
                ),
            ));
        };
        check_rescale(&mut group, &mut header.format).map_err(|refused| Refused {
            detail: format!("{} (frame {})", refused.detail, frame + 1),
            ..refused
        })?;
        defects.extend(group.defects);
        if let Some(group) = self.group(frame, tags::PLANE_POSITION_SEQUENCE)? {
            header.image_position = header::numbers(&group, tags::IMAGE_POSITION_PATIENT);
        }
        if let Some(group) = self.group(frame, tags::PLANE_ORIENTATION_SEQUENCE)? {
            header.image_orientation = header::numbers(&group, tags::IMAGE_ORIENTATION_PATIENT);
        }
        if let Some(group) = self.group(frame, tags::PIXEL_MEASURES_SEQUENCE)? {
            header.pixel_spacing = header::numbers(&group, tags::PIXEL_SPACING);
            header.slice_thickness = header::number(&group, tags::SLICE_THICKNESS);
        }
        if let Some(group) = self.group(frame, tags::CT_RECONSTRUCTION_SEQUENCE)? {
            header.convolution_kernel = group.text(tags::CONVOLUTION_KERNEL);
        }
        if let Some(group) = self.group(frame, tags::CTX_RAY_DETAILS_SEQUENCE)? {
            header.kvp = header::number(&group, tags::KVP);
        }
        if let Some(mut group) = self.group(frame, tags::FRAME_VOILUT_SEQUENCE)? {
            header.set_windows(header::windows(&mut group));
            defects.extend(group.defects);
        }
        Ok(header)
    }
}
