//! Which of a slice's pixels make a picture's pixel along one axis, and with which weights.

/// The weights of one axis; where they sum to less than 1, the rest is padding.
#[derive(Debug, Default)]
pub(super) struct Axis {
    /// First source pixel and number of weights of each target pixel.
    spans: Vec<(usize, usize)>,
    /// The weights of all target pixels, one after the other.
    weights: Vec<f32>,
}

impl Axis {
    /// Makes this the axis of `source` pixels of `step` source pixels a target pixel, with the source's `middle` in the
    /// middle of `target` pixels.
    pub(super) fn set(&mut self, source: usize, target: usize, step: f64, middle: f64) {
        self.spans.clear();
        self.weights.clear();
        self.spans.reserve(target);
        // Where the target's edge lies in source pixels.
        let start = middle - target as f64 * step / 2.0;
        for at in 0..target {
            let low = start + at as f64 * step;
            if step >= 1.0 {
                self.area(source, low, step);
            } else {
                self.linear(source, low + step / 2.0);
            }
        }
    }

    /// The mean over `low .. low + step`.
    fn area(&mut self, source: usize, low: f64, step: f64) {
        let high = (low + step).min(source as f64);
        let first = low.clamp(0.0, source as f64).floor() as usize;
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
        self.weights.extend(weights.iter().take(count));
        self.spans.push((first, count));
    }

    /// Each target pixel's first source pixel and weights.
    pub(super) fn taps(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let mut rest = self.weights.as_slice();
        self.spans.iter().map(move |&(first, count)| {
            let (weights, after) = rest.split_at_checked(count).unwrap_or_default();
            rest = after;
            (first, weights)
        })
    }
}
