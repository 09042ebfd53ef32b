//! A shard: a table of where its slices are, and the slices.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

use crate::records::read_exact_at;

/// Index rows of a shard: few enough to be made again quickly, many enough for a million slices in some thousand files.
pub const SHARD: usize = 128;

const MAGIC: [u8; 8] = *b"falxHU2\n";
/// Offset, length, checksum of the slice, checksum of these.
const ENTRY: usize = 8 + 4 + 16 + 4;
const TABLE: usize = MAGIC.len() + SHARD * ENTRY;
/// No packed slice is longer: a table's length is believed up to here.
const LONGEST: u32 = 1 << 29;

/// Where a slice is in its shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    offset: u64,
    /// 0 where there is no slice.
    length: u32,
    checksum: [u8; 16],
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        let (said, check) = bytes.split_at_mut(ENTRY - 4);
        let fields = self.offset.to_le_bytes().into_iter();
        let fields = fields.chain(self.length.to_le_bytes()).chain(self.checksum);
        for (place, byte) in said.iter_mut().zip(fields) {
            *place = byte;
        }
        check.copy_from_slice(&checksum::<4>(said));
        bytes
    }

    /// `None` where a bit has changed.
    fn from_bytes(bytes: &[u8; ENTRY]) -> Option<Self> {
        let (said, check) = bytes.split_at(ENTRY - 4);
        let (offset, rest) = said.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let entry = Self {
            offset: u64::from_le_bytes(*offset),
            length: u32::from_le_bytes(*length),
            checksum: *rest.first_chunk()?,
        };
        (check == checksum::<4>(said) && entry.length <= LONGEST).then_some(entry)
    }
}

fn checksum<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut sum = [0; N];
    blake3::Hasher::new()
        .update(bytes)
        .finalize_xof()
        .fill(&mut sum);
    sum
}

/// Writes a shard of the slices at its places; it appears whole or not at all.
pub(super) fn write(path: &Path, slices: &[Option<Vec<u8>>]) -> io::Result<()> {
    let mut file = AtomicWriteFile::open(path)?;
    file.write_all(&MAGIC)?;
    let mut offset = TABLE as u64;
    let padded = slices.iter().chain(std::iter::repeat(&None)).take(SHARD);
    for slice in padded {
        let mut entry = Entry::default();
        if let Some(bytes) = slice {
            entry = Entry {
                offset,
                length: u32::try_from(bytes.len()).map_err(io::Error::other)?,
                checksum: checksum(bytes),
            };
            offset += bytes.len() as u64;
        }
        file.write_all(&entry.to_bytes())?;
    }
    for bytes in slices.iter().flatten() {
        file.write_all(bytes)?;
    }
    file.commit()
}

/// Bytes of which any part can be read.
pub(super) trait ReadAt {
    /// Fills `bytes` from `offset` on.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        read_exact_at(self, bytes, offset)
    }
}

impl ReadAt for &[u8] {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).ok();
        let rest = start.and_then(|start| self.get(start..));
        let place = rest.and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(place.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// An opened shard.
#[derive(Debug)]
pub(super) struct Shard<S = File>(S);

/// What is at a place of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The slice, whose bytes were read.
    Slice,
    /// No slice: its file could not be read when the cache was made.
    Empty,
    /// A bit has changed, or the shard is cut.
    Damaged,
}

impl Shard {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }
}

impl<'a> Shard<&'a [u8]> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<S: ReadAt> Shard<S> {
    /// Reads the slice at `place` into `bytes`.
    pub(super) fn read(&self, place: usize, bytes: &mut Vec<u8>) -> io::Result<Slot> {
        let cut = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(Slot::Damaged),
            _ => Err(error),
        };
        let mut entry = [0; ENTRY];
        let at = (MAGIC.len() + place * ENTRY) as u64;
        if let Err(error) = self.0.read_at(&mut entry, at) {
            return cut(error);
        }
        let Some(entry) = Entry::from_bytes(&entry) else {
            return Ok(Slot::Damaged);
        };
        if entry.length == 0 {
            return Ok(Slot::Empty);
        }
        bytes.resize(entry.length as usize, 0);
        if let Err(error) = self.0.read_at(bytes, entry.offset) {
            return cut(error);
        }
        let is_whole = checksum::<16>(bytes) == entry.checksum;
        Ok(if is_whole { Slot::Slice } else { Slot::Damaged })
    }

    /// True where there is something at `place`.
    pub(super) fn has(&self, place: usize) -> io::Result<bool> {
        let mut entry = [0; ENTRY];
        let at = (MAGIC.len() + place * ENTRY) as u64;
        self.0.read_at(&mut entry, at)?;
        Ok(Entry::from_bytes(&entry).is_none_or(|entry| entry.length > 0))
    }

    /// True where every slice is as it was written.
    pub(super) fn is_whole(&self) -> io::Result<bool> {
        let mut magic = [0; MAGIC.len()];
        match self.0.read_at(&mut magic, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        let mut bytes = Vec::new();
        for place in 0..SHARD {
            if self.read(place, &mut bytes)? == Slot::Damaged {
                return Ok(false);
            }
        }
        Ok(magic == MAGIC)
    }
}
