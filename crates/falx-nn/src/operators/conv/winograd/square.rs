//! F(4 x 4, 3 x 3).

use std::array::from_fn;

use pulp::Simd;
use rayon::prelude::*;

use super::{Finish, Tile, Winograd};

/// Results of a tile along one axis, what it sees there, and the numbers that this becomes along both.
pub(super) const TILE: usize = 4;
const SEEN: usize = 6;
pub(super) const POINTS: usize = SEEN * SEEN;

/// What a kernel becomes: the numbers of F(4, 3) for the points 0, 1, -1, 2, -2 and infinity.
const KERNEL: [[f64; 3]; SEEN] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// Writes kernels of 3 x 3 at each point: point, kernel.
pub(super) fn transform_kernels(weights: &[f32], transformed: &mut [f32]) {
    let (kernels, _) = weights.as_chunks::<9>();
    let rows = transformed.par_chunks_exact_mut(SEEN * kernels.len());
    rows.enumerate().for_each(|(row, points)| {
        for (place, kernel) in kernels.iter().enumerate() {
            let numbers = transform_kernel(kernel, row);
            for (point, number) in points.chunks_exact_mut(kernels.len()).zip(numbers) {
                point[place] = number;
            }
        }
    });
}

/// What a kernel becomes at the six points of a row.
fn transform_kernel(kernel: &[f32; 9], row: usize) -> [f32; SEEN] {
    let [a, b, c] = KERNEL[row];
    let line: [f64; 3] = from_fn(|column| {
        let number = |row: usize| f64::from(kernel[row * 3 + column]);
        a * number(0) + b * number(1) + c * number(2)
    });
    KERNEL.map(|[a, b, c]| (a * line[0] + b * line[1] + c * line[2]) as f32)
}

impl Winograd {
    /// What each tile sees, as 36 numbers a channel.
    #[inline(always)]
    pub(super) fn transform_squares<S: Simd>(
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
        for (index, tile) in tiles.iter().enumerate() {
            let image = self.seen(&images[tile.image..], &zeros);
            let seen: [[&[S::f32s]; SEEN]; SEEN] = from_fn(|row| {
                from_fn(|column| {
                    S::as_simd_f32s(image.pixel(tile.row + row, tile.column + column)).0
                })
            });
            for vector in 0..vectors {
                let mut along_rows = [[zero; SEEN]; SEEN];
                for column in 0..SEEN {
                    let number = |row: usize| seen[row][column].get(vector).copied();
                    let line = from_fn(|row| number(row).unwrap_or(zero));
                    let line = transform_pixels(simd, line);
                    for (row, number) in line.into_iter().enumerate() {
                        along_rows[row][column] = number;
                    }
                }
                let mut to = index * vectors + vector;
                for line in along_rows {
                    for number in transform_pixels(simd, line) {
                        pixels[to] = number;
                        to += point;
                    }
                }
            }
        }
    }

    /// The results of each tile from its 36 products a channel.
    #[inline(always)]
    pub(super) fn squares_back<S: Simd>(
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
        let zero = simd.splat_f32s(0.0);
        for (index, tile) in tiles.iter().enumerate() {
            let rows = TILE.min(output.rows - tile.row);
            let columns = TILE.min(output.columns - tile.column);
            let corner = (tile.to * output.columns + tile.column) * vectors;
            for (vector, &bias) in biases.iter().enumerate() {
                let first = index * vectors + vector;
                let mut along_rows = [[zero; SEEN]; TILE];
                for column in 0..SEEN {
                    let line = from_fn(|row| products[first + (row * SEEN + column) * point]);
                    let line = transform_products(simd, line);
                    for (row, number) in line.into_iter().enumerate() {
                        along_rows[row][column] = number;
                    }
                }
                for (row, line) in along_rows.into_iter().take(rows).enumerate() {
                    let line = transform_products(simd, line);
                    for (column, number) in line.into_iter().take(columns).enumerate() {
                        let to = corner + (row * output.columns + column) * vectors + vector;
                        let sum = simd.add_f32s(number, bias);
                        results[to] = finish.one(simd, sum, add.map(|add| add[to]));
                    }
                }
            }
        }
    }
}

/// Six pixels in a row at the six points.
#[inline(always)]
fn transform_pixels<S: Simd>(simd: S, d: [S::f32s; SEEN]) -> [S::f32s; SEEN] {
    let times = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
    let (even, odd) = (times(-4.0, d[2], d[4]), times(-4.0, d[1], d[3]));
    let (near, far) = (simd.sub_f32s(d[4], d[2]), simd.sub_f32s(d[3], d[1]));
    [
        times(4.0, d[0], times(-5.0, d[2], d[4])),
        simd.add_f32s(even, odd),
        simd.sub_f32s(even, odd),
        times(2.0, far, near),
        times(-2.0, far, near),
        times(4.0, d[1], times(-5.0, d[3], d[5])),
    ]
}

/// Four results in a row from their products at the six points.
#[inline(always)]
fn transform_products<S: Simd>(simd: S, m: [S::f32s; SEEN]) -> [S::f32s; TILE] {
    let times = |factor: f32, x, plus| simd.mul_add_f32s(simd.splat_f32s(factor), x, plus);
    let (one, other) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
    let (two, apart) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
    [
        simd.add_f32s(simd.add_f32s(m[0], one), two),
        times(2.0, apart, other),
        times(4.0, two, one),
        simd.add_f32s(times(8.0, apart, other), m[5]),
    ]
}
