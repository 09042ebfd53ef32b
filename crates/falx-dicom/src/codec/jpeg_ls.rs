//! JPEG-LS, lossless and near-lossless, of one component.
//!
//! # Source
//! ITU-T T.87 (ISO/IEC 14495-1).

mod parameters;
mod scan;

use parameters::{Parameters, Thresholds};

use super::bits::BitReader;
use super::segments::{
    COMMENT, END_OF_IMAGE, FrameHeader, RESTART_INTERVAL, START_OF_SCAN, after_start, marker,
    segment,
};
use super::{FrameFormat, corrupt};
use crate::{Refusal, Refused};

/// A frame of up to 16-bit samples, row by row, into little-endian cells.
pub(super) fn decode(
    codestream: &[u8],
    frame: &FrameFormat,
    cells: &mut Vec<u8>,
) -> Result<(), Refused> {
    let header = Header::read(codestream)?;
    frame.check(&header.frame)?;
    let precision = header.frame.precision;
    if !(2..=16).contains(&precision) {
        return Err(corrupt(format!(
            "samples of {precision} bits are no JPEG-LS"
        )));
    }
    let most = (1_i32 << precision) - 1;
    let parameters = Parameters::new(most, header.near, header.thresholds)?;
    let end = cells.len() + frame.rows * frame.cols * frame.cell_bytes();
    let bits = BitReader::new(header.segment);
    // A sample may take a fraction of a bit, so only what is decoded is allocated, row by row.
    let rest = scan::decode(bits, &parameters, frame.rows, frame.cols, |row| {
        frame.push(row, cells);
    })?;
    if cells.len() != end || !rest.starts_with(&[0xFF, END_OF_IMAGE]) {
        return Err(corrupt("the codestream does not end with its image"));
    }
    Ok(())
}

const START_OF_FRAME: u8 = 0xF7;
const PRESET_PARAMETERS: u8 = 0xF8;

/// What stands before the compressed samples.
struct Header<'a> {
    frame: FrameHeader,
    near: i32,
    thresholds: Thresholds,
    /// From the first compressed byte to the end of the codestream.
    segment: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(codestream: &'a [u8]) -> Result<Self, Refused> {
        let mut rest = after_start(codestream)?;
        let mut frame = None;
        let mut thresholds = Thresholds::default();
        loop {
            let marker = marker(&mut rest)?;
            let segment = segment(&mut rest)?;
            match marker {
                START_OF_FRAME if frame.is_none() => frame = Some(segment),
                PRESET_PARAMETERS => thresholds = Thresholds::read(segment)?,
                START_OF_SCAN => {
                    let frame = frame.ok_or_else(|| corrupt("a scan comes before its frame"))?;
                    return Self::of(frame, segment, thresholds, rest);
                }
                RESTART_INTERVAL if segment.iter().any(|&byte| byte != 0) => {
                    let detail = "JPEG-LS with restart intervals";
                    return Err(Refused::new(Refusal::UnsupportedTransferSyntax, detail));
                }
                // Application segments say nothing of the samples.
                RESTART_INTERVAL | COMMENT | 0xE0..=0xEF => {}
                other => return Err(corrupt(format!("marker {other:02X} is no JPEG-LS"))),
            }
        }
    }

    /// Reads the frame's and the scan's header.
    fn of(
        frame: &[u8],
        scan: &[u8],
        thresholds: Thresholds,
        segment: &'a [u8],
    ) -> Result<Self, Refused> {
        let (frame, _) = FrameHeader::read(frame)?;
        let header = Self {
            frame,
            near: 0,
            thresholds,
            segment,
        };
        if frame.components != 1 {
            // Refused by what the frame says; its scans need not be understood.
            return Ok(header);
        }
        match *scan {
            // Component, mapping table, NEAR, interleaving, point transform.
            [1, _, 0, near, _, 0] => Ok(Self {
                near: i32::from(near),
                ..header
            }),
            [1, _, table, ..] if table != 0 => {
                let detail = "JPEG-LS with a mapping table";
                Err(Refused::new(Refusal::UnsupportedTransferSyntax, detail))
            }
            _ => Err(corrupt("the scan header is not that of one component")),
        }
    }
}
