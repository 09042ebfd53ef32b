//! Markers and segments, as JPEG and JPEG-LS have them.
//!
//! # Source
//! ITU-T T.81 B.1.

use super::corrupt;
use crate::Refused;

pub(super) const START_OF_IMAGE: u8 = 0xD8;
pub(super) const END_OF_IMAGE: u8 = 0xD9;
pub(super) const START_OF_SCAN: u8 = 0xDA;
pub(super) const RESTART_INTERVAL: u8 = 0xDD;
pub(super) const COMMENT: u8 = 0xFE;

/// What follows the start of the image.
pub(super) fn after_start(codestream: &[u8]) -> Result<&[u8], Refused> {
    codestream
        .strip_prefix(&[0xFF, START_OF_IMAGE])
        .ok_or_else(|| corrupt("the codestream does not begin with an image"))
}

/// Takes the code of the next marker, which fill bytes may precede.
pub(super) fn marker(rest: &mut &[u8]) -> Result<u8, Refused> {
    let after_fill = rest.iter().position(|&byte| byte != 0xFF);
    match after_fill
        .filter(|&at| at > 0)
        .and_then(|at| rest.split_at_checked(at))
    {
        Some((_, [code, after @ ..])) => {
            let code = *code;
            *rest = after;
            Ok(code)
        }
        _ => Err(corrupt("a marker is missing")),
    }
}

/// Takes the content of the next segment, whose length counts its own two bytes.
pub(super) fn segment<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Refused> {
    let length = rest
        .first_chunk()
        .map(|&two| usize::from(u16::from_be_bytes(two)));
    let parts = length.and_then(|length| rest.split_at_checked(length));
    match parts.map(|(segment, after)| (segment.get(2..), after)) {
        Some((Some(content), after)) => {
            *rest = after;
            Ok(content)
        }
        _ => Err(corrupt("a segment ends early")),
    }
}

/// The size that a frame header states.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    pub(super) precision: u8,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) components: u8,
}

impl FrameHeader {
    /// Reads the header, and gives what it says of its components.
    pub(super) fn read(segment: &[u8]) -> Result<(Self, &[u8]), Refused> {
        let &[precision, a, b, c, d, components, ref of_components @ ..] = segment else {
            return Err(corrupt("the frame header ends early"));
        };
        let header = Self {
            precision,
            rows: usize::from(u16::from_be_bytes([a, b])),
            cols: usize::from(u16::from_be_bytes([c, d])),
            components,
        };
        Ok((header, of_components))
    }
}
