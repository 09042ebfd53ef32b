//! The definition of a pixel's value, for every layout.

use falx_core::Hu;

use super::whole_units::Findings;
use super::{
    IMPLAUSIBLE_HU, Image, NON_PHYSICAL_HU, WRAPS_FROM, dirty_bits, may_have_wrapped, name_values,
};
use crate::defect::DefectSet;
use crate::layout::{Layout, Padding};
use crate::{Defect, Refused};

/// What a cell holds.
#[derive(Clone, Copy, Debug)]
enum Stored {
    Value(i64),
    /// As a whole the declared padding value, which does not fit the field.
    PaddingCell,
    /// Bits outside the field that are neither zero, nor the sign, nor an overlay's.
    Dirty,
}

pub(super) fn decode(
    cells: impl Iterator<Item = u32> + Clone,
    layout: &Layout,
    padding: &Padding,
    defects: &mut DefectSet,
    image: &mut Image,
) -> Result<(), Refused> {
    let format = &layout.format;
    let stored = |cell| stored(cell, layout, padding);
    let wraps = |cell| matches!(stored(cell), Stored::Value(value) if value >= WRAPS_FROM);
    let unwrap = may_have_wrapped(format) && cells.clone().any(wraps);
    if unwrap {
        defects.add(Defect::Rsna12bitWrapRepaired);
    }
    let Image { hu, mask } = image;
    hu.clear();
    mask.clear();
    hu.reserve_exact(layout.pixels);
    mask.reserve_exact(layout.pixels);
    let mut undeclared_padding = false;
    for cell in cells {
        let (value, declared) = match stored(cell) {
            Stored::Value(value) => (value, (padding.low..=padding.high).contains(&value)),
            Stored::PaddingCell => {
                defects.add(Defect::PaddingOutsideBitsStored);
                (0, true)
            }
            Stored::Dirty => return Err(dirty_bits(format)),
        };
        let (value, intercept) = if unwrap {
            ((value + 1000) % 4096, -1000.0)
        } else {
            (value, format.rescale_intercept)
        };
        // Two roundings in double and one to single, on every machine: no fused multiply-add.
        let rescaled = value as f64 * format.rescale_slope + intercept;
        let is_padding = declared || rescaled <= NON_PHYSICAL_HU;
        undeclared_padding |= is_padding && !declared;
        mask.push(is_padding);
        hu.push(if is_padding {
            Hu::PADDING
        } else {
            Hu(rescaled as f32)
        });
    }
    let implausible = hu.iter().any(|hu| hu.0 > IMPLAUSIBLE_HU);
    let findings = Findings {
        implausible,
        undeclared_padding,
    };
    name_values(findings, defects);
    if !mask.contains(&true) {
        mask.clear();
    }
    Ok(())
}

/// Cuts the stored value out of its cell.
///
/// # Source
/// DICOM PS3.5 8.1.1.
fn stored(cell: u32, layout: &Layout, padding: &Padding) -> Stored {
    let format = &layout.format;
    let allocated = u32::from(format.bits_allocated);
    let bits = u32::from(format.bits_stored);
    if padding.whole_cell == Some(value_of(u64::from(cell), allocated, format.signed)) {
        return Stored::PaddingCell;
    }
    let below = u32::from(format.high_bit) + 1 - bits;
    let cell = u64::from(cell & !layout.overlay_bits);
    let all = u64::from(!layout.overlay_bits) & ones(allocated);
    let field = (cell >> below) & ones(bits);
    let above = cell >> below >> bits;
    let sign_extension = all >> below >> bits;
    let value = value_of(field, bits, format.signed);
    let is_clean =
        cell & ones(below) == 0 && (above == 0 || (value < 0 && above == sign_extension));
    if is_clean {
        Stored::Value(value)
    } else {
        Stored::Dirty
    }
}

/// The number that `bits` bits stand for.
const fn value_of(field: u64, bits: u32, signed: bool) -> i64 {
    let value = field.cast_signed();
    if signed && field >> (bits - 1) == 1 {
        value - (1 << bits)
    } else {
        value
    }
}

/// A mask of the lowest `bits` bits, of which there are at most 32.
const fn ones(bits: u32) -> u64 {
    (1 << bits) - 1
}
