//! Windowed pictures: grey levels back to Hounsfield units, as far as a window goes.

use std::io::Cursor;

use falx_core::{Hu, Window};
use falx_dicom::{CtSlice, SliceHeader};
use image::{DynamicImage, ImageReader, Limits};

use super::{Fault, SourceFault};

/// Of 16 bits a picture of a window has darker values than this, and brighter ones: air is black, and bone white. Twelve bits
/// from a scanner are all darker, Hounsfield units with 32,768 added all brighter.
const QUARTER: u16 = u16::MAX / 4;
/// The largest side of a picture.
const MAX_SIDE: u32 = 8192;

/// A picture (PNG, JPEG, WebP, TIFF) as a slice: black is the lower end of its window, white the upper.
///
/// # Units
/// HU, estimated inside of the window and cut off beyond it.
///
/// # Errors
/// [`SourceFault::DamagedPicture`], [`SourceFault::PictureWithoutWindow`], [`SourceFault::RawPicture`].
pub(crate) fn decode(bytes: &[u8], window: Option<Window>) -> Result<CtSlice, Fault> {
    let window = window.ok_or_else(|| {
        Fault::new(
            SourceFault::PictureWithoutWindow,
            "no window is known for it",
        )
    })?;
    let image = pixels(bytes)?;
    let (cols, rows) = (image.width() as usize, image.height() as usize);
    let low = window.center() - window.width() / 2.0;
    let hu = match image {
        DynamicImage::ImageLuma16(grey) => {
            from_black_to_white(grey.as_raw())?;
            let unit = window.width() / 65535.0;
            let values = grey.into_raw().into_iter();
            values.map(|v| Hu(low + f32::from(v) * unit)).collect()
        }
        other => {
            let unit = window.width() / 255.0;
            let values = other.into_luma8().into_raw().into_iter();
            values.map(|v| Hu(low + f32::from(v) * unit)).collect()
        }
    };
    let header = SliceHeader {
        rows,
        cols,
        windows: vec![window],
        ..SliceHeader::default()
    };
    Ok(CtSlice {
        header,
        hu,
        padding: None,
        defects: Vec::new(),
    })
}

/// Refuses values that are no grey levels.
fn from_black_to_white(values: &[u16]) -> Result<(), Fault> {
    let darkest = values.iter().min().copied().unwrap_or_default();
    let brightest = values.iter().max().copied().unwrap_or_default();
    if darkest <= QUARTER && brightest > QUARTER {
        return Ok(());
    }
    Err(Fault::new(
        SourceFault::RawPicture,
        format!("its 16 bits hold {darkest} to {brightest}"),
    ))
}

/// The picture's pixels, within limits.
fn pixels(bytes: &[u8]) -> Result<DynamicImage, Fault> {
    let damaged =
        |error: image::ImageError| Fault::new(SourceFault::DamagedPicture, error.to_string());
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| Fault::new(SourceFault::DamagedPicture, error.to_string()))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(512 << 20);
    reader.limits(limits);
    let image = reader.decode().map_err(damaged)?;
    if image.width() == 0 || image.height() == 0 {
        return Err(Fault::new(
            SourceFault::DamagedPicture,
            "it has no pixels".to_owned(),
        ));
    }
    Ok(image)
}
