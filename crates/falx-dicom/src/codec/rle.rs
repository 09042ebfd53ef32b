//! RLE Lossless: the bytes of the cells plane by plane, each run-length coded.
//!
//! # Source
//! PS3.5 Annex G.

use super::{corrupt, inconsistent};
use crate::Refused;

/// The header: the number of segments, then fifteen offsets of four bytes.
const HEADER: usize = 64;
/// The most bytes that one byte of a segment stands for: a run of 128 is two bytes long.
const MAX_EXPANSION: usize = 64;
/// A control byte that codes nothing.
const NO_OPERATION: u8 = 0x80;

pub(super) fn decode(
    codestream: &[u8],
    pixels: usize,
    cell_bytes: usize,
    cells: &mut Vec<u8>,
) -> Result<(), Refused> {
    let segments = segments(codestream, cell_bytes)?;
    if segments
        .iter()
        .any(|segment| segment.len().saturating_mul(MAX_EXPANSION) < pixels)
    {
        return Err(corrupt("an RLE segment is too short for the image"));
    }
    let start = cells.len();
    cells.resize(start + pixels * cell_bytes, 0);
    let frame = cells.get_mut(start..).unwrap_or_default();
    // The segment of the most significant bytes comes first; cells are little endian.
    for (segment, byte) in segments.iter().zip((0..cell_bytes).rev()) {
        let plane = frame.get_mut(byte..).unwrap_or_default();
        unpack(segment, plane.iter_mut().step_by(cell_bytes), pixels)?;
    }
    Ok(())
}

/// The frame's segments, one for each byte of a cell.
fn segments(codestream: &[u8], cell_bytes: usize) -> Result<Vec<&[u8]>, Refused> {
    let header = codestream
        .get(..HEADER)
        .ok_or_else(|| corrupt("the RLE frame is shorter than its header"))?;
    let mut words = header.as_chunks().0.iter();
    let mut word = || words.next().map_or(0, |&word| u32::from_le_bytes(word)) as usize;
    let count = word();
    if !(1..=15).contains(&count) {
        let detail = format!("the RLE header counts {count} segments");
        return Err(corrupt(detail));
    }
    if count != cell_bytes {
        return Err(inconsistent(format!(
            "{count} RLE segments for pixel cells of {cell_bytes} bytes"
        )));
    }
    let mut bounds: Vec<usize> = (0..count).map(|_| word()).collect();
    if bounds.first() != Some(&HEADER) {
        return Err(corrupt("the first RLE segment does not follow the header"));
    }
    bounds.push(codestream.len());
    let segment = |bounds: &[usize]| match *bounds {
        [from, to] => codestream.get(from..to),
        _ => None,
    };
    let segments = bounds.windows(2).map(segment);
    segments
        .collect::<Option<_>>()
        .ok_or_else(|| corrupt("an RLE segment's offset is out of order or outside the frame"))
}

/// Unpacks a segment into exactly `left` bytes; a run may cross rows, as many writers let it.
fn unpack<'a>(
    mut segment: &[u8],
    mut plane: impl Iterator<Item = &'a mut u8>,
    mut left: usize,
) -> Result<(), Refused> {
    while left > 0 {
        let (&control, rest) = segment
            .split_first()
            .ok_or_else(|| corrupt("an RLE segment ends early"))?;
        segment = rest;
        if control == NO_OPERATION {
            continue;
        }
        let literal = control < NO_OPERATION;
        let count = if literal {
            usize::from(control) + 1
        } else {
            257 - usize::from(control)
        };
        left = left
            .checked_sub(count)
            .ok_or_else(|| corrupt("an RLE segment holds more than the image"))?;
        let (coded, rest) = segment
            .split_at_checked(if literal { count } else { 1 })
            .ok_or_else(|| corrupt("an RLE segment ends early"))?;
        segment = rest;
        // The plane first: a zip that ends on it would take one byte too many from it.
        let values = coded.iter().cycle().take(count);
        for (value, cell) in values.zip(plane.by_ref()) {
            *cell = *value;
        }
    }
    // A segment is padded to an even length.
    let is_padding = |&byte: &u8| byte == 0 || byte == NO_OPERATION;
    if segment.len() > 1 && !segment.iter().all(is_padding) {
        return Err(corrupt("an RLE segment holds more than the image"));
    }
    Ok(())
}
