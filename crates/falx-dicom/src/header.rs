//! What a slice's header says: identity, geometry and acquisition.

use falx_core::{Millimetre, Window};
use serde::Serialize;

use crate::voi::VoiWindow;

/// Everything a CT slice's file says short of the pixels themselves.
///
/// Identifiers are opaque text as the file gives them, trimmed; an absent or empty value is `None`. So is a
/// geometric value that cannot be read: it does not touch the Hounsfield units, and a series without it is refused
/// as a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SliceHeader {
    /// SOP Instance UID: the image's own identifier.
    pub sop_instance_uid: Option<String>,
    /// Patient ID. Never print it.
    pub patient_id: Option<String>,
    /// Study Instance UID.
    pub study_instance_uid: Option<String>,
    /// Series Instance UID.
    pub series_instance_uid: Option<String>,
    /// Rows of the image.
    pub rows: usize,
    /// Columns of the image.
    pub cols: usize,
    /// Image Position (Patient): the centre of the first pixel in mm, in the patient's axes (left, posterior, head).
    pub image_position: Option<[f64; 3]>,
    /// Image Orientation (Patient): the direction of a row, then that of a column, as cosines.
    pub image_orientation: Option<[f64; 6]>,
    /// Pixel Spacing in mm: between rows, then between columns.
    pub pixel_spacing: Option<[f64; 2]>,
    /// Slice Thickness in mm.
    pub slice_thickness: Option<f64>,
    /// Gantry/Detector Tilt in degrees, as the scanner states it.
    pub gantry_tilt: Option<f64>,
    /// The display windows that a linear window of at least 1 HU can express, in the file's order.
    pub windows: Vec<Window>,
    /// Every usable display window with its own function, in the file's order.
    pub voi: Vec<VoiWindow>,
    /// Transfer Syntax UID; for a bare data set the one its encoding amounts to.
    pub transfer_syntax: String,
    /// Image Type, value by value.
    pub image_type: Vec<String>,
    /// Manufacturer.
    pub manufacturer: Option<String>,
    /// Manufacturer's Model Name.
    pub model: Option<String>,
    /// Convolution Kernel.
    pub convolution_kernel: Option<String>,
    /// Peak tube voltage (KVP) in kV.
    pub kvp: Option<f64>,
    /// Instance Number. It does not order a series; position does.
    pub instance_number: Option<i64>,
    /// How the pixels are stored.
    pub format: PixelFormat,
}

/// How stored values lie in the pixel cells and become Hounsfield units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PixelFormat {
    /// Bits of a cell: 8, 16 or 32.
    pub bits_allocated: u16,
    /// Bits of the stored value.
    pub bits_stored: u16,
    /// The highest bit of the stored value in its cell.
    pub high_bit: u16,
    /// Pixel Representation 1: two's complement.
    pub signed: bool,
    /// Rescale Slope in HU for each step of the stored value.
    pub rescale_slope: f64,
    /// Rescale Intercept in HU.
    pub rescale_intercept: f64,
}

impl SliceHeader {
    /// The slice's unit normal: the cross product of its row and column directions.
    pub fn normal(&self) -> Option<[f64; 3]> {
        self.image_orientation.and_then(crate::series::normal)
    }

    /// Where the slice lies along its normal: the projection of Image Position on it.
    pub fn position_mm(&self) -> Option<Millimetre> {
        Some(Millimetre(crate::series::dot(
            self.image_position?,
            self.normal()?,
        )))
    }

    /// The angle in degrees between the slice's normal and the patient's long axis, 0 to 90.
    ///
    /// A tilted gantry and an oblique reformat look alike here; [`crate::series::arrange`] tells them apart.
    pub fn tilt_deg(&self) -> Option<f64> {
        self.normal()
            .map(|[_, _, z]| z.abs().min(1.0).acos().to_degrees())
    }

    /// True when Image Type calls the image DERIVED.
    pub fn is_derived(&self) -> bool {
        self.image_type
            .first()
            .is_some_and(|word| word == "DERIVED")
    }
}
