//! The list's file: heads of equal length, and bodies of any, in two files without names.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use falx_core::Window;

use super::SamplesError;

/// What is looked at without the body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Head {
    /// Where the body begins, and its length.
    pub(super) offset: u64,
    pub(super) length: u32,
    /// The row in the index.
    pub(super) row: u32,
    /// The number of the series.
    pub(super) series: u32,
    /// The position in mm; NaN where it is not known.
    pub(super) z: f32,
}

const HEAD: usize = 24;

impl Head {
    fn to_bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        let words = [self.length, self.row, self.series, self.z.to_bits()];
        for (place, word) in bytes[8..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: [u8; HEAD]) -> Self {
        let (first, words) = bytes.split_at(8);
        let mut offset = [0; 8];
        offset.copy_from_slice(first);
        let words = words.as_chunks::<4>().0;
        let word = |at: usize| words.get(at).map_or(0, |&bytes| u32::from_le_bytes(bytes));
        Self {
            offset: u64::from_le_bytes(offset),
            length: word(0),
            row: word(1),
            series: word(2),
            z: f32::from_bits(word(3)),
        }
    }
}

/// The two files while they are written.
pub(super) struct RowsWriter {
    heads: BufWriter<File>,
    bodies: BufWriter<File>,
    /// The length of the bodies so far.
    end: u64,
    count: usize,
    body: Vec<u8>,
}

impl RowsWriter {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            heads: BufWriter::new(tempfile::tempfile()?),
            bodies: BufWriter::new(tempfile::tempfile()?),
            end: 0,
            count: 0,
            body: Vec::new(),
        })
    }

    pub(super) fn push(
        &mut self,
        head: Head,
        path: &str,
        window: Option<Window>,
        image_id: &str,
    ) -> io::Result<()> {
        self.body.clear();
        let window: Option<[f32; 2]> = window.map(Into::into);
        self.body = postcard::to_extend(&(path, window, image_id), std::mem::take(&mut self.body))
            .map_err(io::Error::other)?;
        let head = Head {
            offset: self.end,
            length: u32::try_from(self.body.len()).map_err(io::Error::other)?,
            ..head
        };
        self.heads.write_all(&head.to_bytes())?;
        self.bodies.write_all(&self.body)?;
        self.end += self.body.len() as u64;
        self.count += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Rows> {
        let file =
            |writer: BufWriter<File>| writer.into_inner().map_err(io::IntoInnerError::into_error);
        Ok(Rows {
            heads: file(self.heads)?,
            bodies: file(self.bodies)?,
            count: self.count,
        })
    }
}

/// The two files.
#[derive(Debug)]
pub(super) struct Rows {
    heads: File,
    bodies: File,
    count: usize,
}

impl Rows {
    pub(super) fn head(&self, at: usize) -> Result<Head, SamplesError> {
        if at >= self.count {
            return Err(SamplesError::NoSuch {
                index: at,
                len: self.count,
            });
        }
        let mut bytes = [0; HEAD];
        read_exact_at(&self.heads, &mut bytes, (at * HEAD) as u64)?;
        Ok(Head::from_bytes(bytes))
    }

    pub(super) fn body(
        &self,
        head: &Head,
    ) -> Result<(String, Option<Window>, String), SamplesError> {
        let mut bytes = vec![0; head.length as usize];
        read_exact_at(&self.bodies, &mut bytes, head.offset)?;
        let (path, window, image_id): (String, Option<[f32; 2]>, String) =
            postcard::from_bytes(&bytes).map_err(io::Error::other)?;
        let window = window.map(Window::try_from).transpose();
        Ok((path, window.map_err(io::Error::other)?, image_id))
    }
}

#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}
