//! A slice beside itself with its heat map.

use falx_core::Window;

use super::SliceView;
use super::canvas::{Canvas, LETTER, LINE};
use super::colour::{heat, over};
use crate::judge::THRESHOLD;

/// Pixels between and around.
const GAP: usize = 8;
/// The colour of the line around what is at least half of the map's largest value.
const LINE_COLOUR: [u8; 3] = [90, 230, 255];
/// The length of the scale bar in mm.
const SCALE_MM: f64 = 50.0;
/// Width of the bar of colours.
const COLOURS: usize = 14;

/// What stands above a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// What it shows: the label and its probability.
    pub first: String,
    /// How: method, layer, window.
    pub second: String,
}

/// Draws a slice through `window`, and beside it the same with a heat map on it, a line around its upper half, a scale and the
/// patient's sides.
///
/// # Shape
/// `values` is a map on the view's pixels ([`SliceView::heat`]).
pub fn overlay(view: &SliceView, window: Window, values: &[f32], caption: &Caption) -> Canvas {
    let size = view.size();
    let top = GAP + 2 * LINE + GAP / 2;
    let lefts = [GAP, 2 * GAP + size];
    let width = lefts[1] + size + GAP + COLOURS + 4 * LETTER + GAP;
    let mut canvas = Canvas::new(width, top + size + GAP);
    for (text, row) in [(&caption.first, GAP), (&caption.second, GAP + LINE)] {
        canvas.write(text, GAP, row, width - 2 * GAP);
    }
    let grey = view.grey(window);
    for (place, &level) in grey.iter().enumerate() {
        let (row, col) = (place / size, place % size);
        let plain = [level; 3];
        canvas.set(lefts[0] + col, top + row, plain);
        let value = values.get(place).copied().unwrap_or(0.0);
        let (colour, share) = heat(value);
        let shown = if is_edge(values, size, place) {
            LINE_COLOUR
        } else {
            over(plain, colour, share)
        };
        canvas.set(lefts[1] + col, top + row, shown);
    }
    for left in lefts {
        sides(&mut canvas, view, left, top);
        scale(&mut canvas, view, left, top);
    }
    colours(&mut canvas, lefts[1] + size + GAP, top, size);
    canvas
}

/// Whether a pixel is at least at the threshold and one beside it is not.
fn is_edge(values: &[f32], size: usize, place: usize) -> bool {
    let here = |place: usize| values.get(place).is_some_and(|value| *value >= THRESHOLD);
    let (row, col) = (place / size, place % size);
    here(place)
        && (row > 0 && !here(place - size)
            || row + 1 < size && !here(place + size)
            || col > 0 && !here(place - 1)
            || col + 1 < size && !here(place + 1))
}

/// The patient's sides, where they are known.
fn sides(canvas: &mut Canvas, view: &SliceView, left: usize, top: usize) {
    let Some(side) = view.left() else { return };
    let other = match side {
        super::Side::Right => super::Side::Left,
        super::Side::Left => super::Side::Right,
    };
    let row = top + view.size() / 2 - LINE / 2;
    canvas.mark(side.mark(), left + 4, row);
    canvas.mark(other.mark(), left + view.size() - 4 - LETTER, row);
}

/// A bar of 50 mm, where pixels have a size.
fn scale(canvas: &mut Canvas, view: &SliceView, left: usize, top: usize) {
    let size = view.size();
    let Some(pixels) = view.pixels(SCALE_MM) else {
        return;
    };
    let length = pixels.round() as usize;
    if length == 0 || length + 4 * GAP > size {
        return;
    }
    let (start, row) = (left + size - GAP - length, top + size - GAP);
    canvas.fill([start - 1, row - 4], [length + 2, 5], [0; 3]);
    canvas.fill([start, row - 3], [length, 3], [235; 3]);
    canvas.mark("50 mm", start, row - 5 - LINE);
}

/// The colours from nothing to the map's largest value.
fn colours(canvas: &mut Canvas, left: usize, top: usize, size: usize) {
    for row in 0..size {
        let value = 1.0 - row as f32 / size.max(1) as f32;
        let (colour, _) = heat(value);
        canvas.fill([left, top + row], [COLOURS, 1], colour);
    }
    let half = top + ((1.0 - THRESHOLD) * size as f32) as usize;
    canvas.fill([left, half], [COLOURS, 2], LINE_COLOUR);
    let beside = left + COLOURS + 4;
    canvas.write("max", beside, top, 4 * LETTER);
    canvas.write("1/2", beside, half.saturating_sub(LINE / 2 - 2), 4 * LETTER);
    canvas.write("0", beside, top + size - LINE, 4 * LETTER);
}
