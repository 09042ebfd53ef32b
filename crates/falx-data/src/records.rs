//! Records of equal length in a file without a name, which the system removes by itself: lists that would grow with the
//! data set take no memory.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

/// Bytes that are read at a time when all records are asked for.
const CHUNK: usize = 64 << 10;

/// Records while they are written.
#[derive(Debug)]
pub(crate) struct RecordsWriter<const N: usize> {
    file: BufWriter<File>,
    len: usize,
}

impl<const N: usize> RecordsWriter<N> {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(tempfile::tempfile()?),
            len: 0,
        })
    }

    pub(crate) fn push(&mut self, record: [u8; N]) -> io::Result<()> {
        self.file.write_all(&record)?;
        self.len += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> io::Result<Records<N>> {
        let file = self.file.into_inner();
        Ok(Records {
            file: file.map_err(io::IntoInnerError::into_error)?,
            len: self.len,
        })
    }
}

/// Records that were written.
#[derive(Debug)]
pub(crate) struct Records<const N: usize> {
    file: File,
    len: usize,
}

impl<const N: usize> Records<N> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The record at `at`; `None` beyond the last.
    pub(crate) fn get(&self, at: usize) -> io::Result<Option<[u8; N]>> {
        if at >= self.len {
            return Ok(None);
        }
        let mut record = [0; N];
        read_exact_at(&self.file, &mut record, (at * N) as u64)?;
        Ok(Some(record))
    }

    /// Gives every record to `take`, in order.
    pub(crate) fn for_each(&self, mut take: impl FnMut([u8; N])) -> io::Result<()> {
        let in_chunk = (CHUNK / N).max(1);
        let mut bytes = Vec::new();
        for start in (0..self.len).step_by(in_chunk) {
            bytes.resize(in_chunk.min(self.len - start) * N, 0);
            read_exact_at(&self.file, &mut bytes, (start * N) as u64)?;
            bytes.as_chunks::<N>().0.iter().copied().for_each(&mut take);
        }
        Ok(())
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
