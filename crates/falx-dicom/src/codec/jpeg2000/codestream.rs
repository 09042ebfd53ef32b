//! What a JPEG 2000 codestream says of itself.

use super::corrupt;
use crate::Refused;

const START_OF_CODESTREAM: u16 = 0xFF4F;
const SIZE: u16 = 0xFF51;
const START_OF_TILE_PART: u16 = 0xFF90;
const START_OF_DATA: u16 = 0xFF93;
const END_OF_CODESTREAM: u16 = 0xFFD9;
/// The most tiles of an image: their numbers have 16 bits.
const MAX_TILES: u64 = 65_535;

/// The codestream in a JP2 file, or the bytes as they are.
///
/// # Source
/// T.800 Annex I.
pub(super) fn without_container(bytes: &[u8]) -> Result<&[u8], Refused> {
    if !bytes.starts_with(b"\0\0\0\x0CjP  ") {
        return Ok(bytes);
    }
    let mut rest = bytes;
    loop {
        let Some((&[a, b, c, d, ref kind @ ..], content)) = rest.split_first_chunk::<8>() else {
            return Err(corrupt("the JP2 file holds no codestream"));
        };
        let (length, content) = match u32::from_be_bytes([a, b, c, d]) {
            // To the end of the file.
            0 => (content.len(), content),
            1 => {
                let Some((&length, content)) = content.split_first_chunk::<8>() else {
                    return Err(corrupt("a JP2 box ends early"));
                };
                let length = usize::try_from(u64::from_be_bytes(length)).ok();
                (
                    length
                        .and_then(|l| l.checked_sub(16))
                        .ok_or_else(too_short)?,
                    content,
                )
            }
            length => (
                (length as usize).checked_sub(8).ok_or_else(too_short)?,
                content,
            ),
        };
        let (content, after) = content
            .split_at_checked(length)
            .ok_or_else(|| corrupt("a JP2 box ends early"))?;
        if kind == b"jp2c" {
            return Ok(content);
        }
        rest = after;
    }
}

fn too_short() -> Refused {
    corrupt("a JP2 box is shorter than its head")
}

/// The image and its first component (T.800 A.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) components: u16,
    pub(super) precision: u8,
    pub(super) signed: bool,
}

impl Size {
    pub(super) fn read(codestream: &[u8]) -> Result<Self, Refused> {
        let mut rest = codestream;
        if take_u16(&mut rest)? != START_OF_CODESTREAM || take_u16(&mut rest)? != SIZE {
            return Err(corrupt("the codestream does not begin as JPEG 2000"));
        }
        let (_length, _capabilities) = (take_u16(&mut rest)?, take_u16(&mut rest)?);
        let mut numbers = [0_u32; 8];
        for number in &mut numbers {
            *number = take_u32(&mut rest)?;
        }
        let [
            right,
            bottom,
            left,
            top,
            tile_cols,
            tile_rows,
            tile_left,
            tile_top,
        ] = numbers;
        let components = take_u16(&mut rest)?;
        let Some((&[depth, across, down], _)) = rest.split_first_chunk::<3>() else {
            return Err(ends_early());
        };
        let extent = |end: u32, start: u32, tile: u32, tile_start: u32| {
            let tiles = u64::from(end.saturating_sub(tile_start)).div_ceil(u64::from(tile.max(1)));
            (start < end && tile > 0 && tile_start <= start && tiles <= MAX_TILES)
                .then(|| ((end - start) as usize, tiles))
        };
        let cols = extent(right, left, tile_cols, tile_left);
        let rows = extent(bottom, top, tile_rows, tile_top);
        let (Some((cols, tiles_across)), Some((rows, tiles_down))) = (cols, rows) else {
            return Err(corrupt("the codestream's size is impossible"));
        };
        let precision = (depth & 0x7F) + 1;
        let is_whole = [across, down] == [1, 1] && tiles_across * tiles_down <= MAX_TILES;
        if !is_whole || precision > 38 {
            return Err(corrupt("the codestream's samples or tiles are impossible"));
        }
        Ok(Self {
            rows,
            cols,
            components,
            precision,
            signed: depth & 0x80 != 0,
        })
    }
}

/// Whether the codestream is whole: a decoder would make a coarser image of one that ends early.
///
/// # Source
/// T.800 A.4.2: the length of each tile-part stands at its beginning.
pub(super) fn check_complete(codestream: &[u8]) -> Result<(), Refused> {
    let mut rest = codestream.get(2..).unwrap_or_default();
    loop {
        let tile_part = rest;
        match take_u16(&mut rest)? {
            END_OF_CODESTREAM => return Ok(()),
            START_OF_TILE_PART => {
                let (_length, _tile) = (take_u16(&mut rest)?, take_u16(&mut rest)?);
                let length = take_u32(&mut rest)? as usize;
                if length == 0 {
                    // The last tile-part, which reaches to the end; a byte may make the fragment's length even.
                    let end = tile_part.strip_suffix(&[0]).unwrap_or(tile_part);
                    let is_whole = end.ends_with(&END_OF_CODESTREAM.to_be_bytes());
                    return is_whole.then_some(()).ok_or_else(ends_early);
                }
                if length < 14 {
                    return Err(corrupt("a tile-part is shorter than its head"));
                }
                rest = tile_part.get(length..).ok_or_else(ends_early)?;
            }
            marker @ 0xFF50..=0xFF8F if marker != START_OF_DATA => {
                let mut ahead = rest;
                let length = usize::from(take_u16(&mut ahead)?).max(2);
                rest = rest.get(length..).ok_or_else(ends_early)?;
            }
            other => return Err(corrupt(format!("marker {other:04X} is out of place"))),
        }
    }
}

fn take_u16(rest: &mut &[u8]) -> Result<u16, Refused> {
    let (&two, after) = rest.split_first_chunk().ok_or_else(ends_early)?;
    *rest = after;
    Ok(u16::from_be_bytes(two))
}

fn take_u32(rest: &mut &[u8]) -> Result<u32, Refused> {
    let (&four, after) = rest.split_first_chunk().ok_or_else(ends_early)?;
    *rest = after;
    Ok(u32::from_be_bytes(four))
}

fn ends_early() -> Refused {
    corrupt("the codestream ends early")
}
