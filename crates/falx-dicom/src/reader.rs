//! The crate's doors: a file or bytes in, slices or a refusal out.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::check::{Checked, MAX_DECODED, check};
use crate::cursor::{Cursor, Halt};
use crate::dataset::{Extent, PixelContent, Scanned, scan};
use crate::deflated::{Inflater, MAX_BESIDE_PIXELS, too_large};
use crate::frames::Frames;
use crate::meta::{self, Start};
use crate::pixels::{Image, decode};
use crate::{CtSlice, Decoded, Defect, DicomError, Refusal, Refused, SliceHeader};

/// What a header takes in most files; more is read where it is needed.
const FIRST_BYTES: usize = 8 * 1024;

/// Reads the CT image in the file at `path`: one slice, or the frames of a multi-frame image.
///
/// # Errors
/// [`DicomError::Io`] where the file cannot be read, [`DicomError::Refused`] where it is no CT image in HU.
pub fn read(path: &Path) -> Result<Decoded, DicomError> {
    Reader::new().read(path)
}

/// Reads the CT slice in the file at `path`.
///
/// # Errors
/// As [`read`]; an image of several frames is refused with [`Refusal::UnsupportedMultiframe`].
pub fn read_slice(path: &Path) -> Result<CtSlice, DicomError> {
    Reader::new().read_slice(path)
}

/// Reads the CT image in `bytes`, a whole file.
///
/// # Errors
/// [`Refused`] where the bytes are no CT image in HU.
pub fn read_bytes(bytes: &[u8]) -> Result<Decoded, Refused> {
    decode_file(bytes, &mut Vec::new())
}

/// Reads everything short of the pixels of the file at `path`, frame by frame, and reads no further than it must.
///
/// # Errors
/// [`DicomError::Io`] where the file cannot be read, [`DicomError::Refused`] where its header refuses it already.
pub fn read_headers(path: &Path) -> Result<Vec<SliceHeader>, DicomError> {
    Reader::new().read_headers(path)
}

/// Reads everything short of the pixels of the CT slice in the file at `path`.
///
/// # Errors
/// As [`read_headers`]; an image of several frames is refused with [`Refusal::UnsupportedMultiframe`].
pub fn read_header(path: &Path) -> Result<SliceHeader, DicomError> {
    Reader::new().read_header(path)
}

/// A reader that keeps its buffers from file to file: one for each thread.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    cells: Vec<u8>,
}

impl Reader {
    /// A reader with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the CT image in the file at `path`.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&mut self, path: &Path) -> Result<Decoded, DicomError> {
        let (file, total) = open(path)?;
        self.bytes.clear();
        self.read_to(&file, total).map_err(io_error(path))?;
        decode_file(&self.bytes, &mut self.cells).map_err(refused(path))
    }

    /// Reads the CT slice in the file at `path`.
    ///
    /// # Errors
    /// As [`read_slice`].
    pub fn read_slice(&mut self, path: &Path) -> Result<CtSlice, DicomError> {
        only(self.read(path)?.slices).map_err(refused(path))
    }

    /// Reads everything short of the pixels of the CT slice in the file at `path`.
    ///
    /// # Errors
    /// As [`read_header`].
    pub fn read_header(&mut self, path: &Path) -> Result<SliceHeader, DicomError> {
        only(self.read_headers(path)?).map_err(refused(path))
    }

    /// Reads everything short of the pixels of the file at `path`, frame by frame.
    ///
    /// # Errors
    /// As [`read_headers`].
    pub fn read_headers(&mut self, path: &Path) -> Result<Vec<SliceHeader>, DicomError> {
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
            match headers(&self.bytes, total) {
                Ok(headers) => return Ok(headers),
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

/// The only one of what stands for an image's frames.
fn only<T>(mut frames: Vec<T>) -> Result<T, Refused> {
    match (frames.pop(), frames.len()) {
        (Some(frame), 0) => Ok(frame),
        (_, others) => Err(Refused::new(
            Refusal::UnsupportedMultiframe,
            format!(
                "the image has {} frames where one slice is needed",
                others + 1
            ),
        )),
    }
}

/// The headers in a file of `total` bytes of which `bytes` are the first.
fn headers(bytes: &[u8], total: usize) -> Result<Vec<SliceHeader>, Halt> {
    let mut cursor = Cursor::new(bytes, total);
    let start = meta::start(&mut cursor)?;
    if start.syntax.is_deflated {
        if bytes.len() < total {
            return Err(Halt::NeedsBytes(total));
        }
        let deflated = bytes.get(cursor.position()..).unwrap_or_default();
        let (_, checked) = inflate_header(deflated, &start)?;
        return Ok(checked.headers);
    }
    let mut scanned = scan(cursor, start, Extent::ShortOfPixels)?;
    Ok(check(&mut scanned)?.headers)
}

/// Decodes a whole file; `scratch` is for cells that the file does not hold as they are.
fn decode_file(bytes: &[u8], scratch: &mut Vec<u8>) -> Result<Decoded, Refused> {
    let mut cursor = Cursor::new(bytes, bytes.len());
    let mut start = meta::start(&mut cursor).map_err(Halt::into_refused)?;
    if !start.syntax.is_deflated {
        return decode_data_set(bytes, cursor, start, scratch);
    }
    let deflated = bytes.get(cursor.position()..).unwrap_or_default();
    let (mut inflater, checked) = inflate_header(deflated, &start)?;
    let end = match checked.pixel_data.content {
        PixelContent::Native(length) => checked.pixel_data.start.saturating_add(length),
        PixelContent::Encapsulated(_) => checked.pixel_data.start,
    };
    inflater.finish(end.saturating_add(MAX_BESIDE_PIXELS))?;
    if inflater.has_trailing_bytes() {
        start.defects.add(Defect::TrailingBytes);
    }
    let bytes = &inflater.bytes;
    decode_data_set(bytes, Cursor::new(bytes, bytes.len()), start, scratch)
}

/// Inflates a data set as far as its header, which is checked before any pixel is inflated.
fn inflate_header<'a>(
    deflated: &'a [u8],
    start: &Start,
) -> Result<(Inflater<'a>, Checked), Refused> {
    let mut inflater = Inflater::new(deflated);
    let mut wanted = FIRST_BYTES;
    loop {
        inflater.grow_to(wanted)?;
        let bytes = &inflater.bytes;
        // How long the data set is shows at its end only.
        let total = if inflater.is_done {
            bytes.len()
        } else {
            usize::MAX
        };
        match scan(
            Cursor::new(bytes, total),
            start.clone(),
            Extent::ShortOfPixels,
        ) {
            Ok(mut scanned) => {
                let checked = check(&mut scanned)?;
                return Ok((inflater, checked));
            }
            Err(Halt::Refused(refused)) => return Err(refused),
            Err(Halt::NeedsBytes(count)) if count > MAX_BESIDE_PIXELS => {
                return Err(too_large(MAX_BESIDE_PIXELS));
            }
            Err(Halt::NeedsBytes(count)) => wanted = count.max(2 * wanted),
        }
    }
}

/// Decodes the data set that begins at `cursor` in `bytes`.
fn decode_data_set(
    bytes: &[u8],
    cursor: Cursor<'_>,
    start: Start,
    scratch: &mut Vec<u8>,
) -> Result<Decoded, Refused> {
    let mut scanned = scan(cursor, start, Extent::Whole).map_err(Halt::into_refused)?;
    let checked = check(&mut scanned)?;
    let Scanned {
        mut set, syntax, ..
    } = scanned;
    let frames = Frames::new(bytes, &checked, syntax, &mut set)?;
    let mut slices = Vec::with_capacity(checked.headers.len());
    for (number, header) in checked.headers.iter().enumerate() {
        let mut defects = set.defects.clone();
        let cells = frames.cells(number, header, scratch, &mut defects)?;
        let layout = checked.layout(header);
        let Image { hu, padding } = decode(cells, &layout, &checked.padding, &mut defects)?;
        slices.push(CtSlice {
            header: header.clone(),
            hu,
            padding,
            defects: defects.into_vec(),
        });
    }
    Ok(Decoded { slices })
}

/// Opens a file that is small enough to be an image; gives its length too.
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
