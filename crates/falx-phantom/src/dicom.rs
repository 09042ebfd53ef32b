//! A slice as a DICOM CT image, explicit VR little endian.

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use falx_core::Hu;

use crate::PhantomError;
use crate::ids::SeriesIds;
use crate::scan::{RenderedSlice, Scene, Storage};

/// Everything that a file says beside its pixels, and how these are stored.
pub struct Image<'a> {
    pub scene: &'a Scene,
    pub ids: &'a SeriesIds,
    pub slice: usize,
    pub rendered: &'a RenderedSlice,
    /// Storage; the scanner's own but for planted defects.
    pub storage: Storage,
    /// Name the padding value; always but for planted defects.
    pub declare_padding: bool,
    /// The slice whose position the file claims; its own but for planted defects.
    pub position_of: usize,
}

impl<'a> Image<'a> {
    /// The sound image of a slice.
    pub fn sound(
        scene: &'a Scene,
        ids: &'a SeriesIds,
        slice: usize,
        rendered: &'a RenderedSlice,
    ) -> Self {
        Self {
            scene,
            ids,
            slice,
            rendered,
            storage: scene.device.storage,
            declare_padding: true,
            position_of: slice,
        }
    }

    /// The file's bytes; `path` is named in errors only.
    pub fn encode(&self, path: &Path) -> Result<Vec<u8>, PhantomError> {
        let fault = |reason: String| PhantomError::Encode {
            path: path.to_owned(),
            reason,
        };
        let slice = self
            .ids
            .slices
            .get(self.slice)
            .ok_or_else(|| fault("a slice without a name".into()))?;
        let mut object = InMemDicomObject::new_empty();
        self.put_identity(&mut object, &slice.sop_uid);
        self.put_acquisition(&mut object);
        self.put_geometry(&mut object);
        self.put_display(&mut object);
        self.put_pixels(&mut object);
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
            .media_storage_sop_instance_uid(&slice.sop_uid);
        let file = object.with_meta(meta).map_err(|e| fault(e.to_string()))?;
        let mut bytes = Vec::with_capacity(2 * self.rendered.hu.len() + 4096);
        file.write_all(&mut bytes)
            .map_err(|e| fault(e.to_string()))?;
        Ok(bytes)
    }

    fn put_identity(&self, object: &mut InMemDicomObject, sop_uid: &str) {
        text(object, tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE);
        text(object, tags::SOP_INSTANCE_UID, VR::UI, sop_uid);
        text(object, tags::STUDY_DATE, VR::DA, "");
        text(object, tags::STUDY_TIME, VR::TM, "");
        text(object, tags::ACCESSION_NUMBER, VR::SH, "");
        text(object, tags::REFERRING_PHYSICIAN_NAME, VR::PN, "");
        text(object, tags::PATIENT_NAME, VR::PN, &self.ids.patient);
        text(object, tags::PATIENT_ID, VR::LO, &self.ids.patient);
        text(object, tags::PATIENT_BIRTH_DATE, VR::DA, "");
        text(object, tags::PATIENT_SEX, VR::CS, "");
        text(
            object,
            tags::PATIENT_AGE,
            VR::AS,
            &format!("{:03}Y", self.scene.build.age as u32),
        );
        text(object, tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES");
        text(
            object,
            tags::DEIDENTIFICATION_METHOD,
            VR::LO,
            "Phantom: there is no patient",
        );
        text(
            object,
            tags::STUDY_INSTANCE_UID,
            VR::UI,
            &self.ids.study_uid,
        );
        text(
            object,
            tags::SERIES_INSTANCE_UID,
            VR::UI,
            &self.ids.series_uid,
        );
        text(object, tags::STUDY_ID, VR::SH, "1");
        text(object, tags::SERIES_NUMBER, VR::IS, "2");
        text(object, tags::ACQUISITION_NUMBER, VR::IS, "1");
        text(
            object,
            tags::INSTANCE_NUMBER,
            VR::IS,
            &(self.slice + 1).to_string(),
        );
    }

    fn put_acquisition(&self, object: &mut InMemDicomObject) {
        let scene = self.scene;
        let device = &scene.device;
        let (_, thickness) = scene
            .stack
            .slices
            .get(self.slice)
            .copied()
            .unwrap_or((0.0, device.slice));
        text(object, tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL");
        text(object, tags::MODALITY, VR::CS, "CT");
        text(
            object,
            tags::MANUFACTURER,
            VR::LO,
            &format!("falx phantom {}", device.letter),
        );
        text(
            object,
            tags::MANUFACTURER_MODEL_NAME,
            VR::LO,
            &format!("Analytic {}", device.letter),
        );
        text(object, tags::SERIES_DESCRIPTION, VR::LO, "HEAD PHANTOM");
        text(object, tags::BODY_PART_EXAMINED, VR::CS, "HEAD");
        text(
            object,
            tags::SLICE_THICKNESS,
            VR::DS,
            &format!("{thickness:.2}"),
        );
        text(object, tags::KVP, VR::DS, &device.kvp.to_string());
        text(
            object,
            tags::SOFTWARE_VERSIONS,
            VR::LO,
            env!("CARGO_PKG_VERSION"),
        );
        text(
            object,
            tags::GANTRY_DETECTOR_TILT,
            VR::DS,
            &format!("{:.2}", scene.stack.tilt.to_degrees()),
        );
        text(object, tags::CONVOLUTION_KERNEL, VR::SH, device.kernel);
        text(object, tags::PATIENT_POSITION, VR::CS, "HFS");
    }

    fn put_geometry(&self, object: &mut InMemDicomObject) {
        let stack = &self.scene.stack;
        let matrix = self.rendered.matrix;
        let pixel = stack.field / matrix as f32;
        let corner = stack.corner(self.position_of, matrix, pixel);
        let down = stack.down();
        text(
            object,
            tags::IMAGE_POSITION_PATIENT,
            VR::DS,
            &decimals(&corner),
        );
        text(
            object,
            tags::IMAGE_ORIENTATION_PATIENT,
            VR::DS,
            &format!("1\\0\\0\\{}", decimals(&down)),
        );
        text(
            object,
            tags::FRAME_OF_REFERENCE_UID,
            VR::UI,
            &self.ids.frame_uid,
        );
        text(object, tags::POSITION_REFERENCE_INDICATOR, VR::LO, "");
        text(
            object,
            tags::PIXEL_SPACING,
            VR::DS,
            &decimals(&[pixel, pixel]),
        );
    }

    fn put_display(&self, object: &mut InMemDicomObject) {
        let windows = self.scene.device.windows;
        let list = |pick: fn(&(f32, f32)) -> f32| {
            let values: Vec<String> = windows.iter().map(|w| pick(w).to_string()).collect();
            values.join("\\")
        };
        text(object, tags::WINDOW_CENTER, VR::DS, &list(|w| w.0));
        text(object, tags::WINDOW_WIDTH, VR::DS, &list(|w| w.1));
        text(
            object,
            tags::RESCALE_INTERCEPT,
            VR::DS,
            &self.storage.intercept.to_string(),
        );
        text(object, tags::RESCALE_SLOPE, VR::DS, "1");
        text(object, tags::RESCALE_TYPE, VR::LO, "HU");
    }

    fn put_pixels(&self, object: &mut InMemDicomObject) {
        let matrix = self.rendered.matrix as u16;
        text(
            object,
            tags::PHOTOMETRIC_INTERPRETATION,
            VR::CS,
            "MONOCHROME2",
        );
        let Storage {
            signed,
            intercept,
            padding,
        } = self.storage;
        let (stored, high) = if signed { (16_u16, 15_u16) } else { (12, 11) };
        for (tag, value) in [
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::ROWS, matrix),
            (tags::COLUMNS, matrix),
            (tags::BITS_ALLOCATED, 16),
            (tags::BITS_STORED, stored),
            (tags::HIGH_BIT, high),
            (tags::PIXEL_REPRESENTATION, u16::from(signed)),
        ] {
            object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
        }
        if let Some(value) = padding.filter(|_| self.declare_padding) {
            let value = PrimitiveValue::from(value as i16);
            object.put(DataElement::new(tags::PIXEL_PADDING_VALUE, VR::SS, value));
        }
        let mask = if signed { 0xFFFF } else { 0x0FFF };
        let words: Vec<u16> = self
            .rendered
            .hu
            .iter()
            .map(|&hu| match padding {
                Some(value) if hu == Hu::PADDING => value as u16,
                // Two's complement, or the low 12 bits.
                _ => ((hu.0 as i32 - intercept) & mask) as u16,
            })
            .collect();
        let value = PrimitiveValue::U16(words.into());
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, value));
    }
}

fn text(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put_str(tag, vr, value);
}

/// Decimal strings of at most 16 characters.
fn decimals(values: &[f32]) -> String {
    let texts: Vec<String> = values.iter().map(|v| format!("{v:.6}")).collect();
    texts.join("\\")
}
