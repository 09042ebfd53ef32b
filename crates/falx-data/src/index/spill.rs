//! Sorting more than memory should hold: sorted runs on the disk, merged as they are read.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Bytes of a run in memory.
const RUN: usize = 32 << 20;

/// Records of a key and a value, given back in the order of their keys, equal ones in that of their values.
pub(super) struct Spill {
    folder: PathBuf,
    run: usize,
    bytes: Vec<u8>,
    /// Start, key's end and value's end of each record.
    records: Vec<[usize; 3]>,
    runs: Vec<File>,
}

impl Spill {
    /// Runs become nameless files in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self::with_run(folder, RUN)
    }

    fn with_run(folder: &Path, run: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            run,
            bytes: Vec::new(),
            records: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Takes a record.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let needed = key.len() + value.len() + size_of::<[usize; 3]>();
        let have = self.bytes.len() + self.records.len() * size_of::<[usize; 3]>();
        if !self.records.is_empty() && have + needed > self.run {
            self.write_run()?;
        }
        let start = self.bytes.len();
        self.bytes.extend(key);
        let middle = self.bytes.len();
        self.bytes.extend(value);
        self.records.push([start, middle, self.bytes.len()]);
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or(&[]);
        self.records.sort_unstable_by(|&[a, b, c], &[x, y, z]| {
            (part(a, b), part(b, c)).cmp(&(part(x, y), part(y, z)))
        });
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.sort();
        let mut out = BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(&self.folder)?);
        for &[start, middle, end] in &self.records {
            out.write_all(&((middle - start) as u32).to_le_bytes())?;
            out.write_all(&((end - middle) as u32).to_le_bytes())?;
            out.write_all(self.bytes.get(start..end).unwrap_or(&[]))?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        self.bytes.clear();
        self.records.clear();
        Ok(())
    }

    /// All records in order.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        if !self.runs.is_empty() && !self.records.is_empty() {
            self.write_run()?;
        }
        self.sort();
        let mut sorted = Sorted {
            runs: Vec::with_capacity(self.runs.len()),
            heap: BinaryHeap::new(),
            bytes: self.bytes,
            records: self.records.into_iter(),
        };
        for file in self.runs {
            sorted.runs.push(BufReader::with_capacity(1 << 18, file));
            sorted.refill(sorted.runs.len() - 1)?;
        }
        Ok(sorted)
    }
}

/// A record: its key, its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// The records in order: of one run in memory, or merged from the disk.
pub(super) struct Sorted {
    runs: Vec<BufReader<File>>,
    /// The next record of each run, and the run's number.
    heap: BinaryHeap<Reverse<(Pair, usize)>>,
    bytes: Vec<u8>,
    records: std::vec::IntoIter<[usize; 3]>,
}

impl Sorted {
    /// Takes the next record of a run into the heap.
    fn refill(&mut self, run: usize) -> io::Result<()> {
        let Some(reader) = self.runs.get_mut(run) else {
            return Ok(());
        };
        let mut lengths = [[0; 4]; 2];
        match reader.read_exact(&mut lengths[0]) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        reader.read_exact(&mut lengths[1])?;
        let mut next = |length: [u8; 4]| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            reader.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let (key, value) = (next(lengths[0])?, next(lengths[1])?);
        self.heap.push(Reverse(((key, value), run)));
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Pair>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some([start, middle, end]) = self.records.next() {
            let part = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or(&[]).to_vec();
            return Some(Ok((part(start, middle), part(middle, end))));
        }
        let Reverse((pair, run)) = self.heap.pop()?;
        Some(self.refill(run).map(|()| pair))
    }
}
