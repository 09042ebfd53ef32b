//! The beginning of a file, in a buffer that is used again for the next one.

use std::fs::File;
use std::io::{self, Read};

/// A buffer that is larger than this is given back before a file that needs less.
const MOST_KEPT: usize = 64 << 20;

/// As much of a file as has been read.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Bytes of the file before stay behind those of this one: clearing them would cost as much as reading.
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    /// Begins with another file.
    pub(crate) fn start(&mut self) {
        self.filled = 0;
        if self.bytes.len() > MOST_KEPT {
            self.bytes = Vec::new();
        }
    }

    /// Reads on until there are `count` bytes or the file ends.
    pub(crate) fn fill_to(&mut self, file: &mut File, count: usize) -> io::Result<()> {
        if self.bytes.len() < count {
            self.bytes.resize(count, 0);
        }
        while let Some(room) = self
            .bytes
            .get_mut(self.filled..count)
            .filter(|r| !r.is_empty())
        {
            match file.read(room) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What has been read of the file.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}
