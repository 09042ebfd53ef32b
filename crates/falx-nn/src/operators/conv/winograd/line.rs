//! F(2, 7), along rows or along columns.

use std::array::from_fn;

use pulp::Simd;
use rayon::prelude::*;

use super::{Finish, Tile, Winograd};

/// Taps of a kernel, results of a tile, and what it sees, which becomes as many numbers.
pub(super) const TAPS: usize = 7;
pub(super) const TILE: usize = 2;
pub(super) const POINTS: usize = TAPS + TILE - 1;

/// The points at which pixels and kernels are evaluated, before infinity, and what the kernel is multiplied by there.
const KERNEL: [(f64, f64); POINTS - 1] = [
    (0.0, 1.0),
    (1.0, -2.0 / 9.0),
    (-1.0, -2.0 / 9.0),
    (2.0, 1.0 / 90.0),
    (-2.0, 1.0 / 90.0),
    (0.5, 32.0 / 45.0),
    (-0.5, 32.0 / 45.0),
];

/// Writes kernels of 7 at each point: point, kernel.
pub(super) fn transform_kernels(weights: &[f32], transformed: &mut [f32]) {
    let (kernels, _) = weights.as_chunks::<TAPS>();
    let points = transformed.par_chunks_exact_mut(kernels.len());
    points.enumerate().for_each(|(point, numbers)| {
        for (number, kernel) in numbers.iter_mut().zip(kernels) {
            *number = KERNEL.get(point).map_or(kernel[TAPS - 1], |&(x, factor)| {
                let polynomial = kernel.iter().rev();
                (factor * polynomial.fold(0.0, |sum, &k| sum * x + f64::from(k))) as f32
            });
        }
    });
}

impl Winograd {
    /// What each tile sees, as 8 numbers a channel.
    #[inline(always)]
    pub(super) fn transform_lines<S: Simd>(
        &self,
        simd: S,
        images: &[f32],
        tiles: &[Tile],
        pixels: &mut [f32],
    ) {
        let channels = self.input.channels;
        let (zero, zeros) = (simd.splat_f32s(0.0), vec![0.0; channels]);
        let (pixels, _) = S::as_mut_simd_f32s(pixels);
        let vectors = channels / S::F32_LANES;
        let point = tiles.len() * vectors;
        let [down, right] = self.form.step();
        for (index, tile) in tiles.iter().enumerate() {
            let image = self.seen(&images[tile.image..], &zeros);
            let seen: [&[S::f32s]; POINTS] = from_fn(|place| {
                let (row, column) = (tile.row + place * down, tile.column + place * right);
                S::as_simd_f32s(image.pixel(row, column)).0
            });
            for vector in 0..vectors {
                let line = seen.map(|pixel| pixel.get(vector).copied().unwrap_or(zero));
                let mut to = index * vectors + vector;
                for number in transform_pixels(simd, line) {
                    pixels[to] = number;
                    to += point;
                }
            }
        }
    }

    /// The results of each tile from its 8 products a channel.
    #[inline(always)]
    pub(super) fn lines_back<S: Simd>(
        &self,
        simd: S,
        products: &[f32],
        tiles: &[Tile],
        results: &mut [f32],
        finish: Finish<'_>,
    ) {
        let output = self.output;
        let (products, _) = S::as_simd_f32s(products);
        let (results, _) = S::as_mut_simd_f32s(results);
        let (biases, _) = S::as_simd_f32s(&self.bias);
        let add = finish.add.map(|add| S::as_simd_f32s(add).0);
        let vectors = output.channels / S::F32_LANES;
        let point = tiles.len() * vectors;
        let [down, right] = self.form.step();
        let next = (down * output.columns + right) * vectors;
        for (index, tile) in tiles.iter().enumerate() {
            // The last tile of a line may have one result.
            let left = (output.rows - tile.row) * down + (output.columns - tile.column) * right;
            let corner = (tile.to * output.columns + tile.column) * vectors;
            for (vector, &bias) in biases.iter().enumerate() {
                let first = index * vectors + vector;
                let line = from_fn(|place| products[first + place * point]);
                let line = transform_products(simd, line);
                let mut to = corner + vector;
                for number in line.into_iter().take(left) {
                    let sum = simd.add_f32s(number, bias);
                    results[to] = finish.one(simd, sum, add.map(|add| add[to]));
                    to += next;
                }
            }
        }
    }
}

/// Eight pixels in a line at the eight points.
#[inline(always)]
fn transform_pixels<S: Simd>(simd: S, d: [S::f32s; POINTS]) -> [S::f32s; POINTS] {
    let times = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
    let scaled = |factor: f32, x| simd.mul_f32s(simd.splat_f32s(factor), x);
    // What points of both signs have in common, and what they have with opposite signs.
    let one = (
        times(-4.25, d[4], simd.add_f32s(d[2], d[6])),
        times(-4.25, d[3], simd.add_f32s(d[1], d[5])),
    );
    let two = (
        times(-1.25, d[4], times(0.25, d[2], d[6])),
        times(0.5, d[1], times(-2.5, d[3], scaled(2.0, d[5]))),
    );
    let half = (
        times(-5.0, d[4], times(4.0, d[2], d[6])),
        times(2.0, d[1], times(-2.5, d[3], scaled(0.5, d[5]))),
    );
    [
        times(5.25, simd.sub_f32s(d[4], d[2]), simd.sub_f32s(d[0], d[6])),
        simd.add_f32s(one.0, one.1),
        simd.sub_f32s(one.0, one.1),
        simd.add_f32s(two.0, two.1),
        simd.sub_f32s(two.0, two.1),
        simd.add_f32s(half.0, half.1),
        simd.sub_f32s(half.0, half.1),
        times(5.25, simd.sub_f32s(d[3], d[5]), simd.sub_f32s(d[7], d[1])),
    ]
}

/// Two neighbouring results from their products at the eight points.
#[inline(always)]
fn transform_products<S: Simd>(simd: S, m: [S::f32s; POINTS]) -> [S::f32s; TILE] {
    let times = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
    let [one, two, half] = [1, 3, 5].map(|at| simd.add_f32s(m[at], m[at + 1]));
    let [one_apart, two_apart, half_apart] = [1, 3, 5].map(|at| simd.sub_f32s(m[at], m[at + 1]));
    [
        simd.add_f32s(simd.add_f32s(m[0], one), simd.add_f32s(two, half)),
        times(
            0.5,
            half_apart,
            times(2.0, two_apart, simd.add_f32s(one_apart, m[7])),
        ),
    ]
}
