//! A heat map by itself, transparent, to lie on any window of its slice.

use super::Picture;
use super::colour::heat;

/// Steps of a map's values: enough to see, few enough to be small.
const STEPS: f32 = 24.0;

/// A map as a PNG of colours and transparency.
///
/// # Shape
/// `values` is `size` × `size`, row by row.
///
/// # Errors
/// Where the encoder refuses it, which no map should bring about.
pub fn heat_layer(values: &[f32], size: usize) -> Result<Picture, png::EncodingError> {
    let mut pixels = Vec::with_capacity(4 * values.len());
    for value in values {
        let (colour, share) = heat((value * STEPS).round() / STEPS);
        // What cannot be seen has one colour.
        let opaque = (share * 255.0).round() as u8;
        let colour = if opaque == 0 { [0; 3] } else { colour };
        pixels.extend(colour);
        pixels.push(opaque);
    }
    let side = u32::try_from(size).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(Picture {
        png: bytes,
        width: size,
        height: size,
    })
}
