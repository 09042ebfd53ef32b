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
        let mut text = |tag: Tag, vr: VR, value: &str| {
            object.put_str(tag, vr, value);
        };
        let scene = self.scene;
        let device = &scene.device;
        text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL");
        text(tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE);
        text(tags::SOP_INSTANCE_UID, VR::UI, &slice.sop_uid);
        text(tags::STUDY_DATE, VR::DA, "");
        text(tags::STUDY_TIME, VR::TM, "");
        text(tags::ACCESSION_NUMBER, VR::SH, "");
        text(tags::MODALITY, VR::CS, "CT");
        text(
            tags::MANUFACTURER,
            VR::LO,
            &format!("falx phantom {}", device.letter),
        );
        text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, "");
        text(tags::SERIES_DESCRIPTION, VR::LO, "HEAD PHANTOM");
        text(
            tags::MANUFACTURER_MODEL_NAME,
            VR::LO,
            &format!("Analytic {}", device.letter),
        );
        text(tags::PATIENT_NAME, VR::PN, &self.ids.patient);
        text(tags::PATIENT_ID, VR::LO, &self.ids.patient);
        text(tags::PATIENT_BIRTH_DATE, VR::DA, "");
        text(tags::PATIENT_SEX, VR::CS, "");
        text(
            tags::PATIENT_AGE,
            VR::AS,
            &format!("{:03}Y", scene.build.age as u32),
        );
        text(tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES");
        text(
            tags::DEIDENTIFICATION_METHOD,
            VR::LO,
            "Phantom: there is no patient",
        );
        text(tags::BODY_PART_EXAMINED, VR::CS, "HEAD");
        let (_, thickness) = scene
            .stack
            .slices
            .get(self.slice)
            .copied()
            .unwrap_or((0.0, 5.0));
        text(tags::SLICE_THICKNESS, VR::DS, &format!("{thickness:.2}"));
        text(tags::KVP, VR::DS, &device.kvp.to_string());
        text(tags::SOFTWARE_VERSIONS, VR::LO, env!("CARGO_PKG_VERSION"));
        text(
            tags::GANTRY_DETECTOR_TILT,
            VR::DS,
            &format!("{:.2}", scene.stack.tilt.to_degrees()),
        );
        text(tags::CONVOLUTION_KERNEL, VR::SH, device.kernel);
        text(tags::PATIENT_POSITION, VR::CS, "HFS");
        text(tags::STUDY_INSTANCE_UID, VR::UI, &self.ids.study_uid);
        text(tags::SERIES_INSTANCE_UID, VR::UI, &self.ids.series_uid);
        text(tags::STUDY_ID, VR::SH, "1");
        text(tags::SERIES_NUMBER, VR::IS, "2");
        text(tags::ACQUISITION_NUMBER, VR::IS, "1");
        text(tags::INSTANCE_NUMBER, VR::IS, &(self.slice + 1).to_string());
        let matrix = self.rendered.matrix;
        let pixel = scene.stack.field / matrix as f32;
        let corner = scene.stack.corner(self.position_of, matrix, pixel);
        text(tags::IMAGE_POSITION_PATIENT, VR::DS, &decimals(&corner));
        let down = scene.stack.down();
        text(
            tags::IMAGE_ORIENTATION_PATIENT,
            VR::DS,
            &format!("1\\0\\0\\{}", decimals(&down)),
        );
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, &self.ids.frame_uid);
        text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, "");
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
        text(tags::PIXEL_SPACING, VR::DS, &decimals(&[pixel, pixel]));
        let list = |pick: fn(&(f32, f32)) -> f32| {
            let values: Vec<String> = device.windows.iter().map(|w| pick(w).to_string()).collect();
            values.join("\\")
        };
        text(tags::WINDOW_CENTER, VR::DS, &list(|w| w.0));
        text(tags::WINDOW_WIDTH, VR::DS, &list(|w| w.1));
        text(
            tags::RESCALE_INTERCEPT,
            VR::DS,
            &self.storage.intercept.to_string(),
        );
        text(tags::RESCALE_SLOPE, VR::DS, "1");
        text(tags::RESCALE_TYPE, VR::LO, "HU");
        self.put_pixels(&mut object, matrix as u16);
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
            .media_storage_sop_instance_uid(&slice.sop_uid);
        let file = object.with_meta(meta).map_err(|e| fault(e.to_string()))?;
        let mut bytes = Vec::with_capacity(2 * matrix * matrix + 4096);
        file.write_all(&mut bytes)
            .map_err(|e| fault(e.to_string()))?;
        Ok(bytes)
    }

    fn put_pixels(&self, object: &mut InMemDicomObject, matrix: u16) {
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

/// Decimal strings of at most 16 characters.
fn decimals(values: &[f32]) -> String {
    let texts: Vec<String> = values.iter().map(|v| format!("{v:.6}")).collect();
    texts.join("\\")
}
