//! A rectangle of the head that is hidden.

use falx_core::{Hu, random};
use rand::RngExt;

use super::symmetric;

/// The largest area, as a share of the picture's: 33 mm × 33 mm of a field of 230 mm.
pub(super) const LARGEST: f32 = 0.02;
/// What stands in the hidden place, in HU: between white and grey matter.
const FILL: f32 = 30.0;
/// Values above this are head and no air, in HU.
const HEAD: f32 = -300.0;

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

/// A place inside of the head (column, row): the first of some random ones that holds no air, or else the middle.
pub(super) fn point_of_head(plane: &[f32], size: usize, seed: u64, purpose: &str) -> [f32; 2] {
    let mut random = random::stream(seed, purpose, &[]);
    for _ in 0..16 {
        let [col, row] = [(); 2].map(|()| (random.random::<f32>() * size as f32) as usize);
        let value = plane.get(row.min(size - 1) * size + col.min(size - 1));
        if value.is_some_and(|&value| value > HEAD) {
            return [col as f32, row as f32];
        }
    }
    [size as f32 / 2.0; 2]
}
