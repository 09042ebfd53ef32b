//! What a slice's header says: identity, geometry and acquisition.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use falx_core::{Millimetre, Window};
use serde::{Deserialize, Serialize};

use crate::dataset::DataSet;
use crate::text::{decimal, decimals, integer, split, to_text, trim};
use crate::voi::{VoiFunction, VoiLut, VoiWindow};
use crate::{Defect, Refused, voi};

/// Everything a file says of a CT slice short of the pixels themselves.
///
/// Identifiers are opaque text as the file gives them, trimmed; an absent or empty value is `None`. So is a
/// geometric value that cannot be read: it does not touch the Hounsfield units, and a series without it is refused
/// as a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SliceHeader {
    /// The number of the frame from 1 where the file holds several, `None` where it holds one slice.
    pub frame_number: Option<u32>,
    /// SOP Instance UID: the image's own identifier.
    pub sop_instance_uid: Option<String>,
    /// Patient ID. Never print it.
    pub patient_id: Option<String>,
    /// Patient's Age in years; weeks and days are parts of one.
    pub patient_age_years: Option<f64>,
    /// Patient's Sex: `M`, `F` or `O`.
    pub patient_sex: Option<String>,
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
    /// Every usable VOI LUT, in the file's order.
    #[serde(skip)]
    pub voi_luts: Vec<VoiLut>,
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
    /// Body Part Examined.
    pub body_part: Option<String>,
    /// True where Contrast/Bolus Agent names one.
    pub has_contrast: bool,
    /// Peak tube voltage (KVP) in kV.
    pub kvp: Option<f64>,
    /// Instance Number. It does not order a series; position does.
    pub instance_number: Option<i64>,
    /// How the pixels are stored.
    pub format: PixelFormat,
}

/// The plane of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plane {
    /// Across the body's long axis; a tilted gantry's slices are axial too.
    Axial,
    /// Front from back.
    Coronal,
    /// Left from right.
    Sagittal,
}

impl Plane {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Axial, Self::Coronal, Self::Sagittal];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Axial => "axial",
            Self::Coronal => "coronal",
            Self::Sagittal => "sagittal",
        }
    }
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

    /// The plane in which the slice lies, by the patient's axis that its normal is nearest to.
    pub fn plane(&self) -> Option<Plane> {
        let [x, y, z] = self.normal()?.map(f64::abs);
        Some(if z >= x && z >= y {
            Plane::Axial
        } else if y >= x {
            Plane::Coronal
        } else {
            Plane::Sagittal
        })
    }

    /// Takes over the display windows.
    pub(crate) fn set_windows(&mut self, voi: Vec<VoiWindow>) {
        let linear =
            |window: &VoiWindow| Window::new(window.center() as f32, window.width() as f32).ok();
        self.windows = voi.iter().filter_map(linear).collect();
        self.voi = voi;
    }

    /// True when Image Type calls the image DERIVED.
    pub fn is_derived(&self) -> bool {
        self.image_type
            .first()
            .is_some_and(|word| word == "DERIVED")
    }
}

/// Words that scanners write where no agent was given.
fn says_none(agent: &str) -> bool {
    let agent = agent.trim().to_ascii_uppercase();
    ["NONE", "NO", "N", "WITHOUT", "NATIVE"].contains(&agent.as_str())
}

/// Reads what a header says beyond the pixels; only windows have a defect of their own.
pub(crate) fn read(
    set: &mut DataSet<'_>,
    transfer_syntax: &str,
    rows: usize,
    cols: usize,
    format: PixelFormat,
) -> Result<SliceHeader, Refused> {
    let mut header = SliceHeader {
        frame_number: None,
        sop_instance_uid: set.text(tags::SOP_INSTANCE_UID),
        patient_id: set.text(tags::PATIENT_ID),
        patient_age_years: set.text(tags::PATIENT_AGE).and_then(|age| years(&age)),
        patient_sex: set
            .text(tags::PATIENT_SEX)
            .filter(|sex| matches!(sex.as_str(), "M" | "F" | "O")),
        study_instance_uid: set.text(tags::STUDY_INSTANCE_UID),
        series_instance_uid: set.text(tags::SERIES_INSTANCE_UID),
        rows,
        cols,
        image_position: numbers(set, tags::IMAGE_POSITION_PATIENT),
        image_orientation: numbers(set, tags::IMAGE_ORIENTATION_PATIENT),
        pixel_spacing: numbers(set, tags::PIXEL_SPACING),
        slice_thickness: number(set, tags::SLICE_THICKNESS),
        gantry_tilt: number(set, tags::GANTRY_DETECTOR_TILT),
        windows: Vec::new(),
        voi: Vec::new(),
        voi_luts: Vec::new(),
        transfer_syntax: transfer_syntax.to_owned(),
        image_type: words(set, tags::IMAGE_TYPE),
        manufacturer: set.text(tags::MANUFACTURER),
        model: set.text(tags::MANUFACTURER_MODEL_NAME),
        convolution_kernel: set.text(tags::CONVOLUTION_KERNEL),
        body_part: set.text(tags::BODY_PART_EXAMINED),
        has_contrast: set
            .text(tags::CONTRAST_BOLUS_AGENT)
            .is_some_and(|agent| !says_none(&agent)),
        kvp: number(set, tags::KVP),
        instance_number: set
            .get(tags::INSTANCE_NUMBER)
            .and_then(|element| integer(element.value)),
        format,
    };
    header.set_windows(windows(set));
    header.voi_luts = voi::luts(set, &header.format)?;
    Ok(header)
}

/// An Age String (`067Y`, `018M`, `003W`, `010D`) in years; writers that leave the unit out mean years.
///
/// # Source
/// DICOM PS3.5, 6.2, AS.
fn years(age: &str) -> Option<f64> {
    let (number, in_a_year) = match age.char_indices().last()? {
        (at, 'Y') => (&age[..at], 1.0),
        (at, 'M') => (&age[..at], 12.0),
        (at, 'W') => (&age[..at], 365.25 / 7.0),
        (at, 'D') => (&age[..at], 365.25),
        _ => (age, 1.0),
    };
    let number: u16 = number.trim().parse().ok()?;
    let years = f64::from(number) / in_a_year;
    (years <= 130.0).then_some(years)
}

pub(crate) fn numbers<const N: usize>(set: &DataSet<'_>, tag: Tag) -> Option<[f64; N]> {
    set.get(tag).and_then(|element| decimals(element.value))
}

pub(crate) fn number(set: &DataSet<'_>, tag: Tag) -> Option<f64> {
    numbers(set, tag).map(|[number]| number)
}

/// The values of a text attribute, none where it is absent or blank.
pub(crate) fn words(set: &DataSet<'_>, tag: Tag) -> Vec<String> {
    let value = set.get(tag).map_or(&[][..], |element| element.value);
    let words = split(value).map(|word| to_text(word).unwrap_or_default());
    let words: Vec<String> = words.collect();
    if words.iter().all(String::is_empty) {
        Vec::new()
    } else {
        words
    }
}

/// The usable display windows; an unusable one is dropped and named.
pub(crate) fn windows(set: &mut DataSet<'_>) -> Vec<VoiWindow> {
    let value = |tag| set.get(tag).map_or(&[][..], |element| element.value);
    let (centers, widths) = (value(tags::WINDOW_CENTER), value(tags::WINDOW_WIDTH));
    if trim(centers).is_empty() && trim(widths).is_empty() {
        return Vec::new();
    }
    let function = set
        .text(tags::VOILUT_FUNCTION)
        .map_or(Ok(VoiFunction::default()), |word| word.parse());
    let same_count = split(centers).count() == split(widths).count();
    let (Ok(function), true) = (function, same_count) else {
        set.defects.add(Defect::WindowInvalid);
        return Vec::new();
    };
    let mut windows = Vec::new();
    for (center, width) in split(centers).zip(split(widths)) {
        let numbers = decimal(center).zip(decimal(width));
        match numbers.map(|(center, width)| VoiWindow::new(center, width, function)) {
            Some(Ok(window)) => windows.push(window),
            _ => set.defects.add(Defect::WindowInvalid),
        }
    }
    windows
}

#[cfg(test)]
mod tests;
