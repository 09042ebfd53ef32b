//! A series at a glance: all its slices, with what the maps say.

use falx_core::Window;

use super::SliceView;
use super::canvas::{Canvas, LETTER, LINE};
use super::colour::{heat, over};

/// Pixels between tiles.
const GAP: usize = 6;
/// Columns of tiles at most.
const ACROSS: usize = 8;
/// What tells a slice that is called from others: the colour of its frame.
const CALLED: [u8; 3] = [237, 105, 37];

/// A slice of a montage.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// The slice; all tiles have one size.
    pub view: SliceView,
    /// The window it is shown through.
    pub window: Window,
    /// A map on its pixels, empty where there is none.
    pub heat: Vec<f32>,
    /// What stands below it.
    pub words: String,
    /// Whether the model calls it.
    pub called: bool,
}

/// Lays the slices of a series out from the feet upwards, row by row, below a title.
pub fn montage(title: &str, tiles: &[Tile]) -> Canvas {
    let side = tiles.first().map_or(1, |tile| tile.view.size());
    let across = tiles.len().clamp(1, ACROSS);
    let down = tiles.len().div_ceil(across);
    let head = GAP + LINE;
    // The title is never cut short by few tiles.
    let width = (GAP + across * (side + GAP)).max(2 * GAP + title.len() * LETTER);
    let mut canvas = Canvas::new(width, head + GAP + down * (side + LINE + GAP));
    canvas.write(title, GAP, GAP, width - 2 * GAP);
    for (number, tile) in tiles.iter().enumerate() {
        let left = GAP + number % across * (side + GAP);
        let top = head + GAP + number / across * (side + LINE + GAP);
        if tile.called {
            canvas.fill([left - 2, top - 2], [side + 4, side + 4], CALLED);
        }
        for (place, level) in tile.view.grey(tile.window).into_iter().enumerate() {
            let value = tile.heat.get(place).copied().unwrap_or(0.0);
            let (colour, share) = heat(value);
            let shown = over([level; 3], colour, share);
            canvas.set(left + place % side, top + place / side, shown);
        }
        if let (0, Some(mark)) = (number, tile.view.left()) {
            canvas.mark(mark.mark(), left + 3, top + side / 2 - LINE / 2);
        }
        canvas.write(&tile.words, left, top + side + 2, side);
    }
    canvas
}
