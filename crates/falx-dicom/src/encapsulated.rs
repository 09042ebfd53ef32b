//! Encapsulated Pixel Data: its fragments, its offset tables, and which fragments make which frame.
//!
//! # Source
//! DICOM PS3.5 A.4.

use std::ops::Range;

use dicom_dictionary_std::tags;

use crate::codec::Codec;
use crate::cursor::{Cursor, Encoding, Halt, ITEM, SEQUENCE_DELIMITATION, malformed};
use crate::dataset::DataSet;
use crate::defect::DefectSet;
use crate::{Defect, Refusal, Refused};

/// Where the items of encapsulated Pixel Data lie in the data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fragments {
    /// The first item: 32-bit offsets of the frames, or nothing.
    offset_table: Range<usize>,
    /// The bytes of the other items.
    fragments: Vec<Range<usize>>,
}

/// Reads the items up to the delimiter, or to the end of a file that ends cleanly after one.
pub(crate) fn fragments(
    cursor: &mut Cursor<'_>,
    defects: &mut DefectSet,
) -> Result<Fragments, Halt> {
    let mut items = Vec::new();
    while !cursor.is_at_end() {
        // Compressed files are explicit VR little endian.
        let head = cursor.element_head(Encoding::ExplicitVr)?;
        match (head.tag, head.length) {
            (ITEM, Some(length)) => {
                let start = cursor.position();
                cursor.skip(length, "a fragment of Pixel Data")?;
                items.push(start..start + length);
            }
            (SEQUENCE_DELIMITATION, _) => return divide(items),
            (tag, _) => {
                let detail = format!("{tag} is out of place among the fragments of Pixel Data");
                return Err(malformed(detail).into());
            }
        }
    }
    defects.add(Defect::MissingSequenceDelimiter);
    divide(items)
}

fn divide(items: Vec<Range<usize>>) -> Result<Fragments, Halt> {
    let mut items = items.into_iter();
    let Some(offset_table) = items.next() else {
        return Err(malformed("encapsulated Pixel Data has no basic offset table").into());
    };
    Ok(Fragments {
        offset_table,
        fragments: items.collect(),
    })
}

impl Fragments {
    /// Which fragments, by number, make each of the `frames` frames.
    ///
    /// An offset table that cannot be true is named and set aside. Without one, a single frame takes all fragments, as
    /// many frames as there are fragments take one each, and otherwise a frame begins where a codestream does.
    pub(crate) fn of_frames(
        &self,
        bytes: &[u8],
        set: &mut DataSet<'_>,
        codec: Codec,
        frames: usize,
    ) -> Result<Vec<Range<usize>>, Refused> {
        let count = self.fragments.len();
        let inconsistent = || {
            let detail =
                format!("{frames} frames are declared and Pixel Data has {count} fragments");
            Refused::new(Refusal::InconsistentPixelGeometry, detail)
        };
        if count < frames || (codec == Codec::Rle && count != frames) {
            return Err(inconsistent());
        }
        let by_table = match self.offset_table(bytes, set) {
            OffsetTable::Absent => None,
            table => {
                let by_table = self.by_offsets(&table, frames);
                if by_table.is_none() {
                    set.defects.add(Defect::BadOffsetTable);
                }
                by_table
            }
        };
        if let Some(by_table) = by_table {
            return Ok(by_table);
        }
        if frames == 1 {
            return Ok(std::iter::once(0..count).collect());
        }
        if count == frames {
            return Ok((0..count).map(|at| at..at + 1).collect());
        }
        self.by_codestream(bytes, frames).ok_or_else(inconsistent)
    }

    /// The bytes of these fragments, one after the other.
    pub(crate) fn bytes<'a>(
        &self,
        bytes: &'a [u8],
        range: Range<usize>,
    ) -> impl Iterator<Item = &'a [u8]> {
        let fragments = self.fragments.get(range).unwrap_or_default();
        fragments
            .iter()
            .map(|fragment| bytes.get(fragment.clone()).unwrap_or_default())
    }

    /// The basic offset table, or else the extended one.
    fn offset_table(&self, bytes: &[u8], set: &DataSet<'_>) -> OffsetTable {
        let basic = bytes.get(self.offset_table.clone()).unwrap_or_default();
        if !basic.is_empty() {
            let (offsets, rest) = basic.as_chunks();
            return if rest.is_empty() {
                let offsets = offsets
                    .iter()
                    .map(|&four| u64::from(u32::from_le_bytes(four)));
                OffsetTable::Offsets(offsets.collect())
            } else {
                OffsetTable::Unusable
            };
        }
        match set.get(tags::EXTENDED_OFFSET_TABLE) {
            None => OffsetTable::Absent,
            Some(element) => match element.value.as_chunks() {
                ([], []) => OffsetTable::Absent,
                (offsets, []) => {
                    OffsetTable::Offsets(offsets.iter().copied().map(u64::from_le_bytes).collect())
                }
                _ => OffsetTable::Unusable,
            },
        }
    }

    /// The frames that begin at these offsets, if each is the beginning of a fragment and the first is 0.
    fn by_offsets(&self, table: &OffsetTable, frames: usize) -> Option<Vec<Range<usize>>> {
        let OffsetTable::Offsets(offsets) = table else {
            return None;
        };
        if offsets.len() != frames || offsets.first() != Some(&0) {
            return None;
        }
        // Offsets count from the head of the first fragment to the head of a frame's first.
        let base = self.fragments.first()?.start;
        let starts = offsets.iter().map(|&offset| {
            let start = base.checked_add(usize::try_from(offset).ok()?)?;
            self.fragments
                .binary_search_by_key(&start, |fragment| fragment.start)
                .ok()
        });
        self.between(&starts.collect::<Option<Vec<_>>>()?)
    }

    /// The frames that begin wherever a fragment begins a codestream or a file around one.
    fn by_codestream(&self, bytes: &[u8], frames: usize) -> Option<Vec<Range<usize>>> {
        const BEGINNINGS: [&[u8]; 3] = [
            &[0xFF, 0xD8],             // JPEG, JPEG-LS: SOI
            &[0xFF, 0x4F, 0xFF, 0x51], // JPEG 2000: SOC, SIZ
            b"\0\0\0\x0CjP",           // JP2
        ];
        let starts: Vec<usize> = self
            .bytes(bytes, 0..self.fragments.len())
            .enumerate()
            .filter(|(_, fragment)| BEGINNINGS.iter().any(|mark| fragment.starts_with(mark)))
            .map(|(at, _)| at)
            .collect();
        (starts.len() == frames && starts.first() == Some(&0))
            .then(|| self.between(&starts))
            .flatten()
    }

    /// From each start to the next; `None` where the starts do not ascend.
    fn between(&self, starts: &[usize]) -> Option<Vec<Range<usize>>> {
        let ends = starts.iter().skip(1).copied().chain([self.fragments.len()]);
        starts
            .iter()
            .zip(ends)
            .map(|(&start, end)| (start < end).then_some(start..end))
            .collect()
    }
}

/// What a file says about where its frames begin.
enum OffsetTable {
    Absent,
    /// Of a length that no table has.
    Unusable,
    Offsets(Vec<u64>),
}
