//! From a file's bytes to the elements of its data set: structure alone, no meaning.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};

use crate::cursor::{Cursor, Encoding, Halt, ITEM, malformed};
use crate::defect::DefectSet;
use crate::meta::{self, Start};
use crate::nesting::skip_value;
use crate::{Defect, Refusal, Refused};

/// How far a file is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// To the end of the file.
    Whole,
    /// To the head of Pixel Data.
    ShortOfPixels,
}

/// A top-level element and where its value lies in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    /// `None` in implicit VR.
    pub(crate) vr: Option<VR>,
    /// Empty for a sequence.
    pub(crate) value: &'a [u8],
}

/// Pixel Data: where its bytes lie in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PixelData {
    pub(crate) vr: Option<VR>,
    pub(crate) start: usize,
    pub(crate) length: usize,
}

/// The top-level elements of a file.
#[derive(Debug)]
pub(crate) struct DataSet<'a> {
    /// Those of the groups that say something about a CT slice, in ascending order of their tags.
    elements: Vec<Element<'a>>,
    pub(crate) transfer_syntax: String,
    pub(crate) pixel_data: Option<PixelData>,
    pub(crate) defects: DefectSet,
}

impl<'a> DataSet<'a> {
    /// The element with this tag.
    pub(crate) fn get(&self, tag: Tag) -> Option<Element<'a>> {
        let found = self
            .elements
            .binary_search_by_key(&tag, |element| element.tag);
        found.ok().and_then(|at| self.elements.get(at)).copied()
    }
}

/// Scans a file of `total` bytes of which `bytes` are the first.
pub(crate) fn scan(bytes: &[u8], total: usize, extent: Extent) -> Result<DataSet<'_>, Halt> {
    let mut cursor = Cursor::new(bytes, total);
    let mut defects = DefectSet::default();
    let Start {
        transfer_syntax,
        encoding,
    } = meta::start(&mut cursor, &mut defects)?;
    let mut set = DataSet {
        elements: Vec::with_capacity(64),
        transfer_syntax,
        pixel_data: None,
        defects,
    };
    let mut last = None;
    while let Some(tag) = cursor.peek_tag()? {
        check_order(last, tag)?;
        last = Some(tag);
        let head = cursor.element_head(encoding)?;
        if tag == tags::PIXEL_DATA {
            let Some(length) = head.length else {
                return Err(malformed(
                    "Pixel Data is encapsulated and the transfer syntax is uncompressed",
                )
                .into());
            };
            let start = cursor.position();
            cursor.skip(length, "Pixel Data")?;
            set.pixel_data = Some(PixelData {
                vr: head.vr,
                start,
                length,
            });
            if extent == Extent::Whole {
                skip_rest(&mut cursor, encoding, &mut set.defects)?;
            }
            break;
        }
        let start = cursor.clone();
        skip_value(&mut cursor, head, encoding, &mut set.defects)?;
        if tells_of_a_slice(tag) {
            let is_plain = head.vr != Some(VR::SQ) && head.length.is_some();
            let length = if is_plain {
                cursor.position() - start.position()
            } else {
                0
            };
            set.elements.push(Element {
                tag,
                vr: head.vr,
                value: start.peek(length, "a value")?,
            });
        }
    }
    Ok(set)
}

fn check_order(last: Option<Tag>, tag: Tag) -> Result<(), Refused> {
    match last {
        _ if tag.group() == ITEM.group() => {
            Err(malformed(format!("{tag} is outside any sequence")))
        }
        Some(last) if last == tag => Err(malformed(format!("element {tag} occurs twice"))),
        Some(last) if last > tag => Err(malformed(format!("element {tag} comes after {last}"))),
        _ => Ok(()),
    }
}

/// What follows Pixel Data is either elements or not part of the data set at all.
fn skip_rest(
    cursor: &mut Cursor<'_>,
    encoding: Encoding,
    defects: &mut DefectSet,
) -> Result<(), Halt> {
    let mut last = tags::PIXEL_DATA;
    while !cursor.is_at_end() {
        let mut ahead = cursor.clone();
        match ahead.element_head(encoding) {
            Ok(head) if check_order(Some(last), head.tag).is_ok() => {
                skip_value(&mut ahead, head, encoding, defects)?;
                last = head.tag;
                *cursor = ahead;
            }
            Err(Halt::NeedsBytes(count)) => return Err(Halt::NeedsBytes(count)),
            Ok(_) | Err(Halt::Refused(_)) => {
                defects.add(Defect::TrailingBytes);
                break;
            }
        }
    }
    Ok(())
}

/// The groups whose elements are kept: identity, patient, acquisition, geometry, image, overlays.
fn tells_of_a_slice(tag: Tag) -> bool {
    let overlays = tags::OVERLAY_DATA.inner().group();
    matches!(
        tag.group(),
        group if [
            tags::MODALITY, tags::PATIENT_ID, tags::KVP, tags::IMAGE_POSITION_PATIENT, tags::ROWS,
        ].iter().any(|kept| kept.group() == group)
            || (group & 0xFF00 == overlays && group % 2 == 0)
    )
}

/// The encoding of the data set under a transfer syntax.
pub(crate) fn encoding_of(transfer_syntax: &str) -> Result<Encoding, Refused> {
    match transfer_syntax {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Ok(Encoding::ImplicitVr),
        uids::EXPLICIT_VR_LITTLE_ENDIAN => Ok(Encoding::ExplicitVr),
        other => Err(Refused::new(
            Refusal::UnsupportedTransferSyntax,
            format!("Transfer Syntax UID is {}", other.escape_default()),
        )),
    }
}
