//! The list's file: heads of equal length, and bodies of any, in two files without names.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use falx_core::Window;

use super::SamplesError;
use crate::records::{Records, RecordsWriter, read_exact_at};

/// What is looked at without the body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Head {
    /// Where the body begins, and its length.
    pub(super) offset: u64,
    pub(super) length: u32,
    /// The row in the index.
    pub(super) row: u32,
    /// The number of the study; slices of no known study have one each.
    pub(super) study: u32,
    /// The number of the series.
    pub(super) series: u32,
    /// The position in mm; NaN where it is not known.
    pub(super) z: f32,
    /// The labels, packed.
    pub(super) labels: u32,
}

const HEAD: usize = 32;

impl Head {
    fn to_bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        let words = [
            self.length,
            self.row,
            self.study,
            self.series,
            self.z.to_bits(),
            self.labels,
        ];
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
            study: word(2),
            series: word(3),
            z: f32::from_bits(word(4)),
            labels: word(5),
        }
    }
}

/// The two files while they are written.
pub(super) struct RowsWriter {
    heads: RecordsWriter<HEAD>,
    bodies: BufWriter<File>,
    /// The length of the bodies so far.
    end: u64,
    body: Vec<u8>,
}

impl RowsWriter {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            heads: RecordsWriter::new()?,
            bodies: BufWriter::new(tempfile::tempfile()?),
            end: 0,
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
        self.heads.push(head.to_bytes())?;
        self.bodies.write_all(&self.body)?;
        self.end += self.body.len() as u64;
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Rows> {
        let bodies = self.bodies.into_inner();
        Ok(Rows {
            heads: self.heads.finish()?,
            bodies: bodies.map_err(io::IntoInnerError::into_error)?,
        })
    }
}

/// The two files.
#[derive(Debug)]
pub(super) struct Rows {
    heads: Records<HEAD>,
    bodies: File,
}

impl Rows {
    pub(super) fn head(&self, at: usize) -> Result<Head, SamplesError> {
        let head = self.heads.get(at)?.map(Head::from_bytes);
        head.ok_or(SamplesError::NoSuch {
            index: at,
            len: self.heads.len(),
        })
    }

    /// Gives every head to `take`, in order.
    pub(super) fn for_each_head(&self, mut take: impl FnMut(&Head)) -> io::Result<()> {
        self.heads.for_each(|bytes| take(&Head::from_bytes(bytes)))
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
