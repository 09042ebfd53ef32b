//! Fitting a slice into a square: area averages where it shrinks, linear interpolation where it grows.

use falx_core::Hu;
use falx_dicom::CtSlice;

/// Which source pixels make a target pixel along one axis, and with which weights.
///
/// Weights that sum to less than 1 leave the rest to padding.
struct Axis {
    /// First source pixel and number of weights of each target pixel.
    spans: Vec<(usize, usize)>,
    /// The weights of all target pixels, one after the other.
    weights: Vec<f32>,
}

impl Axis {
    /// `source` pixels of `step` source pixels a target pixel, centred in `target` pixels.
    fn new(source: usize, target: usize, step: f64) -> Self {
        let mut axis = Self {
            spans: Vec::with_capacity(target),
            weights: Vec::new(),
        };
        // Where the target's edge lies in source pixels.
        let start = (source as f64 - target as f64 * step) / 2.0;
        for at in 0..target {
            let low = start + at as f64 * step;
            if step >= 1.0 {
                axis.area(source, low, step);
            } else {
                axis.linear(source, low + step / 2.0);
            }
        }
        axis
    }

    /// The mean over `low .. low + step`.
    fn area(&mut self, source: usize, low: f64, step: f64) {
        let high = (low + step).min(source as f64);
        let first = low.max(0.0).floor() as usize;
        let last = high.max(0.0).ceil() as usize;
        let before = self.weights.len();
        for pixel in first..last {
            let covered = high.min(pixel as f64 + 1.0) - low.max(pixel as f64);
            self.weights.push((covered.max(0.0) / step) as f32);
        }
        self.spans.push((first, self.weights.len() - before));
    }

    /// The value at `x`, between the two nearest pixel centres; nothing outside of the picture.
    fn linear(&mut self, source: usize, x: f64) {
        if x < 0.0 || x >= source as f64 {
            self.spans.push((0, 0));
            return;
        }
        let x = (x - 0.5).clamp(0.0, source as f64 - 1.0);
        let first = (x.floor() as usize).min(source.saturating_sub(2));
        let right = (x - first as f64) as f32;
        let weights = [1.0 - right, right];
        let count = weights.len().min(source);
        self.weights.extend(&weights[..count]);
        self.spans.push((first, count));
    }

    /// Each target pixel's first source pixel and weights.
    fn taps(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let mut rest = self.weights.as_slice();
        self.spans.iter().map(move |&(first, count)| {
            let (weights, after) = rest.split_at(count);
            rest = after;
            (first, weights)
        })
    }
}

/// The slice in HU, `size` × `size`, at its true proportions, centred, padded around.
pub(super) fn fit(slice: &CtSlice, size: usize) -> Vec<f32> {
    let (rows, cols) = (slice.header.rows, slice.header.cols);
    let mut fitted = vec![Hu::PADDING.0; size * size];
    if rows == 0 || cols == 0 || slice.hu.len() < rows * cols {
        return fitted;
    }
    let [between_rows, between_cols] = proportions(slice);
    let side = (rows as f64 * between_rows).max(cols as f64 * between_cols);
    let vertical = Axis::new(rows, size, side / size as f64 / between_rows);
    let horizontal = Axis::new(cols, size, side / size as f64 / between_cols);
    // Sums run over the distance to padding, so that missing weight is padding.
    let mut sums = vec![0.0_f32; cols];
    for ((first, weights), line) in vertical.taps().zip(fitted.chunks_exact_mut(size)) {
        sums.fill(0.0);
        for (row, &weight) in slice.hu.chunks_exact(cols).skip(first).zip(weights) {
            for (sum, hu) in sums.iter_mut().zip(row) {
                *sum += weight * (hu.0 - Hu::PADDING.0);
            }
        }
        for ((first, weights), out) in horizontal.taps().zip(line) {
            let values = sums.iter().skip(first).zip(weights);
            *out += values.map(|(sum, weight)| sum * weight).sum::<f32>();
        }
    }
    fitted
}

/// The relative size of a pixel, down and across; square where the file does not say.
fn proportions(slice: &CtSlice) -> [f64; 2] {
    match slice.header.pixel_spacing {
        // Beyond these bounds it is a mistake, not a picture.
        Some([down, across]) if (0.1..10.0).contains(&(down / across)) => [down / across, 1.0],
        _ => [1.0, 1.0],
    }
}
