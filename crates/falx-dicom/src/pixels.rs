//! From pixel cells to Hounsfield units and the padding mask.
//!
//! [`general`] is the definition: any cell width, any field, any rescale, in double precision. [`whole_units`] gives
//! the same bits for the layout of almost every CT (16-bit cells, slope 1, whole intercept) several times faster.

mod general;
#[cfg(test)]
mod tests;
pub(crate) mod whole_units;

use falx_core::Hu;

use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::layout::{Layout, Padding};
use crate::{Defect, Refusal, Refused};
use whole_units::{Findings, Values};

/// At and below this a value has no physical meaning: nothing attenuates by less than minus water.
const NON_PHYSICAL_HU: f64 = -2000.0;
/// The top of the 16-bit extended CT scale.
const IMPLAUSIBLE_HU: f32 = 31743.0;
/// In a 12-bit image that may have wrapped, stored values from here on stand for negative ones.
const WRAPS_FROM: i64 = 3096;

/// The values of an image and which of them are padding; its buffers can be filled again and again.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Image {
    pub(crate) hu: Vec<Hu>,
    /// As long as `hu`, or empty where no pixel is padding.
    pub(crate) mask: Vec<bool>,
}

/// The cells of the image at the start of `bytes`.
pub(crate) fn cells<'a>(bytes: &'a [u8], layout: &Layout) -> Result<&'a [u8], Refused> {
    let cell_bytes = usize::from(layout.format.bits_allocated / 8);
    let length = layout.pixels.checked_mul(cell_bytes);
    length
        .and_then(|length| bytes.get(..length))
        .ok_or_else(|| {
            let detail = "Pixel Data is shorter than the image";
            Refused::new(Refusal::InconsistentPixelGeometry, detail)
        })
}

/// Reads `layout.pixels` cells from the start of `bytes` into `image`.
pub(crate) fn decode(
    bytes: &[u8],
    layout: &Layout,
    padding: &Padding,
    defects: &mut DefectSet,
    image: &mut Image,
) -> Result<(), Refused> {
    let cells = cells(bytes, layout)?;
    let Image { hu, mask } = image;
    if let Some(values) = Values::of(cells.as_chunks().0, layout, padding, defects) {
        let findings = whole_units::decode(&values, cells.as_chunks().0, hu, mask)?;
        name_values(findings, defects);
        return Ok(());
    }
    match layout.format.bits_allocated {
        8 => {
            let cells = cells.iter().map(|&cell| u32::from(cell));
            general::decode(cells, layout, padding, defects, image)
        }
        16 => {
            let cells = cells.as_chunks().0.iter();
            let cells = cells.map(|&cell| u32::from(u16::from_le_bytes(cell)));
            general::decode(cells, layout, padding, defects, image)
        }
        _ => {
            let cells = cells.as_chunks().0.iter();
            let cells = cells.map(|&cell| u32::from_le_bytes(cell));
            general::decode(cells, layout, padding, defects, image)
        }
    }
}

/// True for the layout in which some archives hold negative values wrapped at 4096.
///
/// A falling scale is left alone: there the high stored values are the low HU by right.
fn may_have_wrapped(format: &PixelFormat) -> bool {
    format.bits_stored == 12
        && !format.signed
        && format.rescale_slope > 0.0
        && format.rescale_intercept > -100.0
}

fn dirty_bits(format: &PixelFormat) -> Refused {
    Refused::new(
        Refusal::InconsistentPixelGeometry,
        format!(
            "pixel cells use bits outside the {} bits below High Bit {} that hold the value",
            format.bits_stored, format.high_bit
        ),
    )
}

/// Names what the finished values show.
pub(crate) fn name_values(findings: Findings, defects: &mut DefectSet) {
    if findings.undeclared_padding {
        defects.add(Defect::PaddingClamped);
    }
    if findings.implausible {
        defects.add(Defect::HuImplausibleHigh);
    }
}
