//! A place in a file of which perhaps only the beginning has been read.

use dicom_core::{Tag, VR};

use crate::{Refusal, Refused};

/// Why a scan stopped before its end.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The file is refused.
    Refused(Refused),
    /// The file is longer than what was read of it, and this many of its bytes are needed to go on.
    NeedsBytes(usize),
}

impl Halt {
    /// The refusal of bytes that are a whole file, where needing more of them means that their end is missing.
    pub(crate) fn into_refused(self) -> Refused {
        match self {
            Self::Refused(refused) => refused,
            Self::NeedsBytes(_) => {
                Refused::new(Refusal::Truncated, "the file ends inside its elements")
            }
        }
    }
}

impl From<Refused> for Halt {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// How elements are written down (PS3.5 7.1 and Annex A); little endian where the name does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    ImplicitVr,
    ExplicitVr,
    ExplicitVrBigEndian,
}

impl Encoding {
    pub(crate) const fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::ImplicitVr | Self::ExplicitVr => u16::from_le_bytes(bytes),
            Self::ExplicitVrBigEndian => u16::from_be_bytes(bytes),
        }
    }

    pub(crate) const fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::ImplicitVr | Self::ExplicitVr => u32::from_le_bytes(bytes),
            Self::ExplicitVrBigEndian => u32::from_be_bytes(bytes),
        }
    }

    pub(crate) const fn tag(self, [a, b, c, d]: [u8; 4]) -> Tag {
        Tag(self.u16([a, b]), self.u16([c, d]))
    }
}

/// A position in the first bytes of a file of `total` bytes.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    total: usize,
    position: usize,
}

impl<'a> Cursor<'a> {
    /// The start of a file that begins with `bytes` and is `total` bytes long.
    pub(crate) fn new(bytes: &'a [u8], total: usize) -> Self {
        Self {
            bytes,
            total: total.max(bytes.len()),
            position: 0,
        }
    }

    pub(crate) const fn position(&self) -> usize {
        self.position
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.position >= self.total
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.total - self.position
    }

    /// The next `count` bytes without moving.
    pub(crate) fn peek(&self, count: usize, what: &str) -> Result<&'a [u8], Halt> {
        if count > self.remaining() {
            return Err(self.truncated(count, what).into());
        }
        let end = self.position + count;
        self.bytes
            .get(self.position..end)
            .ok_or(Halt::NeedsBytes(end))
    }

    /// The next `N` bytes.
    pub(crate) fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Halt> {
        let bytes = self.peek(N, what)?;
        self.position += N;
        <[u8; N]>::try_from(bytes).map_err(|_| Halt::NeedsBytes(self.position))
    }

    /// Moves on by `count` bytes that need not have been read yet.
    pub(crate) fn skip(&mut self, count: usize, what: &str) -> Result<(), Halt> {
        if count > self.remaining() {
            return Err(self.truncated(count, what).into());
        }
        self.position += count;
        Ok(())
    }

    /// The next tag without moving, or `None` at the end of the file.
    pub(crate) fn peek_tag(&self, encoding: Encoding) -> Result<Option<Tag>, Halt> {
        if self.is_at_end() {
            return Ok(None);
        }
        Ok(Some(encoding.tag(self.clone().take("a tag")?)))
    }

    /// Reads the head of an element: its tag, its VR where one is written, and its length.
    pub(crate) fn element_head(&mut self, encoding: Encoding) -> Result<ElementHead, Halt> {
        let tag = encoding.tag(self.take("a tag")?);
        let (vr, length) = if encoding == Encoding::ImplicitVr || tag.group() == ITEM.group() {
            (None, encoding.u32(self.take("a length")?))
        } else {
            let code = self.take("a VR")?;
            let vr = VR::from_binary(code).ok_or_else(|| {
                let found = code.escape_ascii();
                malformed(format!("element {tag} has `{found}` for a VR"))
            })?;
            let length = if has_long_length(vr) {
                let _reserved: [u8; 2] = self.take("a length")?;
                encoding.u32(self.take("a length")?)
            } else {
                u32::from(encoding.u16(self.take("a length")?))
            };
            (Some(vr), length)
        };
        let length = (length != u32::MAX).then_some(length as usize);
        Ok(ElementHead { tag, vr, length })
    }

    fn truncated(&self, count: usize, what: &str) -> Refused {
        let (at, left) = (self.position, self.remaining());
        Refused::new(
            Refusal::Truncated,
            format!("{what} at byte {at} needs {count} bytes and {left} are left"),
        )
    }
}

/// The head of an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ElementHead {
    pub(crate) tag: Tag,
    /// `None` in implicit VR, and for items and delimiters.
    pub(crate) vr: Option<VR>,
    /// `None` where the length is undefined.
    pub(crate) length: Option<usize>,
}

/// Begins an item of a sequence (PS3.5 7.5); the dictionary has no name for the three structural tags.
pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
/// Ends an item of undefined length.
pub(crate) const ITEM_DELIMITATION: Tag = Tag(0xFFFE, 0xE00D);
/// Ends a sequence of undefined length.
pub(crate) const SEQUENCE_DELIMITATION: Tag = Tag(0xFFFE, 0xE0DD);

pub(crate) fn malformed(detail: impl Into<String>) -> Refused {
    Refused::new(Refusal::MalformedStructure, detail)
}

/// The VRs that are written with two reserved bytes and a 32-bit length (PS3.5 7.1.2).
const fn has_long_length(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}
