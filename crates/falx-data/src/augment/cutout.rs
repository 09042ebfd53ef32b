//! A rectangle of the head that is hidden.

use falx_core::{Hu, random};

use super::symmetric;

/// The largest area, as a share of the picture's: 33 mm × 33 mm of a field of 230 mm.
pub(super) const LARGEST: f32 = 0.02;
/// What stands in the hidden place, in HU: between white and grey matter.
const FILL: f32 = 30.0;
/// Brain and what lies in it, blood included, in HU.
const BRAIN: std::ops::Range<f32> = 0.0..90.0;
/// How far a point of the head may lie from the picture's middle, as a share of its side along each axis: a head
/// holder lies further out.
const REACH: f32 = 0.3;

/// Fills a rectangle of the share `area` about `point` (column, row) in every plane.
pub(super) fn cut(area: f32, point: [f32; 2], size: usize, planes: &mut [f32], seed: u64) {
    let mut random = random::stream(seed, "cutout", &[]);
    // Twice as wide as long at most, or the other way round.
    let proportion = std::f32::consts::SQRT_2.powf(symmetric(&mut random));
    let side = area.clamp(0.0, LARGEST).sqrt() * size as f32;
    let range = |middle: f32, length: f32| {
        let end = |at: f32| at.round().clamp(0.0, size as f32) as usize;
        end(middle - length / 2.0)..end(middle + length / 2.0)
    };
    let cols = range(point[0] + 0.5, side * proportion);
    let rows = range(point[1] + 0.5, side / proportion);
    for plane in planes.chunks_exact_mut(size * size) {
        for row in plane
            .chunks_exact_mut(size)
            .skip(rows.start)
            .take(rows.len())
        {
            for value in row.get_mut(cols.clone()).into_iter().flatten() {
                if *value > Hu::PADDING.0 {
                    *value = FILL;
                }
            }
        }
    }
}

/// A place inside of the head (column, row): the first of some random ones that holds brain, or else the middle.
pub(super) fn point_of_head(plane: &[f32], size: usize, seed: u64, purpose: &str) -> [f32; 2] {
    let mut random = random::stream(seed, purpose, &[]);
    for _ in 0..32 {
        let place = [(); 2].map(|()| 0.5 + REACH * symmetric(&mut random));
        let [col, row] = place.map(|share| ((share * size as f32) as usize).min(size - 1));
        let value = plane.get(row * size + col);
        if value.is_some_and(|value| BRAIN.contains(value)) {
            return [col as f32, row as f32];
        }
    }
    [size as f32 / 2.0; 2]
}
