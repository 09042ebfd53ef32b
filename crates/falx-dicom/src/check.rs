//! From elements to a checked header and pixel layout, in the order in which a file may be refused.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};

use crate::attributes::{keyword, malformed_text, missing};
use crate::cursor::{Encoding, malformed};
use crate::dataset::{DataSet, PixelContent, PixelData, Scanned};
use crate::functional_groups::FunctionalGroups;
use crate::header::{self, PixelFormat};
use crate::layout::{Layout, Padding, check_format, overlay_bits, padding};
use crate::text::{integer, split, trim};
use crate::{Defect, Refusal, Refused, SliceHeader};

/// The most bytes that a decoded image may take.
pub(crate) const MAX_DECODED: u64 = 1 << 30;

/// The most frames of an image; each takes a header of its own.
const MAX_FRAMES: u64 = 1 << 14;

/// A header that refuses nothing, and how to read the pixels that it describes.
#[derive(Debug)]
pub(crate) struct Checked {
    /// One a frame.
    pub(crate) headers: Vec<SliceHeader>,
    pub(crate) overlay_bits: u32,
    pub(crate) padding: Padding,
    pub(crate) pixel_data: PixelData,
}

impl Checked {
    /// All frames of an image have cells of one width.
    pub(crate) fn bytes_a_cell(&self) -> usize {
        let format = self.headers.first().map(|header| header.format);
        format.map_or(1, |format| usize::from(format.bits_allocated / 8))
    }

    /// How to read the cells of a frame with this header.
    pub(crate) fn layout(&self, header: &SliceHeader) -> Layout {
        Layout {
            pixels: header.rows * header.cols,
            format: header.format,
            overlay_bits: self.overlay_bits,
        }
    }
}

/// Checks everything that can be checked without the pixels; the defects are collected in `scanned.set`.
pub(crate) fn check(scanned: &mut Scanned<'_>) -> Result<Checked, Refused> {
    let set = &mut scanned.set;
    let is_enhanced = check_is_ct(set)?;
    let Some(pixel_data) = scanned.pixel_data.clone() else {
        let detail = "the data set ends without Pixel Data";
        return Err(Refused::new(Refusal::NoPixelData, detail));
    };
    if !matches!(pixel_data.vr, None | Some(VR::OB | VR::OW)) {
        match pixel_data.vr {
            Some(VR::UN) => set.defects.add(Defect::VrUnResolved),
            _ => return Err(malformed("Pixel Data has another VR than OB or OW")),
        }
    }
    check_image_type(set, tags::IMAGE_TYPE)?;
    check_greyscale(set)?;
    let (rows, cols) = (
        usize::from(set.needed_u16(tags::ROWS)?),
        usize::from(set.needed_u16(tags::COLUMNS)?),
    );
    let mut format = check_format(set)?;
    if scanned.syntax.encoding == Encoding::ExplicitVrBigEndian && format.bits_allocated == 32 {
        let detail = "32-bit cells in big endian: the order of their halves is not determined";
        return Err(Refused::new(Refusal::UnsupportedTransferSyntax, detail));
    }
    let frames = check_size(set, rows, cols)?;
    if let PixelContent::Native(length) = pixel_data.content {
        check_length(set, rows * cols, format.bits_allocated, frames, length)?;
    }
    if set.get(tags::MODALITY_LUT_SEQUENCE).is_some() {
        let detail = "a Modality LUT Sequence is present";
        return Err(Refused::new(Refusal::UnsupportedModalityLut, detail));
    }
    if !is_enhanced {
        check_rescale(set, &mut format)?;
    }
    let overlay_bits = overlay_bits(set, &format)?;
    let padding = padding(set, &format)?;
    let image = header::read(set, &scanned.uid, rows, cols, format)?;
    Ok(Checked {
        headers: headers(set, image, frames, is_enhanced)?,
        overlay_bits,
        padding,
        pixel_data,
    })
}

/// A header for each frame.
fn headers(
    set: &mut DataSet<'_>,
    image: SliceHeader,
    frames: usize,
    is_enhanced: bool,
) -> Result<Vec<SliceHeader>, Refused> {
    let mut headers = if is_enhanced {
        let groups = FunctionalGroups::read(set, frames)?;
        (0..frames)
            .map(|frame| groups.header_of(frame, &image, &mut set.defects))
            .collect::<Result<_, _>>()?
    } else {
        vec![image; frames]
    };
    if frames > 1 {
        for (header, number) in headers.iter_mut().zip(1..) {
            header.frame_number = Some(number);
            if !is_enhanced {
                // One position cannot be that of several frames.
                header.image_position = None;
            }
        }
    }
    Ok(headers)
}

/// Modality and SOP class; true for a class whose images have several frames by nature.
fn check_is_ct(set: &mut DataSet<'_>) -> Result<bool, Refused> {
    let modality = set.needed_text(tags::MODALITY, VR::CS)?;
    let modality = modality.ok_or_else(|| missing(tags::MODALITY))?;
    if modality != b"CT" {
        return Err(not_ct("Modality", modality));
    }
    let Some(class) = set.needed_text(tags::SOP_CLASS_UID, VR::UI)? else {
        return Ok(false);
    };
    match str::from_utf8(class) {
        Ok(uids::CT_IMAGE_STORAGE) => Ok(false),
        Ok(uids::ENHANCED_CT_IMAGE_STORAGE | uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE) => {
            Ok(true)
        }
        _ => Err(not_ct("SOP Class UID", class)),
    }
}

fn not_ct(what: &str, found: &[u8]) -> Refused {
    let shown = found.get(..64).unwrap_or(found).escape_ascii();
    Refused::new(Refusal::NotCt, format!("{what} is {shown}"))
}

/// Image Type, or Frame Type, which has the same values.
pub(crate) fn check_image_type(set: &mut DataSet<'_>, tag: Tag) -> Result<(), Refused> {
    let Some(image_type) = set.needed_text(tag, VR::CS)? else {
        return Ok(());
    };
    let mut values = split(image_type).map(trim);
    if values.next() == Some(b"DERIVED") {
        set.defects.add(Defect::DerivedImage);
    }
    if values.nth(1) == Some(b"LOCALIZER") {
        let detail = format!("{} value 3 is LOCALIZER", keyword(tag));
        return Err(Refused::new(Refusal::Localizer, detail));
    }
    Ok(())
}

fn check_greyscale(set: &mut DataSet<'_>) -> Result<(), Refused> {
    let not_greyscale = |detail: String| Refused::new(Refusal::NotGreyscale, detail);
    let samples = set.needed_u16(tags::SAMPLES_PER_PIXEL)?;
    if samples != 1 {
        return Err(not_greyscale(format!("Samples per Pixel is {samples}")));
    }
    match set.needed_text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS)? {
        Some(b"MONOCHROME1" | b"MONOCHROME2") => Ok(()),
        Some(other) => Err(not_greyscale(format!(
            "Photometric Interpretation is {}",
            other.get(..16).unwrap_or(other).escape_ascii()
        ))),
        None if set
            .get(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR)
            .is_some() =>
        {
            Err(not_greyscale("the image has a colour palette".to_owned()))
        }
        None => {
            set.defects.add(Defect::PhotometricAssumed);
            Ok(())
        }
    }
}

/// The number of frames, where they are not too large.
fn check_size(set: &mut DataSet<'_>, rows: usize, cols: usize) -> Result<usize, Refused> {
    let frames = match set.needed_number_text(tags::NUMBER_OF_FRAMES, VR::IS)? {
        None => 1,
        Some(value) => {
            integer(value).ok_or_else(|| malformed_text(tags::NUMBER_OF_FRAMES, value))?
        }
    };
    let frames = u64::try_from(frames).unwrap_or(0);
    if rows == 0 || cols == 0 || frames == 0 {
        let detail = format!("the image has {rows} rows, {cols} columns and {frames} frames");
        return Err(Refused::new(Refusal::InconsistentPixelGeometry, detail));
    }
    // Rows and Columns are below 2^16 and a value has 4 bytes, so a frame is below 2^34.
    let decoded = (rows as u64 * cols as u64 * 4).checked_mul(frames);
    if decoded.is_none_or(|bytes| bytes > MAX_DECODED) || frames > MAX_FRAMES {
        let detail = format!("{frames} frames of {rows} x {cols} pixels are declared");
        return Err(Refused::new(Refusal::TooLarge, detail));
    }
    Ok(frames as usize)
}

/// Whether native Pixel Data is as long as the frames need.
fn check_length(
    set: &mut DataSet<'_>,
    pixels: usize,
    bits_allocated: u16,
    frames: usize,
    length: usize,
) -> Result<(), Refused> {
    let frame = pixels * usize::from(bits_allocated / 8);
    let needed = frame * frames;
    let excess = length.checked_sub(needed).filter(|&excess| excess < frame);
    let Some(excess) = excess else {
        return Err(Refused::new(
            Refusal::InconsistentPixelGeometry,
            format!(
                "Pixel Data has {length} bytes where {frames} frames of {pixels} pixels of {bits_allocated} bits have {needed}"
            ),
        ));
    };
    let is_pad_byte = excess == 1 && needed % 2 == 1;
    if excess > 0 && !is_pad_byte {
        set.defects.add(Defect::PixelDataExcess);
    }
    Ok(())
}

/// Reads the rescale into `format`: a slope and an intercept in Hounsfield units.
pub(crate) fn check_rescale(
    set: &mut DataSet<'_>,
    format: &mut PixelFormat,
) -> Result<(), Refused> {
    match set.needed_text(tags::RESCALE_TYPE, VR::LO)? {
        None | Some(b"HU") => {}
        Some(unit) => {
            let shown = unit.get(..16).unwrap_or(unit).escape_ascii();
            let detail = format!("Rescale Type is {shown}");
            return Err(Refused::new(Refusal::NotHounsfield, detail));
        }
    }
    let mut required = |tag| {
        let absent = || {
            Refused::new(
                Refusal::MissingRescale,
                format!("{} is absent or empty", keyword(tag)),
            )
        };
        set.needed_decimal(tag)?.ok_or_else(absent)
    };
    format.rescale_slope = required(tags::RESCALE_SLOPE)?;
    format.rescale_intercept = required(tags::RESCALE_INTERCEPT)?;
    let largest = 2_f64.powi(i32::from(format.bits_stored)) * format.rescale_slope.abs()
        + format.rescale_intercept.abs();
    if format.rescale_slope == 0.0 || largest > f64::from(f32::MAX) {
        return Err(Refused::new(
            Refusal::MalformedValue,
            format!(
                "Rescale Slope {} and Rescale Intercept {} give no usable values",
                format.rescale_slope, format.rescale_intercept
            ),
        ));
    }
    Ok(())
}
