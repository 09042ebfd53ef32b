//! The start of a file: preamble, file meta group, and how the data set after them is encoded.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};

use crate::cursor::{Cursor, Encoding, Halt, malformed};
use crate::defect::DefectSet;
use crate::text::trim;
use crate::transfer_syntax::TransferSyntax;
use crate::{Defect, Refusal, Refused};

const PREAMBLE: usize = 128;
const MARK: &[u8] = b"DICM";

/// What the start of a file says about the rest.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// Transfer Syntax UID; for a bare data set the one its encoding amounts to.
    pub(crate) uid: String,
    pub(crate) syntax: TransferSyntax,
    pub(crate) defects: DefectSet,
}

/// Moves to the first byte after the file meta group: the first element of the data set, unless that is deflated.
pub(crate) fn start(cursor: &mut Cursor<'_>) -> Result<Start, Halt> {
    let mut defects = DefectSet::default();
    let has_mark = has_mark(cursor)?;
    if has_mark {
        cursor.skip(PREAMBLE + MARK.len(), "the preamble")?;
    } else {
        skip_stray_pad(cursor)?;
    }
    let Some(first) = first_element(cursor, has_mark)? else {
        let detail = "the file has no DICM mark at byte 128 and starts with no element";
        return Err(Refused::new(Refusal::NotDicom, detail).into());
    };
    if is_meta(first.tag) {
        if !has_mark {
            defects.add(Defect::MissingPreamble);
        }
        let uid = meta_group(cursor, &mut defects)?;
        let syntax = TransferSyntax::of(&uid)?;
        return Ok(Start {
            uid,
            syntax,
            defects,
        });
    }
    defects.add(Defect::MissingMeta);
    let uid = if first.is_explicit {
        uids::EXPLICIT_VR_LITTLE_ENDIAN
    } else {
        uids::IMPLICIT_VR_LITTLE_ENDIAN
    };
    Ok(Start {
        uid: uid.to_owned(),
        syntax: TransferSyntax::of(uid)?,
        defects,
    })
}

fn has_mark(cursor: &Cursor<'_>) -> Result<bool, Halt> {
    let head = PREAMBLE + MARK.len();
    if cursor.remaining() < head {
        return Ok(false);
    }
    Ok(cursor.peek(head, "the preamble")?.ends_with(MARK))
}

/// Where a file meta group was cut off badly, its last pad byte still stands before the data set.
fn skip_stray_pad(cursor: &mut Cursor<'_>) -> Result<(), Halt> {
    if cursor.remaining() < 9 {
        return Ok(());
    }
    let mut ahead = cursor.clone();
    let [pad]: [u8; 1] = ahead.take("a pad byte")?;
    let first = first_element(&ahead, false)?;
    if matches!(pad, 0 | b' ') && first.is_some_and(|f| f.is_explicit) {
        *cursor = ahead;
    }
    Ok(())
}

struct First {
    tag: Tag,
    is_explicit: bool,
}

/// The first element after the preamble, if the bytes there look like one that can come first.
fn first_element(cursor: &Cursor<'_>, has_mark: bool) -> Result<Option<First>, Halt> {
    if !has_mark && cursor.remaining() < 8 {
        return Ok(None);
    }
    let &[a, b, c, d, e, f, g, h] = cursor.peek(8, "the first element")? else {
        return Ok(None);
    };
    let tag = Encoding::ExplicitVr.tag([a, b, c, d]);
    let can_be_first = is_meta(tag) || tag.group() == tags::MODALITY.group();
    let is_explicit = VR::from_binary([e, f]).is_some();
    let implicit_length = u32::from_le_bytes([e, f, g, h]) as usize;
    let fits = is_explicit || implicit_length <= cursor.remaining();
    if can_be_first && (fits || has_mark) {
        return Ok(Some(First { tag, is_explicit }));
    }
    if has_mark {
        return Err(malformed("no element follows the DICM mark").into());
    }
    Ok(None)
}

fn is_meta(tag: Tag) -> bool {
    tag.group() == tags::TRANSFER_SYNTAX_UID.group()
}

/// Reads the file meta group, which is explicit VR little endian in every file, and gives its transfer syntax.
fn meta_group(cursor: &mut Cursor<'_>, defects: &mut DefectSet) -> Result<String, Halt> {
    let mut stated_end = None;
    let mut transfer_syntax = None;
    let mut last: Option<Tag> = None;
    while let Some(tag) = cursor
        .peek_tag(Encoding::ExplicitVr)?
        .filter(|&tag| is_meta(tag))
    {
        if last.is_some_and(|last| last >= tag) {
            return Err(malformed(format!(
                "element {tag} of the file meta group is out of order"
            ))
            .into());
        }
        last = Some(tag);
        let head = cursor.element_head(Encoding::ExplicitVr)?;
        let Some(length) = head.length else {
            return Err(malformed(format!("element {tag} has undefined length")).into());
        };
        let value = cursor.peek(length, "a value of the file meta group")?;
        cursor.skip(length, "a value")?;
        if tag == tags::FILE_META_INFORMATION_GROUP_LENGTH {
            stated_end = <[u8; 4]>::try_from(value).ok().and_then(|bytes| {
                cursor
                    .position()
                    .checked_add(u32::from_le_bytes(bytes) as usize)
            });
        } else if tag == tags::TRANSFER_SYNTAX_UID {
            let uid: String = trim(value).iter().copied().map(char::from).collect();
            transfer_syntax = Some(uid).filter(|uid| !uid.is_empty());
        }
    }
    if stated_end != Some(cursor.position()) {
        defects.add(Defect::MetaGroupLengthWrong);
    }
    transfer_syntax.ok_or_else(|| {
        let detail = "the file meta group has no Transfer Syntax UID";
        Refused::new(Refusal::MissingAttribute, detail).into()
    })
}
