//! Numbers of an image as few bytes that are quickly read: differences along both axes, in tiles of one width each.
//!
//! A number is foretold as left + above − left above of it (Lorenzo's predictor, the plane through three corners). The
//! differences, with their sign in the lowest bit, are cut into tiles of 8 × 16; each tile has as many bits a number as
//! its largest needs. Within a tile the 16 numbers of a column make a lane, and the 8 lanes' words lie beside each other,
//! so that a processor's vector unpacks a row of a tile at a time.
//!
//! # Source
//! Ibarria, Lindstrom, Rossignac, Szymczak 2003 (Lorenzo's predictor); Afroozeh, Boncz 2023 (`FastLanes`: lanes of
//! bit-packed words).

#![expect(
    clippy::inline_always,
    reason = "loops must become part of the function that pulp compiles for the processor"
)]

use falx_core::Hu;
use pulp::{Arch, Simd, WithSimd};

use super::packed::NotPacked;

/// Columns of a tile: the lanes.
const ACROSS: usize = 8;
/// Rows of a tile: as many as a word has bits, so that a lane is a whole number of words.
const DOWN: usize = 16;
/// Bytes of one word of every lane.
const GROUP: usize = 2 * ACROSS;

/// How an image lies in tiles.
#[derive(Clone, Copy, Debug)]
struct Grid {
    rows: usize,
    cols: usize,
}

impl Grid {
    /// Columns of all tiles together.
    const fn stride(self) -> usize {
        self.cols.next_multiple_of(ACROSS)
    }

    const fn tiles(self) -> usize {
        self.rows.div_ceil(DOWN) * (self.stride() / ACROSS)
    }
}

/// Appends `numbers` (rows × `cols`, row by row) to `bytes`: the width of every tile in bits, then the tiles.
pub(super) fn pack(numbers: &[u16], cols: usize, bytes: &mut Vec<u8>) {
    let rows = numbers.len().checked_div(cols).unwrap_or(0);
    let mut body = Vec::with_capacity(numbers.len());
    for top in (0..rows).step_by(DOWN) {
        for left in (0..cols).step_by(ACROSS) {
            let tile = differences(numbers, cols, top, left);
            let all = tile.iter().flatten().fold(0, |all, number| all | number);
            let width = 16 - all.leading_zeros();
            bytes.push(width as u8);
            pack_tile(&tile, width as usize, &mut body);
        }
    }
    bytes.extend(body);
}

/// The differences of a tile; 0 beyond the image.
fn differences(numbers: &[u16], cols: usize, top: usize, left: usize) -> [[u16; ACROSS]; DOWN] {
    // Above the image and left of it all is 0: places are counted from 1.
    let at = |row: usize, col: usize| {
        let inside = row > 0 && col > 0;
        let place = inside.then(|| (row - 1) * cols + col - 1);
        place
            .and_then(|place| numbers.get(place))
            .map_or(0, |&number| number)
    };
    let mut tile = [[0; ACROSS]; DOWN];
    for (row, line) in (top + 1..=numbers.len() / cols).zip(&mut tile) {
        for (col, difference) in (left + 1..=cols).zip(line) {
            let above = at(row - 1, col).wrapping_sub(at(row - 1, col - 1));
            let foretold = at(row, col - 1).wrapping_add(above);
            let signed = at(row, col).wrapping_sub(foretold).cast_signed();
            *difference = ((signed << 1) ^ (signed >> 15)).cast_unsigned();
        }
    }
    tile
}

fn pack_tile(tile: &[[u16; ACROSS]; DOWN], width: usize, body: &mut Vec<u8>) {
    let mut words = [[0_u16; ACROSS]; DOWN];
    for (row, numbers) in tile.iter().enumerate() {
        let (word, bit) = (row * width / 16, row * width % 16);
        for (lane, &number) in numbers.iter().enumerate() {
            let both = u32::from(number) << bit;
            words[word][lane] |= both as u16;
            if bit + width > 16 {
                words[word + 1][lane] |= (both >> 16) as u16;
            }
        }
    }
    let used = words.iter().take(width).flatten();
    body.extend(used.flat_map(|word| word.to_le_bytes()));
}

/// What unpacking needs beside its output; kept from image to image.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The differences, row by row.
    differences: Vec<u16>,
    /// The numbers of one row.
    row: Vec<u16>,
}

/// A value in HU, with its unit or without.
pub(super) trait Value: Copy {
    fn of(hu: f32) -> Self;
}

impl Value for f32 {
    #[inline(always)]
    fn of(hu: f32) -> Self {
        hu
    }
}

impl Value for Hu {
    #[inline(always)]
    fn of(hu: f32) -> Self {
        Self(hu)
    }
}

/// Where numbers go.
pub(super) enum Out<'a, T> {
    /// As they are.
    Numbers(&'a mut [u16]),
    /// As their two bytes, the lower first.
    Bytes(&'a mut [[u8; 2]]),
    /// As signed whole numbers × `step` + `base`.
    Values {
        /// The values, row by row.
        values: &'a mut [T],
        step: f32,
        base: f32,
    },
}

/// Unpacks an image of `cols` columns that [`pack`] has laid down at the start of `bytes`; gives what lies behind it.
///
/// # Errors
/// [`NotPacked`] for other bytes.
pub(super) fn unpack<'b, T: Value>(
    bytes: &'b [u8],
    cols: usize,
    scratch: &mut Scratch,
    out: Out<'_, T>,
) -> Result<&'b [u8], NotPacked> {
    let len = match &out {
        Out::Numbers(numbers) => numbers.len(),
        Out::Bytes(bytes) => bytes.len(),
        Out::Values { values, .. } => values.len(),
    };
    let rows = len.checked_div(cols).unwrap_or(0);
    let grid = Grid { rows, cols };
    let (widths, rest) = bytes.split_at_checked(grid.tiles()).ok_or(NotPacked)?;
    if widths.iter().any(|&width| width > 16) {
        return Err(NotPacked);
    }
    let groups: usize = widths.iter().map(|&width| usize::from(width)).sum();
    let (body, behind) = rest.split_at_checked(groups * GROUP).ok_or(NotPacked)?;
    let Scratch { differences, row } = scratch;
    differences.resize(grid.stride() * rows.next_multiple_of(DOWN), 0);
    row.clear();
    row.resize(grid.stride(), 0);
    if len > 0 {
        Arch::new().dispatch(Unpack {
            grid,
            widths,
            groups: body.as_chunks().0,
            scratch,
            out,
        });
    }
    Ok(behind)
}

struct Unpack<'a, T> {
    grid: Grid,
    widths: &'a [u8],
    groups: &'a [[u8; GROUP]],
    scratch: &'a mut Scratch,
    out: Out<'a, T>,
}

impl<T: Value> WithSimd for Unpack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            grid,
            widths,
            mut groups,
            scratch: Scratch { differences, row },
            mut out,
        } = self;
        let stride = grid.stride();
        let mut widths = widths.iter();
        for band in differences.chunks_exact_mut(DOWN * stride) {
            for (left, &width) in (0..stride).step_by(ACROSS).zip(widths.by_ref()) {
                let (tile, rest) = groups.split_at(usize::from(width).min(groups.len()));
                groups = rest;
                unpack_tile(
                    width,
                    tile,
                    band.get_mut(left..).unwrap_or_default(),
                    stride,
                );
            }
        }
        let lines = differences.chunks_exact_mut(stride).take(grid.rows);
        for (number, line) in lines.enumerate() {
            let mut sum = 0_u16;
            for difference in line.iter_mut() {
                sum = sum.wrapping_add(*difference);
                *difference = sum;
            }
            for (number, &sum) in row.iter_mut().zip(&*line) {
                *number = number.wrapping_add(sum);
            }
            let place = number * grid.cols..(number + 1) * grid.cols;
            match &mut out {
                Out::Numbers(numbers) => {
                    let place = numbers.get_mut(place).unwrap_or_default();
                    for (out, &number) in place.iter_mut().zip(&*row) {
                        *out = number;
                    }
                }
                Out::Bytes(bytes) => {
                    let place = bytes.get_mut(place).unwrap_or_default();
                    for (out, &number) in place.iter_mut().zip(&*row) {
                        *out = number.to_le_bytes();
                    }
                }
                Out::Values { values, step, base } => {
                    let (step, base) = (*step, *base);
                    let place = values.get_mut(place).unwrap_or_default();
                    for (out, &number) in place.iter_mut().zip(&*row) {
                        *out = T::of(f32::from(number.cast_signed()) * step + base);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn unpack_tile(width: u8, groups: &[[u8; GROUP]], out: &mut [u16], stride: usize) {
    macro_rules! of_width {
        ($($width:literal)*) => {
            match width {
                $($width => tile_of::<$width>(groups, out, stride),)*
                _ => {}
            }
        };
    }
    of_width!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

/// A tile of `WIDTH` bits a number: the compiler knows every shift.
#[inline(always)]
fn tile_of<const WIDTH: usize>(groups: &[[u8; GROUP]], out: &mut [u16], stride: usize) {
    let Some(groups) = groups.first_chunk::<WIDTH>() else {
        return;
    };
    let lanes = |group: usize| groups.get(group).map_or([0; ACROSS], words);
    let mask = ((1_u32 << WIDTH) - 1) as u16;
    for (row, line) in (0..DOWN).zip(out.chunks_mut(stride)) {
        let Some(line) = line.first_chunk_mut::<ACROSS>() else {
            return;
        };
        let (group, bit) = (row * WIDTH / 16, row * WIDTH % 16);
        let mut numbers = lanes(group).map(|word| word >> bit);
        if bit + WIDTH > 16 {
            for (number, word) in numbers.iter_mut().zip(lanes(group + 1)) {
                *number |= word << (16 - bit);
            }
        }
        *line = numbers.map(|number| {
            let number = number & mask;
            (number >> 1) ^ (number & 1).wrapping_neg()
        });
    }
}

#[inline(always)]
fn words(group: &[u8; GROUP]) -> [u16; ACROSS] {
    let mut words = [0; ACROSS];
    for (word, &bytes) in words.iter_mut().zip(group.as_chunks::<2>().0) {
        *word = u16::from_le_bytes(bytes);
    }
    words
}
