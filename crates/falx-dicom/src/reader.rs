//! The crate's doors: a file or bytes in, slices or a refusal out.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::buffer::Buffer;
use crate::check::{Checked, MAX_DECODED, check};
use crate::cursor::{Cursor, Halt};
use crate::dataset::{Extent, PixelContent, scan};
use crate::defect::DefectSet;
use crate::deflated::{Inflater, MAX_BESIDE_PIXELS, too_large};
use crate::frames::Frames;
use crate::layout::{Layout, Padding};
use crate::meta::{self, Start};
use crate::picture::Drawing;
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
    let mut slices = Vec::new();
    frames(bytes, &mut Vec::new(), usize::MAX, |frame| {
        slices.push(frame.decode(&mut Image::default())?);
        Ok(())
    })?;
    Ok(Decoded { slices })
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
    file: Buffer,
    cells: Vec<u8>,
    image: Image,
    pub(crate) drawing: Drawing,
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
        let slices = self.slices(path, usize::MAX)?;
        Ok(Decoded { slices })
    }

    /// Reads the CT slice in the file at `path`.
    ///
    /// # Errors
    /// As [`read_slice`].
    pub fn read_slice(&mut self, path: &Path) -> Result<CtSlice, DicomError> {
        only(self.slices(path, 1)?).map_err(refused(path))
    }

    /// Reads the CT slice in the file at `path` into `slice`, whose buffers are used again.
    ///
    /// After an error `slice` is empty.
    ///
    /// # Errors
    /// As [`read_slice`].
    pub fn read_slice_into(&mut self, path: &Path, slice: &mut CtSlice) -> Result<(), DicomError> {
        let CtSlice { hu, padding, .. } = std::mem::take(slice);
        self.image = Image {
            hu,
            mask: padding.unwrap_or_default(),
        };
        *slice = self.read_slice(path)?;
        Ok(())
    }

    fn slices(&mut self, path: &Path, most: usize) -> Result<Vec<CtSlice>, DicomError> {
        let mut slices = Vec::new();
        self.frames(path, most, |frame, image, _| {
            slices.push(frame.decode(image)?);
            Ok(())
        })?;
        Ok(slices)
    }

    /// Reads the file at `path` and gives each of its frames, of which there may be no more than `most`, to `take`.
    pub(crate) fn frames(
        &mut self,
        path: &Path,
        most: usize,
        mut take: impl FnMut(Frame<'_>, &mut Image, &mut Drawing) -> Result<(), Refused>,
    ) -> Result<(), DicomError> {
        let (mut file, total) = open(path)?;
        self.file.start();
        self.file
            .fill_to(&mut file, total)
            .map_err(io_error(path))?;
        let Self {
            file,
            cells,
            image,
            drawing,
        } = self;
        frames(file.bytes(), cells, most, |frame| {
            take(frame, image, drawing)
        })
        .map_err(refused(path))
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
        let (mut file, total) = open(path)?;
        self.file.start();
        let mut wanted = FIRST_BYTES;
        loop {
            self.file
                .fill_to(&mut file, wanted.min(total))
                .map_err(io_error(path))?;
            let bytes = self.file.bytes();
            // A file that shrank meanwhile is as long as what it still gave.
            let total = if bytes.len() < wanted {
                bytes.len()
            } else {
                total
            };
            match headers(bytes, total) {
                Ok(headers) => return Ok(headers),
                Err(Halt::Refused(found)) => return Err(refused(path)(found)),
                Err(Halt::NeedsBytes(count)) => wanted = count.max(2 * wanted),
            }
        }
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

/// The refusal of an image of another number of frames than one.
pub(crate) fn several(frames: usize) -> Refused {
    let detail = format!("the image has {frames} frames where one slice is needed");
    Refused::new(Refusal::UnsupportedMultiframe, detail)
}

/// A frame whose pixels are still to be read.
pub(crate) struct Frame<'a> {
    pub(crate) header: SliceHeader,
    pub(crate) layout: Layout,
    pub(crate) padding: Padding,
    pub(crate) cells: &'a [u8],
    /// The file's and those of the frame's codestream.
    pub(crate) defects: DefectSet,
}

impl Frame<'_> {
    /// Reads the pixels; `image` gives its buffers away.
    pub(crate) fn decode(mut self, image: &mut Image) -> Result<CtSlice, Refused> {
        decode(
            self.cells,
            &self.layout,
            &self.padding,
            &mut self.defects,
            image,
        )?;
        let Image { hu, mask } = std::mem::take(image);
        Ok(CtSlice {
            header: self.header,
            hu,
            padding: (!mask.is_empty()).then_some(mask),
            defects: self.defects.into_vec(),
        })
    }
}

/// Gives each frame of a whole file to `take`; `scratch` is for cells that the file does not hold as they are.
pub(crate) fn frames(
    bytes: &[u8],
    scratch: &mut Vec<u8>,
    most: usize,
    take: impl FnMut(Frame<'_>) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut cursor = Cursor::new(bytes, bytes.len());
    let mut start = meta::start(&mut cursor).map_err(Halt::into_refused)?;
    if !start.syntax.is_deflated {
        return frames_of_data_set(bytes, cursor, start, scratch, most, take);
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
    let cursor = Cursor::new(bytes, bytes.len());
    frames_of_data_set(bytes, cursor, start, scratch, most, take)
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

/// Gives each frame of the data set that begins at `cursor` in `bytes` to `take`.
fn frames_of_data_set(
    bytes: &[u8],
    cursor: Cursor<'_>,
    start: Start,
    scratch: &mut Vec<u8>,
    most: usize,
    mut take: impl FnMut(Frame<'_>) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut scanned = scan(cursor, start, Extent::Whole).map_err(Halt::into_refused)?;
    let mut checked = check(&mut scanned)?;
    if checked.headers.len() > most {
        return Err(several(checked.headers.len()));
    }
    let frames = Frames::new(bytes, &checked, scanned.syntax, &mut scanned.set)?;
    let headers = std::mem::take(&mut checked.headers);
    for (number, header) in headers.into_iter().enumerate() {
        let mut defects = scanned.set.defects.clone();
        take(Frame {
            layout: checked.layout(&header),
            padding: checked.padding,
            cells: frames.cells(number, &header, scratch, &mut defects)?,
            header,
            defects,
        })?;
    }
    Ok(())
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

pub(crate) fn refused(path: &Path) -> impl Fn(Refused) -> DicomError + '_ {
    move |refused| DicomError::Refused {
        path: path.to_owned(),
        refused,
    }
}
