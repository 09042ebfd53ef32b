//! Fitting an image into a square for every geometry: weighted sums down, then across.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

use falx_core::Hu;
use pulp::{Arch, Simd, WithSimd};

use super::axis::Axis;
use super::target::Target;
use super::{Geometry, PADDING};

/// The weights for one geometry and size, and what the sums need; all is kept for the next image.
#[derive(Debug, Default)]
pub(super) struct Resample {
    made_for: Option<(Geometry, usize)>,
    down: Axis,
    across: Axis,
    sums: Vec<f32>,
    row: Vec<f32>,
}

impl Resample {
    /// Makes the weights, if they are not those of the last image.
    pub(super) fn prepare(&mut self, geometry: Geometry, size: usize) {
        if self.made_for == Some((geometry, size)) {
            return;
        }
        let [step_down, step_across] = geometry.steps(size);
        let [middle_down, middle_across] = geometry.middle();
        self.down.set(geometry.rows, size, step_down, middle_down);
        self.across
            .set(geometry.cols, size, step_across, middle_across);
        self.sums.clear();
        self.sums.resize(geometry.cols, 0.0);
        self.row.clear();
        self.row.resize(size, 0.0);
        self.made_for = Some((geometry, size));
    }

    /// Draws an image of the geometry that the weights were made for.
    pub(super) fn draw(&mut self, hu: &[Hu], target: Target<'_>) {
        Arch::new().dispatch(Draw {
            with: self,
            hu,
            target,
        });
    }
}

struct Draw<'a, 't> {
    with: &'a mut Resample,
    hu: &'a [Hu],
    target: Target<'t>,
}

impl WithSimd for Draw<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            with,
            hu,
            mut target,
        } = self;
        let Resample {
            made_for,
            down,
            across,
            sums,
            row,
        } = with;
        let cols = made_for.map_or(0, |(geometry, _)| geometry.cols);
        if cols == 0 {
            return target.fill_padding();
        }
        // Sums run over the distance to padding, so that missing weight is padding.
        for (at, (first, weights)) in down.taps().enumerate() {
            sums.fill(0.0);
            for (line, &weight) in hu.chunks_exact(cols).skip(first).zip(weights) {
                for (sum, hu) in sums.iter_mut().zip(line) {
                    *sum += weight * (hu.0 - PADDING);
                }
            }
            for ((first, weights), out) in across.taps().zip(row.iter_mut()) {
                let values = sums.iter().skip(first).zip(weights);
                *out = PADDING + values.map(|(sum, weight)| sum * weight).sum::<f32>();
            }
            target.put(at, row, !S::IS_SCALAR);
        }
    }
}
