//! What has been read so far, on the disk: an interrupted index goes on from here, and an update knows what changed.
//!
//! A header line, then blocks of records: length, checksum, Zstandard. A block that was cut off by a crash, and what
//! follows it, is dropped; a last block says that all has been read.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::Unlisted;
use super::read::Fact;
use super::summary::SourceSummary;
use super::{IndexError, Part};

/// What one file gave, and which state of which file that was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// A hash over path, size, time of change, and how it was read.
    pub(super) identity: u64,
    /// Its slices; none for a file that is no DICOM.
    pub(super) facts: Vec<Fact>,
}

/// How the files were read; a journal made otherwise is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manner {
    /// falx's version.
    pub(super) version: String,
    /// Counts what changes the facts of a file between versions.
    pub(super) reader: u32,
    pub(super) headers_only: bool,
    pub(super) part: Option<Part>,
}

/// What is known when all has been read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) sources: Vec<SourceSummary>,
    pub(super) unlisted: Vec<Unlisted>,
}

/// One block.
#[derive(Serialize, Deserialize)]
enum Block {
    Records(Vec<Record>),
    End(Ending),
}

const MAGIC: &[u8] = b"falx journal 1\n";
/// Records of a block, at most.
const BLOCK: usize = 256;
/// Slices of a block, as long as one file has no more.
const MOST_SLICES: usize = 1 << 13;
/// The largest block that is believed.
const MAX_BLOCK: u32 = 1 << 30;
/// Blocks between two syncs.
const SYNC: u32 = 64;

/// The journal of an index.
pub(super) fn path_of(out: &Path) -> PathBuf {
    let mut name: OsString = out.file_name().unwrap_or_default().to_owned();
    name.push(".journal");
    out.with_file_name(name)
}

/// An open journal that is written to.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    waiting: Vec<Record>,
    /// Slices that wait: an archive's record may hold thousands.
    slices: usize,
    since_sync: u32,
    /// What was read before, by identity.
    pub(super) done: HashSet<u64>,
}

impl Journal {
    /// Goes on with the journal at `path`, or begins a new one.
    ///
    /// One that is complete is gone on with only where `update` asks for it.
    pub(super) fn open(path: &Path, manner: &Manner, update: bool) -> Result<Self, IndexError> {
        let io = |source| write_error(path, source);
        let mut done = HashSet::new();
        let mut good = None;
        let may_go_on = match Blocks::open(path) {
            Ok(mut blocks) if blocks.manner == *manner => {
                let mut is_complete = false;
                good = Some(blocks.at);
                while let Some(block) = blocks.next_block() {
                    match block {
                        // The last word is spoken anew.
                        Block::End(_) => is_complete = true,
                        Block::Records(records) => {
                            done.extend(records.iter().map(|record| record.identity));
                            good = Some(blocks.at);
                        }
                    }
                }
                update || !is_complete
            }
            _ => false,
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        if let Some(good) = good.filter(|_| may_go_on) {
            file.set_len(good).map_err(io)?;
            file.seek(SeekFrom::End(0)).map_err(io)?;
        } else {
            done.clear();
            file.set_len(0).map_err(io)?;
            let manner = serde_json::to_vec(manner).map_err(|error| io(error.into()))?;
            let length = (manner.len() as u32).to_le_bytes();
            file.write_all(&[MAGIC, &length, &manner].concat())
                .map_err(io)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            waiting: Vec::new(),
            slices: 0,
            since_sync: 0,
            done,
        })
    }

    /// Notes what a file gave.
    pub(super) fn add(&mut self, record: Record) -> Result<(), IndexError> {
        self.slices += record.facts.len();
        self.waiting.push(record);
        if self.waiting.len() >= BLOCK || self.slices >= MOST_SLICES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> Result<(), IndexError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let records = std::mem::take(&mut self.waiting);
        self.slices = 0;
        self.write(&Block::Records(records))?;
        self.since_sync += 1;
        if self.since_sync >= SYNC {
            self.sync()?;
        }
        Ok(())
    }

    /// Says that all has been read.
    pub(super) fn end(mut self, ending: Ending) -> Result<(), IndexError> {
        self.flush()?;
        self.write(&Block::End(ending))?;
        self.sync()
    }

    fn sync(&mut self) -> Result<(), IndexError> {
        self.since_sync = 0;
        self.file
            .sync_data()
            .map_err(|source| write_error(&self.path, source))
    }

    fn write(&mut self, block: &Block) -> Result<(), IndexError> {
        let io = |source| write_error(&self.path, source);
        let bytes = postcard::to_stdvec(block).map_err(|e| io(std::io::Error::other(e)))?;
        let packed = zstd::bulk::compress(&bytes, 1).map_err(io)?;
        let mut frame = Vec::with_capacity(packed.len() + 16);
        let lengths = [packed.len() as u32, bytes.len() as u32];
        frame.extend(lengths.map(u32::to_le_bytes).concat());
        frame.extend(checksum(lengths, &packed));
        frame.extend(packed);
        // In one call: what a crash leaves is a whole block or a cut one.
        self.file.write_all(&frame).map_err(io)
    }
}

fn checksum(lengths: [u32; 2], packed: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    for length in lengths {
        hasher.update(&length.to_le_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.update(packed).finalize().as_bytes()[..8]);
    first
}

fn write_error(path: &Path, source: std::io::Error) -> IndexError {
    IndexError::Journal {
        path: path.to_owned(),
        source,
    }
}

/// A journal that is read, block by block.
struct Blocks {
    file: BufReader<File>,
    manner: Manner,
    /// The end of the last whole block.
    at: u64,
}

impl Blocks {
    fn open(path: &Path) -> std::io::Result<Self> {
        let damaged = || std::io::Error::new(ErrorKind::InvalidData, "no journal of falx");
        let mut file = BufReader::with_capacity(1 << 17, File::open(path)?);
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic)?;
        let mut length = [0; 4];
        file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if magic != MAGIC || length > 1 << 16 {
            return Err(damaged());
        }
        let mut manner = vec![0; length as usize];
        file.read_exact(&mut manner)?;
        Ok(Self {
            file,
            manner: serde_json::from_slice(&manner).map_err(|_| damaged())?,
            at: MAGIC.len() as u64 + 4 + u64::from(length),
        })
    }

    /// The next whole block; `None` at the end, or where the rest was cut off or damaged.
    fn next_block(&mut self) -> Option<Block> {
        let mut head = [0; 16];
        self.file.read_exact(&mut head).ok()?;
        let number = |at: usize| {
            let four = head.get(at..at + 4)?;
            Some(u32::from_le_bytes(four.try_into().ok()?))
        };
        let (packed_len, len) = (number(0)?, number(4)?);
        if packed_len > MAX_BLOCK || len > MAX_BLOCK {
            return None;
        }
        let mut packed = Vec::new();
        (&mut self.file)
            .take(u64::from(packed_len))
            .read_to_end(&mut packed)
            .ok()?;
        if packed.len() != packed_len as usize || checksum([packed_len, len], &packed) != head[8..]
        {
            return None;
        }
        let bytes = zstd::bulk::decompress(&packed, len as usize).ok()?;
        let block = postcard::from_bytes(&bytes).ok()?;
        self.at += 16 + u64::from(packed_len);
        Some(block)
    }
}

/// Gives every record of a complete journal to `take`, and how it was made and ended.
pub(super) fn replay(
    path: &Path,
    mut take: impl FnMut(Record) -> Result<(), IndexError>,
) -> Result<(Manner, Ending), IndexError> {
    let unusable = |what: &str| IndexError::PartUnusable {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    let mut blocks = Blocks::open(path).map_err(|error| unusable(&error.to_string()))?;
    while let Some(block) = blocks.next_block() {
        match block {
            Block::Records(records) => {
                for record in records {
                    take(record)?;
                }
            }
            Block::End(ending) => return Ok((blocks.manner, ending)),
        }
    }
    Err(unusable("it ends before all has been read"))
}
