//! The layout of almost every CT: 16-bit cells, the value in the lowest bits, slope 1, a whole intercept.
//!
//! There Hounsfield units are small whole numbers, which 32-bit integers and single precision hold exactly, so the
//! values are those of the general path bit for bit. The loops have no branches, so that the compiler makes vector
//! code of them.

use falx_core::Hu;

use super::{Image, NON_PHYSICAL_HU, WRAPS_FROM, dirty_bits, may_have_wrapped, name_values};
use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::layout::{Layout, Padding};
use crate::{Defect, Refused};

/// Cells that are looked at before they are written: few enough to stay in the first-level cache.
const BLOCK: usize = 4096;
const NON_PHYSICAL: i32 = NON_PHYSICAL_HU as i32;

/// How to read such an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pixels: usize,
    format: PixelFormat,
    intercept: i32,
    padding_low: i32,
    padding_high: i32,
}

/// A cell's stored value and its Hounsfield units.
type Read = (i32, i32);

impl Plan {
    /// The plan for this layout, if it is the common one.
    pub(super) fn of(layout: &Layout, padding: &Padding) -> Option<Self> {
        let format = layout.format;
        let intercept = format.rescale_intercept;
        // Sums with a 16-bit value stay below 2^24, where single precision ends to be exact.
        let is_small_and_whole = intercept.fract() == 0.0 && intercept.abs() < 8_000_000.0;
        let is_common = format.bits_allocated == 16
            && format.high_bit + 1 == format.bits_stored
            && format.rescale_slope == 1.0
            && layout.overlay_bits == 0
            && padding.whole_cell.is_none();
        (is_common && is_small_and_whole).then(|| Self {
            pixels: layout.pixels,
            format,
            intercept: intercept as i32,
            padding_low: padding.low as i32,
            padding_high: padding.high as i32,
        })
    }

    pub(super) fn decode(
        &self,
        cells: &[[u8; 2]],
        defects: &mut DefectSet,
    ) -> Result<Image, Refused> {
        let unused = 16 - u32::from(self.format.bits_stored);
        let field = u16::MAX >> unused;
        let intercept = self.intercept;
        if self.format.signed {
            let value = move |cell: u16| (cell << unused).cast_signed() >> unused;
            let is_clean =
                move |cell: u16| (value(cell).cast_unsigned() == cell) | (cell & field == cell);
            let read = move |cell: u16| {
                let value = i32::from(value(cell));
                (value, value + intercept)
            };
            return self.fill(cells, is_clean, read, defects);
        }
        let is_clean = move |cell: u16| cell & field == cell;
        if may_have_wrapped(&self.format) && has_wrapped(cells) {
            defects.add(Defect::Rsna12bitWrapRepaired);
            let unwrap = move |cell: u16| {
                let value = i32::from(cell);
                let wrapped = i32::from(value >= WRAPS_FROM as i32);
                (value, value - 4096 * wrapped)
            };
            return self.fill(cells, is_clean, unwrap, defects);
        }
        let read = move |cell: u16| (i32::from(cell), i32::from(cell) + intercept);
        self.fill(cells, is_clean, read, defects)
    }

    fn fill(
        &self,
        cells: &[[u8; 2]],
        is_clean: impl Fn(u16) -> bool,
        read: impl Fn(u16) -> Read,
        defects: &mut DefectSet,
    ) -> Result<Image, Refused> {
        let (low, high) = (self.padding_low, self.padding_high);
        let is_declared = move |value: i32| (value >= low) & (value <= high);
        let is_padding = move |(value, hu): Read| is_declared(value) | (hu <= NON_PHYSICAL);
        let mut image = Vec::with_capacity(self.pixels);
        let mut mask: Vec<bool> = Vec::new();
        let mut highest = i32::MIN;
        let mut undeclared = false;
        for block in cells.chunks(BLOCK) {
            let cells = || block.iter().map(|&cell| u16::from_le_bytes(cell));
            if !cells().fold(true, |clean, cell| clean & is_clean(cell)) {
                return Err(dirty_bits(&self.format));
            }
            let read_all = || cells().map(&read);
            if read_all().fold(false, |any, pixel| any | is_padding(pixel)) {
                mask.resize(image.len(), false);
                mask.extend(read_all().map(is_padding));
                image.extend(read_all().map(|pixel| {
                    if is_padding(pixel) {
                        Hu::PADDING
                    } else {
                        Hu(pixel.1 as f32)
                    }
                }));
                undeclared |= read_all().fold(false, |any, (value, hu)| {
                    any | (!is_declared(value) & (hu <= NON_PHYSICAL))
                });
                let kept = |pixel: Read| if is_padding(pixel) { i32::MIN } else { pixel.1 };
                highest = read_all().map(kept).fold(highest, i32::max);
            } else {
                image.extend(read_all().map(|(_, hu)| Hu(hu as f32)));
                highest = read_all().map(|(_, hu)| hu).fold(highest, i32::max);
            }
        }
        name_values(highest as f32, undeclared, defects);
        let padding = (!mask.is_empty()).then(|| {
            mask.resize(image.len(), false);
            mask
        });
        Ok(Image { hu: image, padding })
    }
}

fn has_wrapped(cells: &[[u8; 2]]) -> bool {
    cells
        .iter()
        .any(|&cell| i64::from(u16::from_le_bytes(cell)) >= WRAPS_FROM)
}
