//! The layout of almost every CT: 16-bit cells, the value in the lowest bits, slope 1, a whole intercept.
//!
//! There Hounsfield units are small whole numbers, which 32-bit integers and single precision hold exactly, so the
//! values are those of the general path bit for bit. The image is read in blocks that stay in the first-level cache,
//! by loops so plain that the compiler makes vector code of them for the processor at hand.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

use falx_core::Hu;
use pulp::{Arch, Simd, WithSimd};

use super::{IMPLAUSIBLE_HU, NON_PHYSICAL_HU, WRAPS_FROM, dirty_bits, may_have_wrapped};
use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::layout::{Layout, Padding};
use crate::{Defect, Refused};

const IMPLAUSIBLE: i32 = IMPLAUSIBLE_HU as i32;
const FILLER: i32 = Hu::PADDING.0 as i32;
/// Cells in a block.
const BLOCK: usize = 2048;

/// A cell's two bytes.
pub(crate) type Cell = [u8; 2];

/// Stored values from `low` to `high`, both included; none where the lowest is above the highest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    low: i32,
    high: i32,
}

impl Range {
    #[inline(always)]
    const fn contains(self, stored: i32) -> bool {
        stored >= self.low && stored <= self.high
    }

    fn and(self, other: Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }

    const fn is_empty(self) -> bool {
        self.low > self.high
    }
}

/// How the stored values of such an image become Hounsfield units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values {
    format: PixelFormat,
    /// Added to every value that [`Values::changed`] gives.
    pub(crate) intercept: i32,
    /// The stored values that the header declares to be padding.
    declared: Range,
    /// Those at or below -2000 HU, which are padding without being declared.
    non_physical: Range,
    /// Stored values from here on had wrapped at 4096.
    wrapped_from: i32,
}

/// What a block's stored values need besides the intercept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Nothing,
    /// Values up to this one are padding.
    PaddingUpTo(i32),
    /// Whatever [`Values::changed`] does.
    Everything,
}

/// What a whole image shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) implausible: bool,
    pub(crate) undeclared_padding: bool,
}

impl Values {
    /// Signed 16-bit numbers that are Hounsfield units, every one of them as it is.
    pub(crate) const fn whole_units() -> Self {
        let none = Range { low: 1, high: 0 };
        Self {
            format: PixelFormat {
                bits_allocated: 16,
                bits_stored: 16,
                high_bit: 15,
                signed: true,
                rescale_slope: 1.0,
                rescale_intercept: 0.0,
            },
            intercept: 0,
            declared: none,
            non_physical: none,
            wrapped_from: i32::MAX,
        }
    }

    /// How to read `cells` of this layout, if it is the common one; a wrapped image is named.
    pub(crate) fn of(
        cells: &[Cell],
        layout: &Layout,
        padding: &Padding,
        defects: &mut DefectSet,
    ) -> Option<Self> {
        let format = layout.format;
        let intercept = format.rescale_intercept;
        // Sums with a 16-bit value stay below 2^24, where single precision ceases to be exact.
        let is_small_and_whole = intercept.fract() == 0.0 && intercept.abs() < 8_000_000.0;
        let is_common = format.bits_allocated == 16
            && format.high_bit + 1 == format.bits_stored
            && format.rescale_slope == 1.0
            && layout.overlay_bits == 0
            && padding.whole_cell.is_none();
        if !(is_common && is_small_and_whole) {
            return None;
        }
        let intercept = intercept as i32;
        let plain = Self {
            format,
            intercept,
            declared: Range {
                low: padding.low as i32,
                high: padding.high as i32,
            },
            non_physical: Range {
                low: i32::MIN,
                high: NON_PHYSICAL_HU as i32 - intercept,
            },
            wrapped_from: i32::MAX,
        };
        if !(may_have_wrapped(&format) && has_wrapped(cells)) {
            return Some(plain);
        }
        defects.add(Defect::Rsna12bitWrapRepaired);
        Some(Self {
            intercept: 0,
            // Unwrapped values start at -1000 HU.
            non_physical: Range { low: 1, high: 0 },
            wrapped_from: WRAPS_FROM as i32,
            ..plain
        })
    }

    pub(crate) const fn is_signed(&self) -> bool {
        self.format.signed
    }

    /// The stored value in a clean cell.
    #[inline(always)]
    pub(crate) fn stored<const SIGNED: bool>(&self, cell: u16) -> i32 {
        if SIGNED {
            let unused = 16 - u32::from(self.format.bits_stored);
            i32::from((cell << unused).cast_signed() >> unused)
        } else {
            i32::from(cell)
        }
    }

    #[inline(always)]
    fn is_padding(&self, stored: i32) -> bool {
        self.declared.contains(stored) || self.non_physical.contains(stored)
    }

    /// The value to which the intercept is still to be added, padding's filler and unwrapping included.
    #[inline(always)]
    pub(crate) fn changed(&self, stored: i32) -> i32 {
        if self.is_padding(stored) {
            self.filler()
        } else {
            stored - 4096 * i32::from(stored >= self.wrapped_from)
        }
    }

    /// What becomes padding's filler by adding the intercept.
    #[inline(always)]
    pub(crate) const fn filler(&self) -> i32 {
        FILLER - self.intercept
    }

    /// Looks at a block: refuses one whose cells are not clean, notes what its values show, says what they need.
    #[inline(always)]
    pub(crate) fn survey<const SIGNED: bool>(
        &self,
        block: &[Cell],
        findings: &mut Findings,
    ) -> Result<Rule, Refused> {
        let (present, is_clean) = self.extremes::<SIGNED>(block);
        if !is_clean {
            return Err(dirty_bits(&self.format));
        }
        let declared = present.and(self.declared);
        let non_physical = present.and(self.non_physical);
        let any = |is_it: &dyn Fn(i32) -> bool| {
            let mut stored = block
                .iter()
                .map(|&cell| self.stored::<SIGNED>(u16::from_le_bytes(cell)));
            stored.any(is_it)
        };
        // A block's extremes show whether there is anything to look for in it at all.
        if !findings.implausible && present.high > IMPLAUSIBLE - self.intercept {
            let is_implausible = |stored| {
                !self.is_padding(stored) && self.changed(stored) + self.intercept > IMPLAUSIBLE
            };
            findings.implausible = any(&is_implausible);
        }
        let all_declared = declared.low <= non_physical.low && declared.high >= non_physical.high;
        if !findings.undeclared_padding && !non_physical.is_empty() && !all_declared {
            let is_undeclared =
                |stored| self.non_physical.contains(stored) && !self.declared.contains(stored);
            findings.undeclared_padding = any(&is_undeclared);
        }
        let limit = match (declared.is_empty(), non_physical.is_empty()) {
            (true, true) => return Ok(self.without_padding(present)),
            (true, false) => Some(non_physical.high),
            (false, true) => (declared.low == present.low).then_some(declared.high),
            (false, false) => (declared.low <= non_physical.high.saturating_add(1))
                .then_some(declared.high.max(non_physical.high)),
        };
        Ok(match limit {
            Some(limit) if present.high < self.wrapped_from => Rule::PaddingUpTo(limit),
            _ => Rule::Everything,
        })
    }

    #[inline(always)]
    const fn without_padding(&self, present: Range) -> Rule {
        if present.high < self.wrapped_from {
            Rule::Nothing
        } else {
            Rule::Everything
        }
    }

    /// The lowest and the highest stored value, and whether all cells are clean.
    #[inline(always)]
    fn extremes<const SIGNED: bool>(&self, block: &[Cell]) -> (Range, bool) {
        let unused = 16 - u32::from(self.format.bits_stored);
        let field = u16::MAX >> unused;
        let mut dirty = 0;
        // 16-bit levels fill vectors twice as well: the values themselves, or shifted down where they are unsigned.
        let (mut low, mut high) = (i16::MAX, i16::MIN);
        for &cell in block {
            let cell = u16::from_le_bytes(cell);
            let level = if SIGNED {
                let value = (cell << unused).cast_signed() >> unused;
                // Clean are cells whose unused bits are all the sign's (no difference) or all zero (no bit above).
                let difference = value.cast_unsigned() ^ cell;
                let above = cell & !field;
                dirty |= u16::from(difference != 0 && above != 0);
                value
            } else {
                dirty |= cell & !field;
                (cell ^ 0x8000).cast_signed()
            };
            low = low.min(level);
            high = high.max(level);
        }
        let zero = if SIGNED { 0 } else { 1 << 15 };
        let present = Range {
            low: i32::from(low) + zero,
            high: i32::from(high) + zero,
        };
        (present, dirty == 0)
    }
}

/// Decodes `cells` into `hu`; `mask` stays empty where no cell is padding.
pub(super) fn decode(
    values: &Values,
    cells: &[Cell],
    hu: &mut Vec<Hu>,
    mask: &mut Vec<bool>,
) -> Result<Findings, Refused> {
    hu.clear();
    mask.clear();
    hu.reserve_exact(cells.len());
    let decode = Decode {
        values: *values,
        cells,
        hu,
        mask,
    };
    Arch::new().dispatch(decode)
}

struct Decode<'a> {
    values: Values,
    cells: &'a [Cell],
    hu: &'a mut Vec<Hu>,
    mask: &'a mut Vec<bool>,
}

impl WithSimd for Decode<'_> {
    type Output = Result<Findings, Refused>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        if self.values.is_signed() {
            self.run::<true>()
        } else {
            self.run::<false>()
        }
    }
}

impl Decode<'_> {
    #[inline(always)]
    fn run<const SIGNED: bool>(self) -> Result<Findings, Refused> {
        let Self {
            values,
            cells,
            hu,
            mask,
        } = self;
        let mut findings = Findings::default();
        for block in cells.chunks(BLOCK) {
            let rule = values.survey::<SIGNED>(block, &mut findings)?;
            let stored = block
                .iter()
                .map(|&cell| values.stored::<SIGNED>(u16::from_le_bytes(cell)));
            let finished = |value: i32| Hu((value + values.intercept) as f32);
            match rule {
                Rule::Nothing => hu.extend(stored.map(finished)),
                Rule::PaddingUpTo(limit) => {
                    mask.resize(hu.len(), false);
                    mask.extend(stored.clone().map(|stored| stored <= limit));
                    let filler = values.filler();
                    let changed = |stored| if stored <= limit { filler } else { stored };
                    hu.extend(stored.map(|stored| finished(changed(stored))));
                }
                Rule::Everything => {
                    mask.resize(hu.len(), false);
                    mask.extend(stored.clone().map(|stored| values.is_padding(stored)));
                    hu.extend(stored.map(|stored| finished(values.changed(stored))));
                }
            }
        }
        if mask.contains(&true) {
            mask.resize(hu.len(), false);
        } else {
            mask.clear();
        }
        Ok(findings)
    }
}

fn has_wrapped(cells: &[Cell]) -> bool {
    cells.chunks(BLOCK).any(|block| {
        let most = block
            .iter()
            .map(|&cell| u16::from_le_bytes(cell))
            .fold(0, u16::max);
        i64::from(most) >= WRAPS_FROM
    })
}
