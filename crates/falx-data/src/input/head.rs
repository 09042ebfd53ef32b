//! Where the head lies in a slice.

#[cfg(test)]
mod tests;

use falx_core::Hu;
use falx_dicom::{CtSlice, picture};

/// The head's place in a slice, in the slice's pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head {
    /// Its middle, down and across.
    pub(super) middle: [f64; 2],
    /// The side of a square that holds it, with a margin, in columns.
    pub(super) side: f64,
}

/// The slice is looked at on a grid of this side: coarse enough to part the head from the thin arcs of its holder.
const GRID: usize = 96;
/// Below is air and foam; skin and fat are above.
const TISSUE: Hu = Hu(-300.0);
/// Of values that are cut off above [`TISSUE`], what is above this share of their range is tissue: air and fat are as black.
const SHARE: f32 = 1.0 / 16.0;
/// Room beside the head, as a share of its side.
const MARGIN: f64 = 0.05;
/// Near the vertex the head is a small disc; its picture is not magnified more than this share of the slice allows.
const LEAST: f64 = 0.6;
/// A smaller part of the grid is no head.
const FEWEST: usize = GRID * GRID / 200;

/// The largest connected piece of tissue; `None` where there is none of a head's size.
///
/// Values beyond `clip` were cut off before.
pub(super) fn find(slice: &CtSlice, clip: Option<[f32; 2]>) -> Option<Head> {
    let tissue = match clip {
        Some([low, high]) => TISSUE.0.max(low + SHARE * (high - low)),
        None => TISSUE.0,
    };
    let mut hu = vec![Hu::PADDING.0; GRID * GRID];
    picture::fit(slice, GRID, &mut hu);
    let tissue: Vec<bool> = hu.iter().map(|&hu| hu > tissue).collect();
    let [rows, cols] = largest(&opened(&tissue))?;
    let [down, across] = match slice.header.pixel_spacing {
        Some([down, across]) if (0.1..10.0).contains(&(down / across)) => [down / across, 1.0],
        _ => [1.0, 1.0],
    };
    let (height, width) = (slice.header.rows as f64, slice.header.cols as f64);
    let whole = (height * down).max(width * across);
    let cell = whole / GRID as f64;
    let middle_of = |[first, last]: [usize; 2], pixels: f64, proportion: f64| {
        let from_middle = ((first + last + 1) as f64 / 2.0 - GRID as f64 / 2.0) * cell;
        pixels / 2.0 + from_middle / proportion
    };
    let extent = |[first, last]: [usize; 2]| (last + 1 - first) as f64 * cell;
    let side = extent(rows).max(extent(cols)) * (1.0 + 2.0 * MARGIN);
    Some(Head {
        middle: [
            middle_of(rows, height, down),
            middle_of(cols, width, across),
        ],
        side: side.clamp(LEAST * whole, whole),
    })
}

/// Tissue that has tissue on both sides, down and across: without what is a single cell thin.
fn opened(tissue: &[bool]) -> Vec<bool> {
    let at = |row: usize, col: usize| {
        let inside = row < GRID && col < GRID;
        inside && tissue.get(row * GRID + col).copied().unwrap_or(false)
    };
    let core = |row: usize, col: usize| {
        let (above, left) = (row.wrapping_sub(1), col.wrapping_sub(1));
        at(row, col) && at(above, col) && at(row + 1, col) && at(row, left) && at(row, col + 1)
    };
    let cells = (0..GRID * GRID).map(|cell| (cell / GRID, cell % GRID));
    cells
        .map(|(row, col)| {
            let beside = [
                (row, col),
                (row.wrapping_sub(1), col),
                (row + 1, col),
                (row, col.wrapping_sub(1)),
                (row, col + 1),
            ];
            beside
                .iter()
                .any(|&(row, col)| row < GRID && col < GRID && core(row, col))
        })
        .collect()
}

/// The rows and columns, first and last, of the largest connected piece.
fn largest(tissue: &[bool]) -> Option<[[usize; 2]; 2]> {
    let mut left = tissue.to_vec();
    let mut best: Option<(usize, [[usize; 2]; 2])> = None;
    let mut open = Vec::new();
    for start in 0..left.len() {
        if !std::mem::take(left.get_mut(start)?) {
            continue;
        }
        open.push(start);
        let mut count = 0;
        let (mut rows, mut cols) = ([usize::MAX, 0], [usize::MAX, 0]);
        while let Some(cell) = open.pop() {
            count += 1;
            let (row, col) = (cell / GRID, cell % GRID);
            rows = [rows[0].min(row), rows[1].max(row)];
            cols = [cols[0].min(col), cols[1].max(col)];
            let beside = [
                (col > 0).then(|| cell - 1),
                (col + 1 < GRID).then_some(cell + 1),
                cell.checked_sub(GRID),
                Some(cell + GRID),
            ];
            for next in beside.into_iter().flatten() {
                if left.get_mut(next).is_some_and(std::mem::take) {
                    open.push(next);
                }
            }
        }
        if count >= FEWEST && best.is_none_or(|(most, _)| count > most) {
            best = Some((count, [rows, cols]));
        }
    }
    best.map(|(_, place)| place)
}
