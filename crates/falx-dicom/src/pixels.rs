//! From pixel cells to Hounsfield units and the padding mask.
//!
//! [`general`] is the definition: any cell width, any field, any rescale, in double precision. [`whole_units`] gives
//! the same bits for the layout of almost every CT (16-bit cells, slope 1, whole intercept) several times faster.

mod general;
#[cfg(test)]
mod tests;
mod whole_units;

use falx_core::Hu;

use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::layout::{Layout, Padding};
use crate::{Defect, Refusal, Refused};

/// At and below this a value has no physical meaning: nothing attenuates by less than minus water.
const NON_PHYSICAL_HU: f64 = -2000.0;
/// The top of the 16-bit extended CT scale.
const IMPLAUSIBLE_HU: f32 = 31743.0;
/// In a 12-bit image that may have wrapped, stored values from here on stand for negative ones.
const WRAPS_FROM: i64 = 3096;

/// The values of an image and which of them are padding.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Image {
    pub(crate) hu: Vec<Hu>,
    pub(crate) padding: Option<Vec<bool>>,
}

/// Reads `layout.pixels` cells from the start of `bytes`.
pub(crate) fn decode(
    bytes: &[u8],
    layout: &Layout,
    padding: &Padding,
    defects: &mut DefectSet,
) -> Result<Image, Refused> {
    let cell_bytes = usize::from(layout.format.bits_allocated / 8);
    let cells = bytes.get(..layout.pixels * cell_bytes).ok_or_else(|| {
        let detail = "Pixel Data is shorter than the image";
        Refused::new(Refusal::InconsistentPixelGeometry, detail)
    })?;
    match whole_units::Plan::of(layout, padding) {
        Some(plan) => plan.decode(cells.as_chunks().0, defects),
        None => match layout.format.bits_allocated {
            8 => general::decode(
                cells.iter().map(|&cell| u32::from(cell)),
                layout,
                padding,
                defects,
            ),
            16 => {
                let cells = cells.as_chunks().0.iter();
                let cells = cells.map(|&cell| u32::from(u16::from_le_bytes(cell)));
                general::decode(cells, layout, padding, defects)
            }
            _ => {
                let cells = cells.as_chunks().0.iter();
                general::decode(
                    cells.map(|&cell| u32::from_le_bytes(cell)),
                    layout,
                    padding,
                    defects,
                )
            }
        },
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
fn name_values(implausible: bool, undeclared_padding: bool, defects: &mut DefectSet) {
    if undeclared_padding {
        defects.add(Defect::PaddingClamped);
    }
    if implausible {
        defects.add(Defect::HuImplausibleHigh);
    }
}
