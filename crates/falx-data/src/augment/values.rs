//! Offset, gain, noise and streaks, in one pass over the rows.

#![expect(
    clippy::inline_always,
    reason = "loops must become part of the function that pulp compiles for the processor"
)]

use falx_core::{Hu, random};
use rand::RngExt;
use rand_distr::StandardNormal;

use super::Placement;
use super::streaks::Streaks;
use super::texture::{TILE, Texture};

/// What is added to and multiplied with the values of a sample.
pub(super) struct Values<'a> {
    pub(super) placement: &'a Placement,
    pub(super) texture: Option<&'a Texture>,
    pub(super) streaks: Option<Streaks>,
}

impl Values<'_> {
    /// Changes every value that is not padding; `delta` is a buffer.
    #[inline(always)]
    pub(super) fn change(&self, size: usize, planes: &mut [f32], delta: &mut Vec<f32>) {
        let &Placement {
            hu_shift, hu_gain, ..
        } = self.placement;
        let mut white = (self.placement.noise_hu > 0.0)
            .then(|| random::stream(self.placement.noise_seed, "noise", &[]));
        let mut places = random::stream(self.placement.noise_seed, "texture", &[]);
        delta.clear();
        delta.resize(size, 0.0);
        for plane in planes.chunks_exact_mut(size * size) {
            // The noise of neighbouring slices is independent.
            let place: [[usize; 2]; 2] =
                [(); 2].map(|()| [(); 2].map(|()| (places.random::<u32>() as usize) % TILE));
            for (row, values) in plane.chunks_exact_mut(size).enumerate() {
                delta.fill(0.0);
                if let Some(texture) = self.texture {
                    self.add_texture(texture, place, row, delta);
                }
                if let Some(streaks) = &self.streaks {
                    streaks.add(row, delta);
                }
                let Some(random) = &mut white else {
                    for (value, delta) in values.iter_mut().zip(&*delta) {
                        let changed = *value * hu_gain + hu_shift + delta;
                        *value = if *value > Hu::PADDING.0 {
                            changed
                        } else {
                            *value
                        };
                    }
                    continue;
                };
                let values = values.iter_mut().zip(&*delta);
                for (value, delta) in values.filter(|(value, _)| **value > Hu::PADDING.0) {
                    let noise: f32 = random.sample(StandardNormal);
                    let shifted = *value * hu_gain + hu_shift;
                    *value = shifted + self.placement.noise_hu * noise + delta;
                }
            }
        }
    }

    #[inline(always)]
    fn add_texture(
        &self,
        texture: &Texture,
        places: [[usize; 2]; 2],
        row: usize,
        delta: &mut [f32],
    ) {
        // Independent parts of these shares have together the standard deviation that is asked for.
        let sharp = self.placement.texture_grain.clamp(0.0, 1.0);
        let shares = [(1.0 - sharp).sqrt(), sharp.sqrt()];
        for (grain, ([down, across], share)) in places.into_iter().zip(shares).enumerate() {
            let line = texture.row(grain, row + down);
            let (behind, before) = line.split_at(across.min(line.len()));
            let amount = share * self.placement.texture_hu;
            let mut rest = &mut *delta;
            let mut parts = [before, behind].into_iter().cycle();
            while let (false, Some(part)) = (rest.is_empty() || line.is_empty(), parts.next()) {
                let (now, later) = rest.split_at_mut(part.len().min(rest.len()));
                for (delta, noise) in now.iter_mut().zip(part) {
                    *delta += amount * noise;
                }
                rest = later;
            }
        }
    }
}
