//! Panels on one sheet, each with its caption.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_8X13;
use embedded_graphics::pixelcolor::{Gray8, GrayColor};
use embedded_graphics::prelude::{DrawTarget, Drawable};
use embedded_graphics::text::{Baseline, Text};

use super::Panel;

/// A grey picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Grey levels, row by row.
    pub grey: Vec<u8>,
}

/// Pixels between panels.
const GAP: usize = 8;
/// Rows of a caption.
const CAPTION: usize = 17;
/// Grey of the sheet and of captions.
const PAPER: u8 = 32;
const INK: u8 = 235;

/// Lays panels of `size` × `size` out in rows of `columns`, each under its caption.
pub fn sheet(panels: &[Panel], size: usize, columns: usize) -> Sheet {
    let columns = columns.clamp(1, panels.len().max(1));
    let rows = panels.len().div_ceil(columns);
    let (width, height) = (
        GAP + columns * (size + GAP),
        GAP + rows * (CAPTION + size + GAP),
    );
    let mut sheet = Sheet {
        width,
        height,
        grey: vec![PAPER; width * height],
    };
    for (number, panel) in panels.iter().enumerate() {
        let left = GAP + number % columns * (size + GAP);
        let top = GAP + number / columns * (CAPTION + size + GAP);
        sheet.write(&panel.caption, left, top, size);
        for (row, line) in panel.grey.chunks(size.max(1)).enumerate() {
            let start = (top + CAPTION + row) * width + left;
            if let Some(out) = sheet.grey.get_mut(start..start + line.len()) {
                out.copy_from_slice(line);
            }
        }
    }
    sheet
}

impl Sheet {
    /// Writes as much of `text` as fits into `room` pixels.
    fn write(&mut self, text: &str, left: usize, top: usize, room: usize) {
        let fits = room / FONT_8X13.character_size.width as usize;
        let text: String = text.chars().take(fits).collect();
        let style = MonoTextStyle::new(&FONT_8X13, Gray8::new(INK));
        let at = Point::new(left as i32, top as i32);
        let written = Text::with_baseline(&text, at, style, Baseline::Top).draw(self);
        let (Ok(_) | Err(_)) = written;
    }
}

impl OriginDimensions for Sheet {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Sheet {
    type Color = Gray8;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Gray8>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, color) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) else {
                continue;
            };
            if x < self.width
                && let Some(grey) = self.grey.get_mut(y * self.width + x)
            {
                *grey = color.luma();
            }
        }
        Ok(())
    }
}
