//! A smooth displacement that never folds.
//!
//! # Source
//! Lee, Wolberg, Shin 1997 (free-form deformation by cubic B-splines); Choi, Lee 2000: below 0.48 cells of displacement of
//! the control points the map is one to one.

#![expect(
    clippy::inline_always,
    reason = "loops must become part of the function that pulp compiles for the processor"
)]

use falx_core::random;

use super::symmetric;

/// Cells along a side.
const CELLS: usize = 6;
/// Control points along a side.
const POINTS: usize = CELLS + 3;
/// The largest displacement of a control point, as a share of the side: 0.39 cells, below the 0.48 that cannot fold.
pub(super) const LARGEST: f32 = 0.065;

/// Numbers that the widest vectors take at once.
const LANES: usize = 16;

/// Displacements of one draw, and the splines' weights for one size.
#[derive(Debug, Default)]
pub(super) struct Elastic {
    size: usize,
    /// The four weights of every pixel along an axis.
    weights: [Vec<f32>; 4],
    /// Where each cell begins, in pixels, and where the last one ends.
    starts: Vec<usize>,
    /// Displacements of the control points in pixels: across, down.
    points: [[[f32; POINTS]; POINTS]; 2],
}

impl Elastic {
    /// Draws the control points for a picture of `size`, displaced by up to `share` of its side.
    pub(super) fn draw(&mut self, size: usize, share: f32, seed: u64) {
        self.prepare(size);
        let largest = share.clamp(0.0, LARGEST) * size as f32;
        let mut random = random::stream(seed, "elastic", &[]);
        for value in self.points.iter_mut().flatten().flatten() {
            *value = largest * symmetric(&mut random);
        }
    }

    fn prepare(&mut self, size: usize) {
        if self.size == size {
            return;
        }
        self.size = size;
        self.starts.clear();
        for weights in &mut self.weights {
            weights.clear();
        }
        for at in 0..size {
            let place = (at as f32 + 0.5) / size as f32 * CELLS as f32;
            let cell = (place as usize).min(CELLS - 1);
            while self.starts.len() <= cell {
                self.starts.push(at);
            }
            let t = place - cell as f32;
            let s = 1.0 - t;
            let splines = [
                s * s * s / 6.0,
                (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
                (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0,
                t * t * t / 6.0,
            ];
            for (weights, spline) in self.weights.iter_mut().zip(splines) {
                weights.push(spline);
            }
        }
        self.starts.resize(CELLS + 1, size);
    }

    /// The displacements of a row's pixels, across and down, in pixels.
    #[inline(always)]
    pub(super) fn row(&self, row: usize, across: &mut [f32], down: &mut [f32]) {
        let cell = self.starts.partition_point(|&start| start <= row);
        let cell = cell.saturating_sub(1).min(CELLS - 1);
        let weight = |k: usize| {
            let weights = self.weights.get(k);
            weights.and_then(|w| w.get(row)).copied().unwrap_or(0.0)
        };
        let weight: [f32; 4] = std::array::from_fn(weight);
        for (points, out) in self.points.iter().zip([across, down]) {
            let mut line = [0.0_f32; POINTS];
            for (points, weight) in points.iter().skip(cell).zip(weight) {
                for (sum, point) in line.iter_mut().zip(points) {
                    *sum += weight * point;
                }
            }
            self.across(&line, out);
        }
    }

    /// One row of control points, drawn out to pixels.
    ///
    /// Whole lanes at a time: what a cell writes beyond its end the next one writes anew.
    #[inline(always)]
    fn across(&self, line: &[f32; POINTS], out: &mut [f32]) {
        let [w0, w1, w2, w3] = &self.weights;
        for (ends, points) in self.starts.windows(2).zip(line.windows(4)) {
            let (&[start, end], &[a, b, c, d]) = (ends, points) else {
                continue;
            };
            let end = (start + (end - start).next_multiple_of(LANES)).min(self.size);
            let (Some(out), Some(w0), Some(w1), Some(w2), Some(w3)) = (
                out.get_mut(start..end),
                w0.get(start..end),
                w1.get(start..end),
                w2.get(start..end),
                w3.get(start..end),
            ) else {
                continue;
            };
            let weights = w0.iter().zip(w1).zip(w2.iter().zip(w3));
            for (out, ((w0, w1), (w2, w3))) in out.iter_mut().zip(weights) {
                *out = (w0 * a + w1 * b) + (w2 * c + w3 * d);
            }
        }
    }
}
