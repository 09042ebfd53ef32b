//! What a file holds, for people and scripts: facts of each frame, and statistics of its values.
//!
//! Nothing here names a patient or a date.

mod text;

use falx_core::{Hu, Millimetre};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::transfer_syntax::name_of;
use crate::voi::VoiWindow;
use crate::{CtSlice, Decoded, Defect, PixelFormat};

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// Transfer Syntax UID.
    pub transfer_syntax: String,
    /// Its name in the standard.
    pub transfer_syntax_name: &'static str,
    /// Manufacturer.
    pub manufacturer: Option<String>,
    /// Manufacturer's Model Name.
    pub model: Option<String>,
    /// What was wrong with the file.
    pub defects: Vec<Defect>,
    /// At least one.
    pub frames: Vec<FrameInspection>,
}

/// What a frame, or the only slice of a file, holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrameInspection {
    /// From 1 where the file holds several.
    pub frame_number: Option<u32>,
    /// Rows of the image.
    pub rows: usize,
    /// Columns of the image.
    pub cols: usize,
    /// Image Type, value by value.
    pub image_type: Vec<String>,
    /// How the pixels are stored and become Hounsfield units.
    pub format: PixelFormat,
    /// Where the slice lies along its normal.
    pub position_mm: Option<Millimetre>,
    /// The angle between the slice's normal and the patient's long axis, in degrees.
    pub tilt_deg: Option<f64>,
    /// Pixel Spacing in mm: between rows, then between columns.
    pub pixel_spacing: Option<[f64; 2]>,
    /// Slice Thickness in mm.
    pub slice_thickness: Option<f64>,
    /// Convolution Kernel.
    pub convolution_kernel: Option<String>,
    /// Peak tube voltage in kV.
    pub kvp: Option<f64>,
    /// The usable display windows.
    pub windows: Vec<VoiWindow>,
    /// How many usable VOI LUTs there are.
    pub voi_luts: usize,
    /// The values.
    pub hu: HuStatistics,
    /// SHA-256 of the HU as little-endian single precision, row by row, in hex.
    pub hu_sha256: String,
}

/// Statistics of the pixels that are not padding; `None` where all are.
///
/// # Units
/// Hounsfield units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HuStatistics {
    /// The share of the pixels that is padding.
    pub padding_share: f64,
    /// The lowest value.
    pub min: Option<Hu>,
    /// 1 % of the values are below.
    pub percentile_1: Option<Hu>,
    /// Half of the values are below.
    pub median: Option<Hu>,
    /// 99 % of the values are below.
    pub percentile_99: Option<Hu>,
    /// The highest value.
    pub max: Option<Hu>,
    /// The mean.
    pub mean: Option<f64>,
}

impl Inspection {
    /// Looks at what was read.
    pub fn of(decoded: &Decoded) -> Self {
        let header = decoded.slices.first().map(|slice| &slice.header);
        let transfer_syntax = header.map_or(String::new(), |h| h.transfer_syntax.clone());
        Self {
            transfer_syntax_name: name_of(&transfer_syntax),
            transfer_syntax,
            manufacturer: header.and_then(|header| header.manufacturer.clone()),
            model: header.and_then(|header| header.model.clone()),
            defects: decoded.defects(),
            frames: decoded.slices.iter().map(FrameInspection::of).collect(),
        }
    }
}

impl FrameInspection {
    fn of(slice: &CtSlice) -> Self {
        let header = &slice.header;
        Self {
            frame_number: header.frame_number,
            rows: header.rows,
            cols: header.cols,
            image_type: header.image_type.clone(),
            format: header.format,
            position_mm: header.position_mm(),
            tilt_deg: header.tilt_deg(),
            pixel_spacing: header.pixel_spacing,
            slice_thickness: header.slice_thickness,
            convolution_kernel: header.convolution_kernel.clone(),
            kvp: header.kvp,
            windows: header.voi.clone(),
            voi_luts: header.voi_luts.len(),
            hu: HuStatistics::of(slice),
            hu_sha256: sha256(&slice.hu),
        }
    }
}

impl HuStatistics {
    fn of(slice: &CtSlice) -> Self {
        let mut values: Vec<f32> = match &slice.padding {
            None => slice.hu.iter().map(|hu| hu.0).collect(),
            Some(mask) => {
                let measured = slice
                    .hu
                    .iter()
                    .zip(mask)
                    .filter(|(_, is_padding)| !**is_padding);
                measured.map(|(hu, _)| hu.0).collect()
            }
        };
        values.sort_unstable_by(f32::total_cmp);
        let count = values.len() as f64;
        // The nearest rank: a value that occurs.
        let at = |share: f64| {
            let rank = ((share * count).ceil() as usize).saturating_sub(1);
            values.get(rank).copied().map(Hu)
        };
        let sum: f64 = values.iter().copied().map(f64::from).sum();
        Self {
            padding_share: 1.0 - count / slice.hu.len().max(1) as f64,
            min: at(0.0),
            percentile_1: at(0.01),
            median: at(0.5),
            percentile_99: at(0.99),
            max: at(1.0),
            mean: (count > 0.0).then(|| sum / count),
        }
    }
}

fn sha256(hu: &[Hu]) -> String {
    use std::fmt::Write;
    let mut hasher = Sha256::new();
    let mut bytes = Vec::with_capacity(4096);
    for values in hu.chunks(1024) {
        bytes.clear();
        bytes.extend(values.iter().flat_map(|hu| hu.0.to_le_bytes()));
        hasher.update(&bytes);
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The slice as an 8-bit grey PNG through a display window.
///
/// # Errors
/// Where the encoder refuses it, which no slice should bring about.
pub fn png(slice: &CtSlice, window: &VoiWindow) -> Result<Vec<u8>, png::EncodingError> {
    let hu = slice.hu.iter();
    let grey: Vec<u8> = hu.map(|hu| window.output_u8(f64::from(hu.0))).collect();
    grey_png(&grey, slice.header.rows, slice.header.cols)
}

/// Grey values, row by row, as a PNG.
///
/// # Errors
/// Where they are no picture of this size.
pub fn grey_png(grey: &[u8], rows: usize, cols: usize) -> Result<Vec<u8>, png::EncodingError> {
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(cols), side(rows));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(grey)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
