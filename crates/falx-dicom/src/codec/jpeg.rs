//! JPEG of one component: sequential DCT of 8 or 12 bits, and lossless with any predictor.
//!
//! No crate of Rust decodes 12-bit DCT, and the lossless process shares its Huffman codes, so all of it is here.
//!
//! # Source
//! ITU-T T.81 (ISO/IEC 10918-1).

mod dct;
mod huffman;
mod lossless;

use dct::{Blocks, SIDE};
use huffman::Huffman;

use super::bits::BitReader;
use super::segments::{
    COMMENT, END_OF_IMAGE, FrameHeader, RESTART_INTERVAL, START_OF_SCAN, after_start, marker,
    segment,
};
use super::{Codec, FrameFormat, corrupt};
use crate::Refused;

const BASELINE: u8 = 0xC0;
const EXTENDED: u8 = 0xC1;
const LOSSLESS: u8 = 0xC3;
const HUFFMAN_TABLES: u8 = 0xC4;
const QUANTISATION_TABLES: u8 = 0xDB;

/// A frame of up to 16-bit samples, row by row, into little-endian cells.
pub(super) fn decode(
    codec: Codec,
    codestream: &[u8],
    frame: &FrameFormat,
    cells: &mut Vec<u8>,
) -> Result<(), Refused> {
    let mut rest = after_start(codestream)?;
    let mut tables = Tables::default();
    let mut header: Option<(u8, &[u8])> = None;
    loop {
        let marker = marker(&mut rest)?;
        let content = segment(&mut rest)?;
        match marker {
            BASELINE | EXTENDED if codec == Codec::Jpeg && header.is_none() => {
                header = Some((marker, content));
            }
            LOSSLESS if codec == Codec::JpegLossless && header.is_none() => {
                header = Some((marker, content));
            }
            HUFFMAN_TABLES => tables.read_huffman(content)?,
            QUANTISATION_TABLES => tables.read_quantisation(content)?,
            RESTART_INTERVAL => {
                let interval = content.try_into().map(u16::from_be_bytes);
                let wrong = |_| corrupt("the restart interval is no 16-bit number");
                tables.restart_interval = usize::from(interval.map_err(wrong)?);
            }
            // Application segments say nothing of the samples.
            COMMENT | 0xE0..=0xEF => {}
            START_OF_SCAN => {
                let (process, header) =
                    header.ok_or_else(|| corrupt("a scan comes before its frame"))?;
                let scan = Scan::read(process, header, content, frame)?;
                let segment = Segment {
                    rest,
                    next_restart: 0,
                };
                return match process {
                    LOSSLESS => tables.lossless(&scan, segment, frame, cells),
                    _ => tables.sequential(&scan, segment, frame, cells),
                };
            }
            other => {
                return Err(corrupt(format!(
                    "marker {other:02X} does not belong to the transfer syntax"
                )));
            }
        }
    }
}

/// What the headers of the frame and of its only scan say.
struct Scan {
    rows: usize,
    cols: usize,
    precision: u8,
    /// The number of the component's quantisation table.
    quantisation: u8,
    /// The numbers of its Huffman tables: direct and alternating coefficients.
    huffman: [u8; 2],
    /// Of the lossless process, 1 to 7.
    predictor: u8,
    point_transform: u8,
}

impl Scan {
    fn read(process: u8, header: &[u8], scan: &[u8], frame: &FrameFormat) -> Result<Self, Refused> {
        let (header, of_components) = FrameHeader::read(header)?;
        frame.check(&header)?;
        let (&[component, _sampling, quantisation], &[1, of_scan, tables, start, end, transform]) =
            (of_components, scan)
        else {
            return Err(corrupt("the headers are not those of one component"));
        };
        let precision = header.precision;
        let is_possible = match process {
            BASELINE => precision == 8,
            EXTENDED => matches!(precision, 8 | 12),
            _ => (2..=16).contains(&precision),
        };
        let is_whole = match process {
            LOSSLESS => (1..=7).contains(&start) && end == 0 && transform < precision,
            // A sequential scan has all coefficients; some encoders write another selection of them all the same.
            _ => transform == 0,
        };
        if !is_possible || !is_whole || of_scan != component {
            return Err(corrupt("the headers contradict the compression process"));
        }
        Ok(Self {
            rows: header.rows,
            cols: header.cols,
            precision,
            quantisation,
            huffman: [tables >> 4, tables & 15],
            predictor: start,
            point_transform: transform,
        })
    }
}

/// The entropy-coded bytes that are left, in restart intervals.
struct Segment<'a> {
    rest: &'a [u8],
    next_restart: u8,
}

impl<'a> Segment<'a> {
    fn bits(&self) -> BitReader<'a, false> {
        BitReader::new(self.rest)
    }

    /// Moves behind the marker after an interval: that of a restart, or of the image's end.
    fn end_interval(&mut self, bits: BitReader<'a, false>, is_last: bool) -> Result<(), Refused> {
        self.rest = bits.end()?;
        let found = marker(&mut self.rest)?;
        let expected = if is_last {
            END_OF_IMAGE
        } else {
            0xD0 + self.next_restart
        };
        self.next_restart = (self.next_restart + 1) % 8;
        if found == expected {
            Ok(())
        } else {
            Err(corrupt(
                "the compressed data does not end where its image does",
            ))
        }
    }
}

/// What segments before the scan define.
#[derive(Default)]
struct Tables {
    /// By number: tables of direct coefficients or lossless differences, then of alternating coefficients.
    huffman: [[Option<Huffman>; 4]; 2],
    quantisation: [Option<[u16; 64]>; 4],
    /// In samples or blocks; 0 where there are no restarts.
    restart_interval: usize,
}

impl Tables {
    fn read_huffman(&mut self, mut content: &[u8]) -> Result<(), Refused> {
        while let Some((&[class_and_number, ref counts @ ..], rest)) =
            content.split_first_chunk::<17>()
        {
            let symbols: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest
                .split_at_checked(symbols)
                .ok_or_else(|| corrupt("a Huffman table ends early"))?;
            content = rest;
            let [class, number] = [class_and_number >> 4, class_and_number & 15].map(usize::from);
            let place = self.huffman.get_mut(class).and_then(|c| c.get_mut(number));
            let place = place.ok_or_else(|| corrupt("a Huffman table has an impossible number"))?;
            *place = Some(Huffman::new(counts, symbols)?);
        }
        if content.is_empty() {
            Ok(())
        } else {
            Err(corrupt("a Huffman table ends early"))
        }
    }

    fn read_quantisation(&mut self, mut content: &[u8]) -> Result<(), Refused> {
        while let Some((&depth_and_number, rest)) = content.split_first() {
            let bytes = match depth_and_number >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(corrupt("a quantisation table has an impossible depth")),
            };
            let (steps, rest) = rest
                .split_at_checked(64 * bytes)
                .ok_or_else(|| corrupt("a quantisation table ends early"))?;
            content = rest;
            let mut table = [0; 64];
            for (place, step) in table.iter_mut().zip(steps.chunks(bytes)) {
                *place = step
                    .iter()
                    .fold(0, |sum, &byte| (sum << 8) | u16::from(byte));
            }
            let place = self
                .quantisation
                .get_mut(usize::from(depth_and_number & 15));
            *place.ok_or_else(|| corrupt("a quantisation table has an impossible number"))? =
                Some(table);
        }
        Ok(())
    }

    fn huffman(&self, class: usize, number: u8) -> Result<&Huffman, Refused> {
        let table = self
            .huffman
            .get(class)
            .and_then(|c| c.get(usize::from(number)));
        let table = table.and_then(Option::as_ref);
        table.ok_or_else(|| corrupt("the scan's Huffman table is missing"))
    }

    fn lossless(
        &self,
        scan: &Scan,
        mut segment: Segment<'_>,
        frame: &FrameFormat,
        cells: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let table = self
            .huffman(0, scan.huffman[0])?
            .clone()
            .with_differences(16)?;
        let interval = match self.restart_interval {
            0 => scan.rows,
            // T.81 H.1.1: an interval is a number of whole rows.
            samples if samples % scan.cols == 0 => samples / scan.cols,
            _ => return Err(corrupt("a restart interval is no number of rows")),
        };
        let mut shifted = vec![0; scan.cols];
        let mut left = scan.rows;
        while left > 0 {
            let rows = interval.min(left);
            left -= rows;
            let mut bits = segment.bits();
            lossless::decode_interval(&mut bits, scan, &table, rows, &mut |row| {
                for (shifted, &sample) in shifted.iter_mut().zip(row) {
                    *shifted = sample << scan.point_transform;
                }
                frame.push(&shifted, cells);
                Ok(())
            })?;
            segment.end_interval(bits, left == 0)?;
        }
        Ok(())
    }

    fn sequential(
        &self,
        scan: &Scan,
        mut segment: Segment<'_>,
        frame: &FrameFormat,
        cells: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let number = usize::from(scan.quantisation);
        let quantisation = self.quantisation.get(number).and_then(Option::as_ref);
        let quantisation =
            quantisation.ok_or_else(|| corrupt("the scan's quantisation table is missing"))?;
        let direct = self
            .huffman(0, scan.huffman[0])?
            .clone()
            .with_differences(15)?;
        let alternating = self.huffman(1, scan.huffman[1])?;
        let mut blocks = Blocks::new(scan, &direct, alternating, quantisation);
        let across = scan.cols.div_ceil(SIDE);
        let mut left = across * scan.rows.div_ceil(SIDE);
        let mut until_restart = self.restart_interval;
        let mut bits = segment.bits();
        let mut strip = vec![0; SIDE * SIDE * across];
        for top in (0..scan.rows).step_by(SIDE) {
            for at in 0..across {
                let block = blocks.decode(&mut bits)?;
                for (row, samples) in strip.chunks_exact_mut(SIDE * across).zip(&block) {
                    row[SIDE * at..][..SIDE].copy_from_slice(samples);
                }
                left -= 1;
                until_restart = until_restart.saturating_sub(1);
                if until_restart == 0 && self.restart_interval > 0 && left > 0 {
                    segment.end_interval(bits, false)?;
                    bits = segment.bits();
                    blocks.restart();
                    until_restart = self.restart_interval;
                }
            }
            let rows = SIDE.min(scan.rows - top);
            for row in strip.chunks_exact(SIDE * across).take(rows) {
                frame.push(&row[..scan.cols], cells);
            }
        }
        segment.end_interval(bits, true)
    }
}
