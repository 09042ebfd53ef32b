//! Moves past an element's value, through nested sequences, without recursion.

use dicom_core::VR;

use crate::cursor::{
    Cursor, ElementHead, Encoding, Halt, ITEM, ITEM_DELIMITATION, SEQUENCE_DELIMITATION, malformed,
};
use crate::defect::DefectSet;
use crate::{Defect, Refusal, Refused};

/// How deep sequences may nest. Scanners stay below ten; a file must be readable to 16.
const MAX_NESTING: usize = 64;

/// A sequence or an item that is being read.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// A sequence holds items, an item holds elements.
    is_sequence: bool,
    /// Where it ends, if its length says so rather than a delimiter.
    end: Option<usize>,
    encoding: Encoding,
}

/// Moves past the value of the element whose head was just read.
pub(crate) fn skip_value(
    cursor: &mut Cursor<'_>,
    head: ElementHead,
    encoding: Encoding,
    defects: &mut DefectSet,
) -> Result<(), Halt> {
    let Some(first) = open_value(cursor, head, encoding, defects)? else {
        return Ok(());
    };
    let mut open = vec![first];
    while let Some(&level) = open.last() {
        if level.end.is_some_and(|end| cursor.position() >= end) {
            if level.end != Some(cursor.position()) {
                return Err(malformed(format!(
                    "an element inside {} reaches beyond the end of its sequence",
                    head.tag
                ))
                .into());
            }
            open.pop();
            continue;
        }
        let head = cursor.element_head(level.encoding)?;
        let closing = if level.is_sequence {
            SEQUENCE_DELIMITATION
        } else {
            ITEM_DELIMITATION
        };
        if head.tag == closing && level.end.is_none() {
            open.pop();
            continue;
        }
        let inner = if !level.is_sequence && head.tag.group() != ITEM.group() {
            open_value(cursor, head, level.encoding, defects)?
        } else if level.is_sequence && head.tag == ITEM {
            Some(Level {
                is_sequence: false,
                end: end_of(cursor, head)?,
                encoding: level.encoding,
            })
        } else {
            let place = if level.is_sequence {
                "a sequence"
            } else {
                "an item"
            };
            return Err(malformed(format!("{} is out of place inside {place}", head.tag)).into());
        };
        if let Some(inner) = inner {
            if open.len() >= 2 * MAX_NESTING {
                return Err(Refused::new(
                    Refusal::NestingTooDeep,
                    format!("sequences nest deeper than {MAX_NESTING}"),
                )
                .into());
            }
            open.push(inner);
        }
    }
    Ok(())
}

/// Skips a plain value, or gives the sequence that the value is.
fn open_value(
    cursor: &mut Cursor<'_>,
    head: ElementHead,
    encoding: Encoding,
    defects: &mut DefectSet,
) -> Result<Option<Level>, Halt> {
    if head.length.is_some_and(|length| length % 2 == 1) {
        defects.add(Defect::OddLengthElement);
    }
    let encoding = match (head.vr, head.length) {
        (Some(VR::SQ), _) => encoding,
        // Items of an unknown VR of undefined length are implicit VR whatever surrounds them (PS3.5 6.2.2, note).
        (None | Some(VR::UN), None) => Encoding::ImplicitVr,
        (_, Some(length)) => {
            cursor.skip(length, "a value")?;
            return Ok(None);
        }
        (Some(vr), None) => {
            return Err(malformed(format!(
                "element {} of VR {} has undefined length",
                head.tag,
                vr.to_string()
            ))
            .into());
        }
    };
    Ok(Some(Level {
        is_sequence: true,
        end: end_of(cursor, head)?,
        encoding,
    }))
}

/// Where a sequence or item of defined length ends; it must end inside the file.
fn end_of(cursor: &Cursor<'_>, head: ElementHead) -> Result<Option<usize>, Halt> {
    let Some(length) = head.length else {
        return Ok(None);
    };
    let mut ahead = cursor.clone();
    ahead.skip(length, "a sequence or item")?;
    Ok(Some(ahead.position()))
}
