//! The definition of a recipe's first changes, pixel by pixel: what the fast ones are held against.

use falx_core::{Hu, random};
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::augment::Placement;

/// `hu` (`size` × `size`) as `placement` lays it.
pub(crate) fn place(hu: &[f32], size: usize, placement: &Placement) -> Vec<f32> {
    let middle = size as f32 / 2.0;
    let (sin, cos) = f64::from(placement.rotate_deg).to_radians().sin_cos();
    let (sin, cos) = (sin as f32 / placement.scale, cos as f32 / placement.scale);
    let mirror = if placement.flip { -1.0 } else { 1.0 };
    let [right, down] = placement.shift.map(|share| share * size as f32);
    let mut placed = Vec::with_capacity(size * size);
    for row in 0..size {
        let y = row as f32 + 0.5 - middle - down;
        for col in 0..size {
            // Backwards: undo the shift, then rotation and size, then the mirror.
            let x = col as f32 + 0.5 - middle - right;
            let source_x = mirror * (cos * x + sin * y) + middle - 0.5;
            let source_y = cos * y - sin * x + middle - 0.5;
            placed.push(bilinear(hu, size, source_x, source_y));
        }
    }
    placed
}

/// The value at a place between pixel centres; padding outside.
#[inline]
fn bilinear(hu: &[f32], size: usize, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    let (left, top) = (left as i32, top as i32);
    let inside = 0..size as i32 - 1;
    let [a, b, c, d] = if inside.contains(&left) && inside.contains(&top) {
        let at = top as usize * size + left as usize;
        match (hu.get(at..at + 2), hu.get(at + size..at + size + 2)) {
            (Some(&[a, b]), Some(&[c, d])) => [a, b, c, d],
            _ => [Hu::PADDING.0; 4],
        }
    } else {
        [
            (left, top),
            (left + 1, top),
            (left, top + 1),
            (left + 1, top + 1),
        ]
        .map(|(col, row)| {
            let is_inside = (0..size as i32).contains(&col) && (0..size as i32).contains(&row);
            let at = row.wrapping_mul(size as i32).wrapping_add(col) as usize;
            if is_inside {
                hu.get(at).copied().unwrap_or(Hu::PADDING.0)
            } else {
                Hu::PADDING.0
            }
        })
    };
    let upper = a + dx * (b - a);
    let lower = c + dx * (d - c);
    upper + dy * (lower - upper)
}

/// Adds the offset and the white noise wherever there is a picture.
pub(crate) fn change_values(hu: &mut [f32], placement: &Placement) {
    let mut random = random::stream(placement.noise_seed, "noise", &[]);
    for value in hu.iter_mut().filter(|value| **value > Hu::PADDING.0) {
        *value += placement.hu_shift;
        let noise: f32 = random.sample(StandardNormal);
        *value += placement.noise_hu * noise;
    }
}
