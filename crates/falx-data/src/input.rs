//! What a network sees of a slice: the one definition that training and inference share.

mod affine;
mod resample;
#[cfg(test)]
mod tests;

use falx_core::{Hu, SEED_WINDOWS, Window, random};
use falx_dicom::CtSlice;
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::augment::Placement;

/// The network's input: a square picture with one channel a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputSpec {
    /// The picture's side in pixels.
    pub size: usize,
    /// One channel each.
    pub windows: Vec<Window>,
}

impl Default for InputSpec {
    fn default() -> Self {
        Self {
            size: 128,
            windows: SEED_WINDOWS.to_vec(),
        }
    }
}

impl InputSpec {
    /// How many channels.
    pub fn channels(&self) -> usize {
        self.windows.len()
    }

    /// How many numbers one slice becomes.
    pub fn len(&self) -> usize {
        self.channels()
            .saturating_mul(self.size)
            .saturating_mul(self.size)
    }

    /// True for a spec without pixels or channels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Draws `slice` into `out`.
    ///
    /// The slice is fitted centrally into the square at its true proportions (Pixel Spacing) and averaged over
    /// areas in HU (interpolated where it must grow); `augment` then moves it by one bilinear sampling in HU and
    /// changes its values; the windows come last. What lies outside of the slice is [`Hu::PADDING`].
    ///
    /// # Shape
    /// `out` is C × size × size; numbers beyond [`InputSpec::len`] are left alone, a shorter `out` gets the
    /// channels that fit.
    ///
    /// # Units
    /// HU in; 0 ..= 1 out ([`Window::unit_interval`]).
    pub fn render(&self, slice: &CtSlice, augment: Option<&Placement>, out: &mut [f32]) {
        if self.is_empty() {
            return;
        }
        let mut hu = resample::fit(slice, self.size);
        if let Some(placement) = augment {
            if !placement.keeps_geometry() {
                hu = affine::place(&hu, self.size, placement);
            }
            change_values(&mut hu, placement);
        }
        for (channel, window) in out
            .chunks_exact_mut(self.size * self.size)
            .zip(&self.windows)
        {
            for (out, &hu) in channel.iter_mut().zip(&hu) {
                *out = window.unit_interval(Hu(hu));
            }
        }
    }
}

/// Adds the offset and the noise wherever there is a picture.
fn change_values(hu: &mut [f32], placement: &Placement) {
    let is_noisy = placement.noise_hu > 0.0;
    if !is_noisy && placement.hu_shift == 0.0 {
        return;
    }
    let mut random = random::stream(placement.noise_seed, "noise", &[]);
    for value in hu.iter_mut().filter(|value| **value > Hu::PADDING.0) {
        *value += placement.hu_shift;
        if is_noisy {
            let noise: f32 = random.sample(StandardNormal);
            *value += placement.noise_hu * noise;
        }
    }
}
