//! The start of a file: where the data set begins, how it is encoded, and what it says up to the pixels.
//!
//! dicom-object reads the data set. The meta information before it is read here, since some archives' files lack what
//! dicom-object insists on: the mark, the length of the group, or all of it.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use dicom_dictionary_std::uids;
use dicom_object::DicomCollectorOptions;
use dicom_object::file::ReadPreamble;

use super::plain::{Encoding, plain};
use crate::element::DataSet;

/// What stands before meta information, after 128 bytes for other programs' use.
const MARK: &[u8] = b"DICM";
const PREAMBLE: usize = 128;
/// Explicit VR Big Endian: retired, and still in archives.
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
/// Meta information that is longer is refused.
const MOST_META: u64 = 1 << 16;
/// A deflated header that is longer is cut off.
const MOST_INFLATED: u64 = 1 << 26;

/// What a file's meta information says of it.
#[derive(Default)]
pub struct Meta {
    pub sop_class: Option<String>,
    pub sop_instance: Option<String>,
    transfer_syntax: Option<String>,
}

/// Reads up to the pixels, or says why not.
pub fn header(mut file: impl Read + Seek) -> Result<(DataSet, Meta), String> {
    let mut start = Vec::new();
    file.by_ref()
        .take(MOST_META)
        .read_to_end(&mut start)
        .map_err(|error| error.to_string())?;
    let (meta, length) = meta(&start).ok_or("its meta information is cut off")?;
    file.seek(SeekFrom::Start(length as u64))
        .map_err(|error| error.to_string())?;
    let rest = start.get(length..).unwrap_or_default();
    let set = match meta.transfer_syntax.as_deref() {
        Some(BIG_ENDIAN) => data_set(file, Encoding::BigEndian),
        Some(uids::IMPLICIT_VR_LITTLE_ENDIAN) => data_set(file, Encoding::Implicit),
        Some(
            uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
            | uids::JPIP_REFERENCED_DEFLATE
            | uids::JPIPHTJ2K_REFERENCED_DEFLATE,
        ) => inflated(file),
        None if !is_explicit(rest) => data_set(file, Encoding::Implicit),
        // Whatever the pixels are compressed with, the data set around them is this (PS3.5, A.4).
        Some(_) | None => data_set(file, Encoding::Explicit),
    };
    Ok((set?, meta))
}

/// Reads the meta information, and how many bytes it takes with all that stands before it; `None` where it ends too early.
fn meta(start: &[u8]) -> Option<(Meta, usize)> {
    let mut meta = Meta::default();
    let mut at = if start.get(PREAMBLE..PREAMBLE + MARK.len()) == Some(MARK) {
        PREAMBLE + MARK.len()
    } else if start.starts_with(MARK) {
        MARK.len()
    } else {
        // Where meta information was cut off badly, its last pad byte still stands before the data set.
        let has_pad = matches!(start.first(), Some(0 | b' ')) && is_explicit(&start[1..]);
        usize::from(has_pad)
    };
    while start.get(at..at + 2) == Some(&[2, 0]) {
        let number = |from: usize| Some(u16::from_le_bytes(*start.get(from..)?.first_chunk()?));
        let (length, value) = match start.get(at + 4..at + 6)? {
            b"OB" | b"OW" | b"UN" | b"UT" => {
                let long = u32::from_le_bytes(*start.get(at + 8..)?.first_chunk()?);
                (long as usize, at + 12)
            }
            _ => (usize::from(number(at + 6)?), at + 8),
        };
        let end = value.checked_add(length)?;
        let text = String::from_utf8_lossy(start.get(value..end)?);
        let text = text.trim_matches([' ', '\0']);
        let text = (!text.is_empty()).then(|| text.to_owned());
        match number(at + 2)? {
            0x0002 => meta.sop_class = text,
            0x0003 => meta.sop_instance = text,
            0x0010 => meta.transfer_syntax = text,
            _ => {}
        }
        at = end;
    }
    Some((meta, at))
}

/// Whether a data set begins here whose elements say their value representation: two capitals after a tag of group 8.
fn is_explicit(start: &[u8]) -> bool {
    let vr = start.get(4..6).unwrap_or_default();
    start.starts_with(&[8, 0]) && vr.len() == 2 && vr.iter().all(u8::is_ascii_uppercase)
}

fn inflated(file: impl Read) -> Result<DataSet, String> {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(BufReader::new(file))
        .take(MOST_INFLATED)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    data_set(Cursor::new(bytes), Encoding::Explicit)
}

fn data_set(file: impl Read, encoding: Encoding) -> Result<DataSet, String> {
    let plain = plain(BufReader::new(file), encoding)?;
    let syntax = match encoding {
        Encoding::Implicit => uids::IMPLICIT_VR_LITTLE_ENDIAN,
        Encoding::Explicit => uids::EXPLICIT_VR_LITTLE_ENDIAN,
        Encoding::BigEndian => BIG_ENDIAN,
    };
    let mut set = DataSet::new_empty();
    DicomCollectorOptions::new()
        .read_preamble(ReadPreamble::Never)
        .expected_ts(syntax)
        .from_reader(BufReader::new(Cursor::new(plain)))
        .read_dataset_to_end(&mut set)
        .map_err(|error| chain(&error))?;
    Ok(set)
}

/// An error with its causes, which dicom-object's own message leaves out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
