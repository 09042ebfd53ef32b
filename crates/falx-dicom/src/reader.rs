//! The crate's doors: a file or bytes in, a slice or a refusal out.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::check::{Checked, MAX_DECODED, check};
use crate::cursor::Halt;
use crate::dataset::{Extent, scan};
use crate::pixels::{Image, decode};
use crate::{CtSlice, DicomError, Refusal, Refused, SliceHeader};

/// What a header takes in most files; more is read where it is needed.
const FIRST_BYTES: usize = 8 * 1024;

/// Reads the CT slice in the file at `path`.
///
/// # Errors
/// [`DicomError::Io`] where the file cannot be read, [`DicomError::Refused`] where it is no CT slice in HU.
pub fn read_file(path: &Path) -> Result<CtSlice, DicomError> {
    Reader::new().read(path)
}

/// Reads the CT slice in `bytes`, a whole file.
///
/// # Errors
/// [`Refused`] where the bytes are no CT slice in HU.
pub fn read_bytes(bytes: &[u8]) -> Result<CtSlice, Refused> {
    let mut set = scan(bytes, bytes.len(), Extent::Whole).map_err(|halt| match halt {
        Halt::Refused(refused) => refused,
        Halt::NeedsBytes(_) => ends_early(),
    })?;
    let Checked {
        header,
        layout,
        padding,
        pixel_data,
    } = check(&mut set)?;
    let cells = bytes.get(pixel_data.start..).ok_or_else(ends_early)?;
    let cells = cells.get(..pixel_data.length).ok_or_else(ends_early)?;
    let Image { hu, padding } = decode(cells, &layout, &padding, &mut set.defects)?;
    Ok(CtSlice {
        header,
        hu,
        padding,
        defects: set.defects.into_vec(),
    })
}

/// Reads everything short of the pixels of the file at `path`, and reads no further than it must.
///
/// # Errors
/// [`DicomError::Io`] where the file cannot be read, [`DicomError::Refused`] where its header refuses it already.
pub fn read_header(path: &Path) -> Result<SliceHeader, DicomError> {
    Reader::new().read_header(path)
}

/// A reader that keeps its read buffer from file to file: one for each thread.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// A reader with an empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the CT slice in the file at `path`.
    ///
    /// # Errors
    /// As [`read_file`].
    pub fn read(&mut self, path: &Path) -> Result<CtSlice, DicomError> {
        let (file, total) = open(path)?;
        self.bytes.clear();
        self.read_to(&file, total).map_err(io_error(path))?;
        read_bytes(&self.bytes).map_err(refused(path))
    }

    /// Reads everything short of the pixels of the file at `path`.
    ///
    /// # Errors
    /// As [`read_header`].
    pub fn read_header(&mut self, path: &Path) -> Result<SliceHeader, DicomError> {
        let (file, total) = open(path)?;
        self.bytes.clear();
        let mut wanted = FIRST_BYTES;
        loop {
            self.read_to(&file, wanted.min(total))
                .map_err(io_error(path))?;
            // A file that shrank meanwhile is as long as what it still gave.
            let total = if self.bytes.len() < wanted {
                self.bytes.len()
            } else {
                total
            };
            match scan(&self.bytes, total, Extent::ShortOfPixels) {
                Ok(mut set) => {
                    let checked = check(&mut set).map_err(refused(path))?;
                    return Ok(checked.header);
                }
                Err(Halt::Refused(found)) => return Err(refused(path)(found)),
                Err(Halt::NeedsBytes(count)) => wanted = count.max(2 * wanted),
            }
        }
    }

    /// Reads on until the buffer holds `count` bytes or the file ends.
    fn read_to(&mut self, file: &File, count: usize) -> io::Result<()> {
        let more = count.saturating_sub(self.bytes.len());
        self.bytes.reserve_exact(more);
        file.take(more as u64).read_to_end(&mut self.bytes)?;
        Ok(())
    }
}

/// Opens a file that is small enough to be a slice; gives its length too.
fn open(path: &Path) -> Result<(File, usize), DicomError> {
    let file = File::open(path).map_err(io_error(path))?;
    let total = file.metadata().map_err(io_error(path))?.len();
    if total > MAX_DECODED {
        let detail = format!("the file has {total} bytes");
        return Err(refused(path)(Refused::new(Refusal::TooLarge, detail)));
    }
    Ok((file, total as usize))
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> DicomError + '_ {
    move |source| DicomError::Io {
        path: path.to_owned(),
        source,
    }
}

fn refused(path: &Path) -> impl Fn(Refused) -> DicomError + '_ {
    move |refused| DicomError::Refused {
        path: path.to_owned(),
        refused,
    }
}

fn ends_early() -> Refused {
    Refused::new(Refusal::Truncated, "the file ends inside its elements")
}
