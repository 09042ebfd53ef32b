//! A picture to draw on.

use std::convert::Infallible;
use std::path::Path;

use embedded_graphics::Pixel;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::ascii::{FONT_8X13, FONT_8X13_BOLD};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle, MonoTextStyleBuilder};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{DrawTarget, Drawable};
use embedded_graphics::text::{Baseline, Text};

use crate::ExplainError;
use crate::files::save;

/// Around pictures, and of words.
const PAPER: [u8; 3] = [24, 26, 28];
const INK: [u8; 3] = [235, 235, 230];
/// Rows of a line of words.
pub(super) const LINE: usize = 17;
/// Columns of a letter.
pub(super) const LETTER: usize = 8;

/// A PNG file's bytes, with its sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub png: Vec<u8>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A picture in colours, to draw on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Canvas {
    /// An empty one of `width` × `height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![PAPER; width * height],
        }
    }

    /// Columns.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The colour at a place; `None` beyond the canvas.
    pub fn get(&self, col: usize, row: usize) -> Option<[u8; 3]> {
        if col < self.width {
            self.pixels.get(row * self.width + col).copied()
        } else {
            None
        }
    }

    /// Gives a place a colour; beyond the canvas nothing.
    pub fn set(&mut self, col: usize, row: usize, colour: [u8; 3]) {
        if col < self.width
            && let Some(pixel) = self.pixels.get_mut(row * self.width + col)
        {
            *pixel = colour;
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, [left, top]: [usize; 2], [width, height]: [usize; 2], colour: [u8; 3]) {
        for row in top..top + height {
            for col in left..left + width {
                self.set(col, row, colour);
            }
        }
    }

    /// Writes as much of `text` as fits into `room` columns, in light letters on what is there.
    pub fn write(&mut self, text: &str, left: usize, top: usize, room: usize) {
        self.letters(text, [left, top], room, &FONT_8X13, None);
    }

    /// The same in bold letters on black, to be read on any picture.
    pub fn mark(&mut self, text: &str, left: usize, top: usize) {
        let room = text.len() * LETTER;
        self.letters(
            text,
            [left, top],
            room,
            &FONT_8X13_BOLD,
            Some(Rgb888::BLACK),
        );
    }

    fn letters(
        &mut self,
        text: &str,
        [left, top]: [usize; 2],
        room: usize,
        font: &MonoFont<'_>,
        below: Option<Rgb888>,
    ) {
        let text: String = text.chars().take(room / LETTER).collect();
        let ink = Rgb888::new(INK[0], INK[1], INK[2]);
        let mut style: MonoTextStyle<'_, Rgb888> = MonoTextStyle::new(font, ink);
        if let Some(below) = below {
            style = MonoTextStyleBuilder::from(&style)
                .background_color(below)
                .build();
        }
        let at = Point::new(left as i32, top as i32);
        let written = Text::with_baseline(&text, at, style, Baseline::Top).draw(self);
        let (Ok(_) | Err(_)) = written;
    }

    /// As a PNG.
    ///
    /// # Errors
    /// Where the encoder refuses it, which no canvas should bring about.
    pub fn png(&self) -> Result<Picture, png::EncodingError> {
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width), side(self.height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder
            .write_header()?
            .write_image_data(self.pixels.as_flattened())?;
        Ok(Picture {
            png: bytes,
            width: self.width,
            height: self.height,
        })
    }

    /// Writes it as a PNG file.
    pub(crate) fn save(&self, path: &Path) -> Result<(), ExplainError> {
        let picture = self.png().map_err(|source| ExplainError::Draw {
            path: path.to_owned(),
            source,
        })?;
        save(path, &picture.png)
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            if let (Ok(col), Ok(row)) = (usize::try_from(at.x), usize::try_from(at.y)) {
                self.set(col, row, [colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}
