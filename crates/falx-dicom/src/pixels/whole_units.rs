//! The layout of almost every CT: 16-bit cells, the value in the lowest bits, slope 1, a whole intercept.
//!
//! There Hounsfield units are small whole numbers, which 32-bit integers and single precision hold exactly, so the
//! values are those of the general path bit for bit. The image is read in blocks that stay in the first-level cache,
//! by loops so plain that the compiler makes vector code of them.

use falx_core::Hu;

use super::{
    IMPLAUSIBLE_HU, Image, NON_PHYSICAL_HU, WRAPS_FROM, dirty_bits, may_have_wrapped, name_values,
};
use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::layout::{Layout, Padding};
use crate::{Defect, Refused};

const IMPLAUSIBLE: i32 = IMPLAUSIBLE_HU as i32;
const FILLER: i32 = Hu::PADDING.0 as i32;
/// Cells in a block.
const BLOCK: usize = 2048;

/// How to read such an image.
///
/// Stored values are held as 16-bit *levels*: themselves where they are signed, shifted down by 32768 where not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pixels: usize,
    format: PixelFormat,
    /// The stored value of level 0.
    zero: i32,
    declared: Levels,
    intercept: i32,
}

/// A range of levels, both ends included; empty where the lowest is above the highest.
#[derive(Clone, Copy, Debug)]
struct Levels {
    low: i16,
    high: i16,
}

impl Levels {
    /// The levels of the stored values `low` to `high`.
    fn of(low: i64, high: i64, zero: i32) -> Self {
        let (low, high) = (low - i64::from(zero), high - i64::from(zero));
        let all = i64::from(i16::MIN)..=i64::from(i16::MAX);
        if low > high || high < *all.start() || low > *all.end() {
            return Self {
                low: i16::MAX,
                high: i16::MIN,
            };
        }
        Self {
            low: low.max(*all.start()) as i16,
            high: high.min(*all.end()) as i16,
        }
    }

    const fn contains(self, level: i16) -> bool {
        level >= self.low && level <= self.high
    }

    const fn overlaps(self, other: Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

impl Plan {
    /// The plan for this layout, if it is the common one.
    pub(super) fn of(layout: &Layout, padding: &Padding) -> Option<Self> {
        let format = layout.format;
        let intercept = format.rescale_intercept;
        // Sums with a 16-bit value stay below 2^24, where single precision ceases to be exact.
        let is_small_and_whole = intercept.fract() == 0.0 && intercept.abs() < 8_000_000.0;
        let is_common = format.bits_allocated == 16
            && format.high_bit + 1 == format.bits_stored
            && format.rescale_slope == 1.0
            && layout.overlay_bits == 0
            && padding.whole_cell.is_none();
        let zero = if format.signed { 0 } else { 1 << 15 };
        (is_common && is_small_and_whole).then(|| Self {
            pixels: layout.pixels,
            format,
            zero,
            declared: Levels::of(padding.low, padding.high, zero),
            intercept: intercept as i32,
        })
    }

    pub(super) fn decode(
        &self,
        cells: &[[u8; 2]],
        defects: &mut DefectSet,
    ) -> Result<Image, Refused> {
        let Self {
            zero, intercept, ..
        } = *self;
        if may_have_wrapped(&self.format) && has_wrapped(cells) {
            defects.add(Defect::Rsna12bitWrapRepaired);
            // Unwrapped values start at -1000 HU.
            let non_physical = Levels::of(1, 0, zero);
            return self.fill(cells, non_physical, defects, move |level| {
                let stored = i32::from(level) + zero;
                stored - 4096 * i32::from(stored >= WRAPS_FROM as i32)
            });
        }
        let limit = NON_PHYSICAL_HU as i64 - i64::from(intercept);
        let non_physical = Levels::of(i64::from(i32::MIN), limit, zero);
        let shift = zero + intercept;
        self.fill(cells, non_physical, defects, move |level| {
            i32::from(level) + shift
        })
    }

    /// Reads all cells; levels in `non_physical` are padding without being declared.
    fn fill(
        &self,
        cells: &[[u8; 2]],
        non_physical: Levels,
        defects: &mut DefectSet,
        hu_of: impl Fn(i16) -> i32,
    ) -> Result<Image, Refused> {
        let declared = self.declared;
        let is_padding = |level: i16| declared.contains(level) || non_physical.contains(level);
        let mut hu: Vec<Hu> = Vec::with_capacity(self.pixels);
        let mut mask: Vec<bool> = Vec::new();
        let (mut implausible, mut undeclared) = (false, false);
        let mut buffer = [0_i16; BLOCK];
        for block in cells.chunks(BLOCK) {
            let levels = self.cut_fields(block, &mut buffer)?;
            let present = Levels {
                low: levels.iter().copied().fold(i16::MAX, i16::min),
                high: levels.iter().copied().fold(i16::MIN, i16::max),
            };
            // A block's extremes show whether there is anything to look for in it at all.
            implausible = implausible
                || hu_of(present.high) > IMPLAUSIBLE
                    && levels
                        .iter()
                        .any(|&l| hu_of(l) > IMPLAUSIBLE && !is_padding(l));
            if !present.overlaps(declared) && !present.overlaps(non_physical) {
                hu.extend(levels.iter().map(|&level| Hu(hu_of(level) as f32)));
                continue;
            }
            undeclared = undeclared
                || present.overlaps(non_physical)
                    && levels
                        .iter()
                        .any(|&l| non_physical.contains(l) && !declared.contains(l));
            // Masks instead of a choice: the compiler makes much better vector code of them.
            mask.resize(hu.len(), false);
            mask.extend(levels.iter().map(|&level| is_padding(level)));
            hu.extend(levels.iter().map(|&level| {
                let keep = i32::from(is_padding(level)) - 1;
                Hu(((hu_of(level) & keep) + (FILLER & !keep)) as f32)
            }));
        }
        name_values(implausible, undeclared, defects);
        let padding = mask.contains(&true).then(|| {
            mask.resize(hu.len(), false);
            mask
        });
        Ok(Image { hu, padding })
    }

    /// Cuts the levels out of a block's cells.
    fn cut_fields<'b>(
        &self,
        block: &[[u8; 2]],
        buffer: &'b mut [i16; BLOCK],
    ) -> Result<&'b [i16], Refused> {
        let unused = 16 - u32::from(self.format.bits_stored);
        let field = u16::MAX >> unused;
        let mut dirty = 0;
        if self.format.signed {
            for (&cell, level) in block.iter().zip(buffer.iter_mut()) {
                let cell = u16::from_le_bytes(cell);
                let value = (cell << unused).cast_signed() >> unused;
                // Clean are cells whose unused bits are all the sign's (no difference) or all zero (no bit above).
                let difference = value.cast_unsigned() ^ cell;
                let above = cell & !field;
                dirty |= u16::from(difference != 0 && above != 0);
                *level = value;
            }
        } else {
            for (&cell, level) in block.iter().zip(buffer.iter_mut()) {
                let cell = u16::from_le_bytes(cell);
                dirty |= cell & !field;
                *level = (cell ^ 0x8000).cast_signed();
            }
        }
        if dirty != 0 {
            return Err(dirty_bits(&self.format));
        }
        Ok(buffer.get(..block.len()).unwrap_or_default())
    }
}

fn has_wrapped(cells: &[[u8; 2]]) -> bool {
    cells.chunks(BLOCK).any(|block| {
        let most = block
            .iter()
            .map(|&cell| u16::from_le_bytes(cell))
            .fold(0, u16::max);
        i64::from(most) >= WRAPS_FROM
    })
}
