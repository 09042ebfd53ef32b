//! A data set up to its pixels in a form that dicom-object reads as it is meant.
//!
//! dicom-object makes room for any length that an element states, and reads a sequence of unknown representation as if its
//! items said theirs, where they are implicit VR (PS3.5, 6.2.2); of numbers it reads whole ones, and takes the bytes left over
//! for the next element. So lengths are held against the bytes that are there, every sequence gets marks for its ends instead
//! of lengths, and what nothing can be copied from is left out: sequences of unknown representation, compressed icons, parts
//! of numbers.

use std::fmt::Display;
use std::io::{self, BufRead, Read};

use dicom_core::header::{Header as _, Length, SequenceItemHeader};
use dicom_core::{Tag, VR};
use dicom_encoding::decode::DecodeFrom;
use dicom_encoding::decode::explicit_be::ExplicitVRBigEndianDecoder;
use dicom_encoding::decode::explicit_le::ExplicitVRLittleEndianDecoder;
use dicom_encoding::decode::implicit_le::StandardImplicitVRLittleEndianDecoder;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_DELIMITATION: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_DELIMITATION: Tag = Tag(0xFFFE, 0xE0DD);
/// The group of the pixels; nothing that is copied stands behind them.
const PIXELS: u16 = 0x7FE0;
/// Sequences in sequences: no object has so many.
const DEEPEST: usize = 32;

/// How the elements of a data set are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Implicit,
    Explicit,
    BigEndian,
}

/// The elements before the pixels, each with its length true.
///
/// # Errors
/// What is wrong with them, in words.
pub fn plain(source: impl BufRead, encoding: Encoding) -> Result<Vec<u8>, String> {
    let mut tape = Taped {
        source,
        kept: Vec::new(),
        position: 0,
    };
    let walk = Walk::new(encoding, 0);
    walk.elements(&mut tape, End::Pixels)?;
    Ok(tape.kept)
}

/// What is read, and a copy of what is kept of it.
struct Taped<R> {
    source: R,
    kept: Vec<u8>,
    position: u64,
}

impl<R: Read> Read for Taped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.kept
            .extend_from_slice(buffer.get(..count).unwrap_or_default());
        self.position += count as u64;
        Ok(count)
    }
}

/// Where a data set ends.
#[derive(Clone, Copy)]
enum End {
    /// At the pixels, or with the file.
    Pixels,
    /// At a byte.
    At(u64),
    /// At a delimiter.
    Delimiter,
}

impl End {
    fn of(length: Length, position: u64) -> Self {
        match length.get() {
            Some(length) => Self::At(position + u64::from(length)),
            None => Self::Delimiter,
        }
    }
}

/// How one data set, or those of one sequence, are read.
struct Walk<R: ?Sized> {
    encoding: Encoding,
    decoder: Box<dyn DecodeFrom<R>>,
    depth: usize,
}

impl<R: BufRead> Walk<Taped<R>> {
    fn new(encoding: Encoding, depth: usize) -> Self {
        let decoder: Box<dyn DecodeFrom<Taped<R>>> = match encoding {
            Encoding::Implicit => Box::new(StandardImplicitVRLittleEndianDecoder::default()),
            Encoding::Explicit => Box::new(ExplicitVRLittleEndianDecoder::default()),
            Encoding::BigEndian => Box::new(ExplicitVRBigEndianDecoder::default()),
        };
        Self {
            encoding,
            decoder,
            depth,
        }
    }

    /// The same for what lies in a sequence.
    fn within(&self, encoding: Encoding) -> Result<Self, String> {
        if self.depth == DEEPEST {
            return Err(format!(
                "sequences lie in sequences more than {DEEPEST} deep"
            ));
        }
        Ok(Self::new(encoding, self.depth + 1))
    }

    fn elements(&self, tape: &mut Taped<R>, end: End) -> Result<(), String> {
        while !is_over(tape, end)? {
            let start = tape.kept.len();
            let (head, _) = self.decoder.decode_header(tape).map_err(words)?;
            let (tag, length) = (head.tag(), head.len);
            let ends = match end {
                End::Pixels => tag.group() >= PIXELS,
                End::Delimiter => tag == ITEM_DELIMITATION,
                End::At(_) => false,
            };
            if ends {
                tape.kept.truncate(start);
                break;
            }
            match (head.vr(), length.get()) {
                (VR::SQ, _) => {
                    tape.kept.truncate(start);
                    self.mark(tape, tag, true);
                    let end = End::of(length, tape.position);
                    self.within(self.encoding)?.items(tape, end)?;
                    self.mark(tape, SEQUENCE_DELIMITATION, false);
                }
                (VR::UN, None) => {
                    let within = self.within(Encoding::Implicit)?;
                    within.items(tape, End::Delimiter)?;
                    tape.kept.truncate(start);
                }
                (_, None) => {
                    self.fragments(tape)?;
                    tape.kept.truncate(start);
                }
                (vr, Some(length)) => {
                    value(tape, tag, length)?;
                    if !length.is_multiple_of(unit(vr)) {
                        tape.kept.truncate(start);
                    }
                }
            }
        }
        Ok(())
    }

    /// The items of a sequence.
    fn items(&self, tape: &mut Taped<R>, end: End) -> Result<(), String> {
        while !is_over(tape, end)? {
            let start = tape.kept.len();
            let head = self.decoder.decode_item_header(tape).map_err(words)?;
            tape.kept.truncate(start);
            match head {
                SequenceItemHeader::Item { len } => {
                    self.mark(tape, ITEM, true);
                    self.elements(tape, End::of(len, tape.position))?;
                    self.mark(tape, ITEM_DELIMITATION, false);
                }
                SequenceItemHeader::ItemDelimiter => {
                    return Err("an item ends where none began".to_owned());
                }
                SequenceItemHeader::SequenceDelimiter => break,
            }
        }
        Ok(())
    }

    /// Compressed pixels inside of a sequence.
    fn fragments(&self, tape: &mut Taped<R>) -> Result<(), String> {
        loop {
            match self.decoder.decode_item_header(tape).map_err(words)? {
                SequenceItemHeader::Item { len } => {
                    let length = len.get().ok_or("a fragment states no length")?;
                    value(tape, ITEM, length)?;
                }
                SequenceItemHeader::ItemDelimiter | SequenceItemHeader::SequenceDelimiter => {
                    return Ok(());
                }
            }
        }
    }

    /// Keeps the head of a sequence or an item without a length, or a delimiter.
    fn mark(&self, tape: &mut Taped<R>, tag: Tag, opens: bool) {
        let length = if opens { u32::MAX } else { 0 };
        let says_vr = self.encoding != Encoding::Implicit && tag.group() != ITEM.group();
        let vr: &[u8] = if says_vr { b"SQ\0\0" } else { b"" };
        let (group, element, length) = match self.encoding {
            Encoding::BigEndian => (
                tag.group().to_be_bytes(),
                tag.element().to_be_bytes(),
                length.to_be_bytes(),
            ),
            Encoding::Implicit | Encoding::Explicit => (
                tag.group().to_le_bytes(),
                tag.element().to_le_bytes(),
                length.to_le_bytes(),
            ),
        };
        for part in [&group[..], &element, vr, &length] {
            tape.kept.extend_from_slice(part);
        }
    }
}

fn is_over<R: BufRead>(tape: &mut Taped<R>, end: End) -> Result<bool, String> {
    match end {
        End::Pixels => Ok(tape.source.fill_buf().map_err(words)?.is_empty()),
        End::At(end) if tape.position > end => {
            Err("an element reaches beyond the end of its sequence".to_owned())
        }
        End::At(end) => Ok(tape.position == end),
        End::Delimiter => Ok(false),
    }
}

/// Bytes of one number of a value (PS3.5, 6.2).
const fn unit(vr: VR) -> u32 {
    match vr {
        VR::OW | VR::SS | VR::US => 2,
        VR::AT | VR::FL | VR::OF | VR::OL | VR::SL | VR::UL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}

/// Keeps a value; room for it grows with the bytes that are there.
fn value<R: Read>(tape: &mut Taped<R>, tag: Tag, length: u32) -> Result<(), String> {
    let length = u64::from(length);
    let there = io::copy(&mut tape.take(length), &mut io::sink()).map_err(words)?;
    if there < length {
        return Err(format!("{tag} states {length} bytes, and {there} are left"));
    }
    Ok(())
}

fn words(error: impl Display) -> String {
    error.to_string()
}
