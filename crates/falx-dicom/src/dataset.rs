//! From a file's bytes to the elements of its data set: structure alone, no meaning.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::cursor::{
    Cursor, Encoding, Halt, ITEM, ITEM_DELIMITATION, SEQUENCE_DELIMITATION, malformed,
};
use crate::defect::DefectSet;
use crate::encapsulated::{self, Fragments};
use crate::meta::Start;
use crate::nesting::skip_value;
use crate::transfer_syntax::TransferSyntax;
use crate::{Defect, Refusal, Refused};

/// How far a file is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// To the end of the file.
    Whole,
    /// To the head of Pixel Data.
    ShortOfPixels,
}

/// The most items of a sequence that are read; each takes more memory than the file.
const MAX_ITEMS: usize = 1 << 16;

/// An element and where its value lies in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    /// `None` in implicit VR.
    pub(crate) vr: Option<VR>,
    /// Empty for a sequence.
    pub(crate) value: &'a [u8],
    /// The items of a sequence that something may depend on.
    items: Option<Items<'a>>,
}

/// The undivided items of a sequence.
#[derive(Clone, Copy, Debug)]
struct Items<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

/// Elements in ascending order of their tags: a file's, or those of an item.
#[derive(Debug)]
pub(crate) struct DataSet<'a> {
    elements: Vec<Element<'a>>,
    pub(crate) encoding: Encoding,
    pub(crate) defects: DefectSet,
}

/// Pixel Data: where its bytes lie in the data set.
#[derive(Clone, Debug)]
pub(crate) struct PixelData {
    pub(crate) vr: Option<VR>,
    pub(crate) start: usize,
    pub(crate) content: PixelContent,
}

/// What Pixel Data holds.
#[derive(Clone, Debug)]
pub(crate) enum PixelContent {
    /// Pixel cells of so many bytes.
    Native(usize),
    /// Compressed frames; without their places where only the header was scanned.
    Encapsulated(Option<Fragments>),
}

/// The top-level elements of a file that say something about a CT image, and its pixels.
#[derive(Debug)]
pub(crate) struct Scanned<'a> {
    pub(crate) set: DataSet<'a>,
    pub(crate) uid: String,
    pub(crate) syntax: TransferSyntax,
    pub(crate) pixel_data: Option<PixelData>,
}

impl<'a> DataSet<'a> {
    const fn new(encoding: Encoding, defects: DefectSet) -> Self {
        Self {
            elements: Vec::new(),
            encoding,
            defects,
        }
    }

    /// The element with this tag.
    pub(crate) fn get(&self, tag: Tag) -> Option<Element<'a>> {
        let found = self
            .elements
            .binary_search_by_key(&tag, |element| element.tag);
        found.ok().and_then(|at| self.elements.get(at)).copied()
    }

    /// The items of the sequence with this tag; none where it is absent, empty, or not kept.
    ///
    /// # Errors
    /// Where the items' structure contradicts itself, or the element is no sequence.
    pub(crate) fn items(&self, tag: Tag) -> Result<Vec<DataSet<'a>>, Refused> {
        let Some(Items { bytes, encoding }) = self.get(tag).and_then(|element| element.items)
        else {
            return Ok(Vec::new());
        };
        let mut cursor = Cursor::new(bytes, bytes.len());
        let mut items = Vec::new();
        while !cursor.is_at_end() {
            let head = whole(cursor.element_head(encoding))?;
            match head.tag {
                ITEM => {}
                SEQUENCE_DELIMITATION => break,
                other => return Err(malformed(format!("{other} is out of place in a sequence"))),
            }
            let end = match head.length {
                None => None,
                Some(length) if length <= cursor.remaining() => Some(cursor.position() + length),
                Some(_) => return Err(malformed("an item reaches beyond its sequence")),
            };
            if items.len() >= MAX_ITEMS {
                let detail = format!("a sequence has more than {MAX_ITEMS} items");
                return Err(Refused::new(Refusal::TooLarge, detail));
            }
            items.push(item(&mut cursor, encoding, end)?);
        }
        Ok(items)
    }

    /// Reads one element and keeps it where `keeps` says so.
    fn push(
        &mut self,
        cursor: &mut Cursor<'a>,
        keeps: impl Fn(Tag) -> bool,
        keeps_items: impl Fn(Tag) -> bool,
    ) -> Result<(), Halt> {
        let head = cursor.element_head(self.encoding)?;
        let start = cursor.clone();
        skip_value(cursor, head, self.encoding, &mut self.defects)?;
        if !keeps(head.tag) {
            return Ok(());
        }
        let length = cursor.position() - start.position();
        let is_sequence = head.vr == Some(VR::SQ) || head.length.is_none();
        let kept = if !is_sequence || keeps_items(head.tag) {
            start.peek(length, "a value")?
        } else {
            &[]
        };
        // Items of a sequence that is written as unknown are implicit VR (PS3.5 6.2.2, note).
        let encoding = match head.vr {
            Some(VR::UN) => Encoding::ImplicitVr,
            _ => self.encoding,
        };
        // In implicit VR a sequence of defined length looks like any other value.
        let may_hold_items = is_sequence || matches!(head.vr, None | Some(VR::UN));
        self.elements.push(Element {
            tag: head.tag,
            vr: head.vr,
            value: if is_sequence { &[] } else { kept },
            items: (may_hold_items && keeps_items(head.tag)).then_some(Items {
                bytes: kept,
                encoding,
            }),
        });
        Ok(())
    }
}

/// The elements of an item, which ends at `end` or with a delimiter.
fn item<'a>(
    cursor: &mut Cursor<'a>,
    encoding: Encoding,
    end: Option<usize>,
) -> Result<DataSet<'a>, Refused> {
    let mut set = DataSet::new(encoding, DefectSet::default());
    let mut last = None;
    while end.is_none_or(|end| cursor.position() < end) {
        let Some(tag) = whole(cursor.peek_tag(encoding))? else {
            return Err(malformed("an item does not end"));
        };
        if tag == ITEM_DELIMITATION && end.is_none() {
            whole(cursor.element_head(encoding))?;
            return Ok(set);
        }
        check_order(last, tag)?;
        last = Some(tag);
        whole(set.push(cursor, |_| true, |_| true))?;
    }
    if end.is_some_and(|end| cursor.position() > end) {
        return Err(malformed("an element reaches beyond the end of its item"));
    }
    Ok(set)
}

/// The result of reading bytes that are all there.
fn whole<T>(result: Result<T, Halt>) -> Result<T, Refused> {
    result.map_err(Halt::into_refused)
}

/// Scans the data set that begins at `cursor`.
pub(crate) fn scan(
    mut cursor: Cursor<'_>,
    start: Start,
    extent: Extent,
) -> Result<Scanned<'_>, Halt> {
    let encoding = start.syntax.encoding;
    let mut scanned = Scanned {
        set: DataSet::new(encoding, start.defects),
        uid: start.uid,
        syntax: start.syntax,
        pixel_data: None,
    };
    scanned.set.elements.reserve(64);
    let mut last = None;
    while let Some(tag) = cursor.peek_tag(encoding)? {
        check_order(last, tag)?;
        last = Some(tag);
        if tag == tags::PIXEL_DATA {
            let is_encapsulated = scanned.syntax.codec.is_some();
            let pixel_data = pixel_data(
                &mut cursor,
                encoding,
                is_encapsulated,
                extent,
                &mut scanned.set.defects,
            )?;
            scanned.pixel_data = Some(pixel_data);
            if extent == Extent::Whole {
                skip_rest(&mut cursor, encoding, &mut scanned.set.defects)?;
            }
            break;
        }
        scanned
            .set
            .push(&mut cursor, tells_of_an_image, decides_by_its_items)?;
    }
    Ok(scanned)
}

/// Reads the head of Pixel Data and moves past its value, as far as `extent` asks for.
fn pixel_data(
    cursor: &mut Cursor<'_>,
    encoding: Encoding,
    is_encapsulated: bool,
    extent: Extent,
    defects: &mut DefectSet,
) -> Result<PixelData, Halt> {
    let head = cursor.element_head(encoding)?;
    let start = cursor.position();
    let content = match (head.length, is_encapsulated) {
        (Some(length), false) => {
            cursor.skip(length, "Pixel Data")?;
            PixelContent::Native(length)
        }
        (None, true) if extent == Extent::Whole => {
            PixelContent::Encapsulated(Some(encapsulated::fragments(cursor, defects)?))
        }
        (None, true) => PixelContent::Encapsulated(None),
        (None, false) => {
            let detail = "Pixel Data is encapsulated and the transfer syntax is uncompressed";
            return Err(malformed(detail).into());
        }
        (Some(_), true) => {
            let detail = "Pixel Data is not encapsulated and the transfer syntax is compressed";
            return Err(malformed(detail).into());
        }
    };
    Ok(PixelData {
        vr: head.vr,
        start,
        content,
    })
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

/// The groups whose elements are kept: identity, patient, acquisition, geometry, image, frames, offsets, overlays.
fn tells_of_an_image(tag: Tag) -> bool {
    let overlays = tags::OVERLAY_DATA.inner().group();
    [
        tags::MODALITY,
        tags::PATIENT_ID,
        tags::KVP,
        tags::IMAGE_POSITION_PATIENT,
        tags::ROWS,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::EXTENDED_OFFSET_TABLE,
    ]
    .iter()
    .any(|kept| kept.group() == tag.group())
        || (tag.group() & 0xFF00 == overlays && tag.group().is_multiple_of(2))
}

/// The sequences whose items are read.
fn decides_by_its_items(tag: Tag) -> bool {
    [
        tags::VOILUT_SEQUENCE,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    ]
    .contains(&tag)
}

pub(crate) fn ends_early() -> Refused {
    Refused::new(Refusal::Truncated, "the file ends inside its elements")
}
