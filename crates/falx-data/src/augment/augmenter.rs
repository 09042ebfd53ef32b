//! From a draw to changed planes.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

use super::Placement;
use super::cutout;
use super::geometry::Geometry;
use super::kernel::Kernel;
use super::streaks::Streaks;
use super::texture::Texture;
use super::values::Values;

/// Changes the planes of samples; keeps buffers from sample to sample (one a thread).
///
/// The numbers are the same on every processor: nothing is multiplied and added in one step, and no sum runs over
/// several lanes.
#[derive(Debug, Default)]
pub struct Augmenter {
    geometry: Geometry,
    kernel: Kernel,
    /// Values that are added to a row.
    delta: Vec<f32>,
    /// The texture in use, and the pixel that it was asked for.
    texture: Option<(f32, Arc<Texture>)>,
}

impl Augmenter {
    /// An augmenter with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves `planes` by one sampling and changes their values; windows come later ([`Placement::windows`]).
    ///
    /// All planes of a sample are changed alike, but for their noise. What is [`falx_core::Hu::PADDING`] stays so, and
    /// what comes from outside of the picture becomes it. `z_shift_mm` and `thickness_mm` are the reader's to follow.
    ///
    /// # Shape
    /// `planes` is any number of `size` × `size`, one after the other.
    ///
    /// # Units
    /// HU, and mm a pixel (noise has a texture in mm).
    pub fn apply(&mut self, placement: &Placement, size: usize, pixel_mm: f32, planes: &mut [f32]) {
        if size == 0 {
            return;
        }
        if placement.texture_hu > 0.0 && self.texture.as_ref().is_none_or(|(of, _)| *of != pixel_mm)
        {
            self.texture = Some((pixel_mm, Texture::of(pixel_mm)));
        }
        Arch::new().dispatch(Apply {
            with: self,
            placement,
            size,
            planes,
        });
    }
}

struct Apply<'a> {
    with: &'a mut Augmenter,
    placement: &'a Placement,
    size: usize,
    planes: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            with,
            placement,
            size,
            planes,
        } = self;
        if !placement.keeps_geometry() {
            with.geometry.place(placement, size, planes);
        }
        if placement.sharpness != 0.0 {
            for plane in planes.chunks_exact_mut(size * size) {
                with.kernel.apply(placement.sharpness, size, plane);
            }
        }
        let seed = placement.noise_seed;
        let point = |planes: &[f32], purpose: &str| {
            // The slice itself is in the middle of its neighbours.
            let count = planes.len() / (size * size);
            let middle = planes.chunks_exact(size * size).nth(count / 2);
            cutout::point_of_head(middle.unwrap_or_default(), size, seed, purpose)
        };
        let streaks = (placement.streaks_hu > 0.0).then(|| {
            let point = point(planes, "streaks' point");
            Streaks::draw(placement.streaks_hu, point, size, seed)
        });
        let has_texture = placement.texture_hu > 0.0;
        if has_texture
            || streaks.is_some()
            || placement.noise_hu > 0.0
            || placement.hu_shift != 0.0
            || placement.hu_gain != 1.0
        {
            let texture = with.texture.as_ref().filter(|_| has_texture);
            let values = Values {
                placement,
                texture: texture.map(|(_, texture)| &**texture),
                streaks,
            };
            values.change(size, planes, &mut with.delta);
        }
        if placement.cutout > 0.0 {
            let point = point(planes, "cutout's point");
            cutout::cut(placement.cutout, point, size, planes, seed);
        }
    }
}
