//! Fitting an image whose units are whole into a square that it fills by halving, once or several times, or not at all.
//!
//! A picture's pixel is then the mean of 1, 4, 16 or 64 small whole numbers, which single precision holds exactly. So
//! the sums may be made in integers and in any order, and have the same bits as the definition's.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

use pulp::{Arch, Simd, WithSimd};

use super::target::Target;
use super::{Geometry, PADDING};
use crate::Refused;
use crate::pixels::whole_units::{Cell, Findings, Rule, Values};

/// The most pixels of a slice along a side of a picture's pixel: 64 values of at most 17 bits keep below 24.
const MOST: usize = 8;
/// With a larger intercept values have more than 17 bits.
const LARGEST_INTERCEPT: f64 = 32768.0;

/// How an image lies in its square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Halving {
    /// Pixels of the slice along a side of a picture's pixel: 1, 2, 4 or 8.
    factor: usize,
    cols: usize,
    /// Pixels of the picture left of the slice, and within it.
    left: usize,
    width: usize,
    /// Rows of the picture above the slice, and within it.
    top: usize,
    height: usize,
}

impl Halving {
    /// The way for this geometry, if halving does it.
    pub(super) fn of(geometry: Geometry, size: usize) -> Option<Self> {
        let steps = geometry.steps(size);
        let factor = [1, 2, 4, MOST]
            .into_iter()
            .find(|&factor| steps == [factor as f64; 2])?;
        let blank = |pixels: usize| {
            let inside = pixels / factor;
            let outside = size.checked_sub(inside)?;
            let is_whole = pixels.is_multiple_of(factor) && outside.is_multiple_of(2);
            is_whole.then_some((outside / 2, inside))
        };
        let (left, width) = blank(geometry.cols)?;
        let (top, height) = blank(geometry.rows)?;
        Some(Self {
            factor,
            cols: geometry.cols,
            left,
            width,
            top,
            height,
        })
    }

    /// True where values with this intercept keep the sums exact.
    pub(super) fn suits(intercept: f64) -> bool {
        intercept.abs() <= LARGEST_INTERCEPT
    }

    /// Draws `cells`, an image of the geometry that this was made for.
    pub(super) fn draw(
        self,
        values: &Values,
        cells: &[Cell],
        sums: &mut Sums,
        target: Target<'_>,
    ) -> Result<Findings, Refused> {
        sums.pairs.resize(self.cols / 2, 0);
        sums.row.clear();
        sums.row.resize(target.size, PADDING);
        Arch::new().dispatch(Draw {
            how: self,
            values: *values,
            cells,
            sums,
            target,
        })
    }
}

/// What the sums need; kept for the next image.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Sums of two neighbours each.
    pairs: Vec<i32>,
    /// A row of the picture.
    row: Vec<f32>,
}

struct Draw<'a, 't> {
    how: Halving,
    values: Values,
    cells: &'a [Cell],
    sums: &'a mut Sums,
    target: Target<'t>,
}

impl WithSimd for Draw<'_, '_> {
    type Output = Result<Findings, Refused>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        if self.values.is_signed() {
            self.run::<true>(!S::IS_SCALAR)
        } else {
            self.run::<false>(!S::IS_SCALAR)
        }
    }
}

impl Draw<'_, '_> {
    #[inline(always)]
    fn run<const SIGNED: bool>(self, fused: bool) -> Result<Findings, Refused> {
        let Self {
            how,
            values,
            cells,
            sums,
            mut target,
        } = self;
        let mut findings = Findings::default();
        let size = target.size;
        for row in (0..how.top).chain(how.top + how.height..size) {
            target.put(row, &sums.row, fused);
        }
        for (row, block) in cells.chunks_exact(how.factor * how.cols).enumerate() {
            let rule = values.survey::<SIGNED>(block, &mut findings)?;
            let filler = values.filler();
            match rule {
                Rule::Nothing => how.mean::<SIGNED>(&values, block, sums, |stored| stored),
                Rule::PaddingUpTo(limit) => how.mean::<SIGNED>(&values, block, sums, |stored| {
                    if stored <= limit { filler } else { stored }
                }),
                Rule::Everything => {
                    how.mean::<SIGNED>(&values, block, sums, |stored| values.changed(stored));
                }
            }
            target.put(how.top + row, &sums.row, fused);
        }
        Ok(findings)
    }
}

impl Halving {
    /// Makes a row of the picture from the rows of cells in `block`.
    #[inline(always)]
    fn mean<const SIGNED: bool>(
        self,
        values: &Values,
        block: &[Cell],
        sums: &mut Sums,
        changed: impl Fn(i32) -> i32,
    ) {
        let Sums { pairs, row } = sums;
        // A slice, and not an iterator that skips: the compiler makes its vectors from the first number on.
        let inside = self.left..self.left + self.width;
        let inside = row.get_mut(inside).unwrap_or_default();
        let intercept = values.intercept;
        let stored = |cell: u16| changed(values.stored::<SIGNED>(cell));
        if self.factor == 1 {
            for (out, &cell) in inside.iter_mut().zip(block) {
                *out = (stored(u16::from_le_bytes(cell)) + intercept) as f32;
            }
            return;
        }
        // Two neighbours at a time are one 32-bit number.
        let pair = |[a, b, c, d]: [u8; 4]| {
            let both = u32::from_le_bytes([a, b, c, d]);
            stored(both as u16) + stored((both >> 16) as u16)
        };
        let share = 1.0 / (self.factor * self.factor) as f32;
        let offset = intercept * (self.factor * self.factor) as i32;
        let finished = |sum: i32| (sum + offset) as f32 * share;
        let mut lines = block.as_flattened().chunks_exact(4 * pairs.len());
        let mut next = || lines.next().unwrap_or_default().as_chunks::<4>().0;
        if self.factor == 2 {
            let both = next().iter().zip(next());
            for (out, (&above, &below)) in inside.iter_mut().zip(both) {
                *out = finished(pair(above) + pair(below));
            }
            return;
        }
        for (sum, &cells) in pairs.iter_mut().zip(next()) {
            *sum = pair(cells);
        }
        for _ in 1..self.factor {
            for (sum, &cells) in pairs.iter_mut().zip(next()) {
                *sum += pair(cells);
            }
        }
        for (out, sums) in inside.iter_mut().zip(pairs.chunks_exact(self.factor / 2)) {
            *out = finished(sums.iter().sum());
        }
    }
}
