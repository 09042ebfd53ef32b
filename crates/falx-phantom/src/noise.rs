//! Smooth random fields: value noise on a hashed lattice, and grids that hold costly fields of one head.

use rayon::prelude::*;

use crate::shape::Point;

fn lattice(x: i32, y: i32, z: i32, seed: u32) -> f32 {
    let mut h = seed
        ^ (x as u32).wrapping_mul(0x8DA6_B343)
        ^ (y as u32).wrapping_mul(0xD816_3841)
        ^ (z as u32).wrapping_mul(0xCB1A_B31F);
    h ^= h >> 16;
    h = h.wrapping_mul(0x7FEB_352D);
    h ^= h >> 15;
    h = h.wrapping_mul(0x846C_A68B);
    h ^= h >> 16;
    h as f32 * (2.0 / 4_294_967_296.0) - 1.0
}

/// Value noise in −1 ..= 1 whose features are about `size` mm wide.
pub fn value(p: Point, size: f32, seed: u32) -> f32 {
    let q = p.map(|c| c / size);
    let cell = q.map(f32::floor);
    let [fx, fy, fz] = std::array::from_fn(|i| {
        let t = q[i] - cell[i];
        t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
    });
    let [x, y, z] = cell.map(|c| c as i32);
    let row = |y, z| {
        let a = lattice(x, y, z, seed);
        a + (lattice(x + 1, y, z, seed) - a) * fx
    };
    let plane = |z| {
        let a = row(y, z);
        a + (row(y + 1, z) - a) * fy
    };
    let a = plane(z);
    a + (plane(z + 1) - a) * fz
}

/// A grid of four fields, read between its points by linear interpolation.
pub struct Field {
    origin: Point,
    step: f32,
    shape: [usize; 3],
    values: Vec<[f32; 4]>,
}

impl Field {
    /// Fills a grid of `step` mm over the box from `lo` to `hi`.
    pub fn fill(lo: Point, hi: Point, step: f32, at: impl Fn(Point) -> [f32; 4] + Sync) -> Self {
        let shape: [usize; 3] =
            std::array::from_fn(|i| ((hi[i] - lo[i]) / step).ceil() as usize + 2);
        let [nx, ny, _] = shape;
        let mut values = vec![[0.0; 4]; shape.iter().product()];
        values
            .par_chunks_mut(nx * ny)
            .enumerate()
            .for_each(|(k, plane)| {
                for (n, value) in plane.iter_mut().enumerate() {
                    let index = [n % nx, n / nx, k];
                    *value = at(std::array::from_fn(|i| lo[i] + index[i] as f32 * step));
                }
            });
        Self {
            origin: lo,
            step,
            shape,
            values,
        }
    }

    /// Turns one channel from a level into a first-order distance in mm to its zero set, at most `reach`.
    pub fn level_to_distance(&mut self, channel: usize, reach: f32) {
        let [nx, ny, nz] = self.shape;
        let level: Vec<f32> = self.values.iter().map(|v| v[channel]).collect();
        let step = self.step;
        self.values
            .par_chunks_mut(nx * ny)
            .enumerate()
            .for_each(|(z, plane)| {
                let at = |x: usize, y: usize, z: usize| level[(z * ny + y) * nx + x];
                for (n, value) in plane.iter_mut().enumerate() {
                    let (x, y) = (n % nx, n / nx);
                    let slope = |ahead: f32, behind: f32, steps: usize| {
                        (ahead - behind) / (steps.max(1) as f32 * step)
                    };
                    let (x0, x1) = (x.saturating_sub(1), (x + 1).min(nx - 1));
                    let (y0, y1) = (y.saturating_sub(1), (y + 1).min(ny - 1));
                    let (z0, z1) = (z.saturating_sub(1), (z + 1).min(nz - 1));
                    let gx = slope(at(x1, y, z), at(x0, y, z), x1 - x0);
                    let gy = slope(at(x, y1, z), at(x, y0, z), y1 - y0);
                    let gz = slope(at(x, y, z1), at(x, y, z0), z1 - z0);
                    let gradient = (gx * gx + gy * gy + gz * gz).sqrt().max(0.03);
                    value[channel] = (at(x, y, z) / gradient).clamp(-reach, reach);
                }
            });
    }

    /// The four fields at a point; the border's values outside.
    pub fn at(&self, p: Point) -> [f32; 4] {
        let mut index = [0_usize; 3];
        let mut part = [0.0_f32; 3];
        for i in 0..3 {
            let top = (self.shape[i] - 2) as f32;
            let q = ((p[i] - self.origin[i]) / self.step).clamp(0.0, top + 0.999);
            index[i] = (q as usize).min(self.shape[i] - 2);
            part[i] = q - index[i] as f32;
        }
        let [nx, ny, _] = self.shape;
        let start = (index[2] * ny + index[1]) * nx + index[0];
        let row = |start: usize| -> [f32; 4] {
            let (a, b) = (self.values[start], self.values[start + 1]);
            std::array::from_fn(|c| a[c] + (b[c] - a[c]) * part[0])
        };
        let plane = |start: usize| -> [f32; 4] {
            let (a, b) = (row(start), row(start + nx));
            std::array::from_fn(|c| a[c] + (b[c] - a[c]) * part[1])
        };
        let (a, b) = (plane(start), plane(start + nx * ny));
        std::array::from_fn(|c| a[c] + (b[c] - a[c]) * part[2])
    }
}
