//! What a network sees of a slice: the one definition that training and inference share.

mod affine;
#[cfg(test)]
mod tests;

use falx_core::{Hu, SEED_WINDOWS, Window, random};
use falx_dicom::{CtSlice, DicomError, picture};
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::augment::Placement;
use crate::source::{Place, SliceReader};

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
    /// areas in HU (interpolated where it must grow; [`picture`]); `augment` then moves it by one bilinear sampling in
    /// HU and changes its values; the windows come last. What lies outside of the slice is [`Hu::PADDING`].
    ///
    /// # Shape
    /// `out` is C × size × size; numbers beyond [`InputSpec::len`] are left alone, a shorter `out` gets the
    /// channels that fit.
    ///
    /// # Units
    /// HU in; 0 ..= 1 out ([`Window::unit_interval`]).
    pub fn render(&self, slice: &CtSlice, augment: Option<&Placement>, out: &mut [f32]) {
        let mut hu = vec![Hu::PADDING.0; self.size.saturating_mul(self.size)];
        picture::fit(slice, self.size, &mut hu);
        self.finish(hu, augment, out);
    }

    /// Draws the slice at `place` into `out`: what [`InputSpec::render`] makes of it, for a plain DICOM file in one
    /// pass.
    ///
    /// # Errors
    /// As [`SliceReader::read`].
    pub fn read(
        &self,
        reader: &mut SliceReader,
        place: Place<'_>,
        augment: Option<&Placement>,
        out: &mut [f32],
    ) -> Result<(), DicomError> {
        if let Some(slice) = reader.read_other(place) {
            self.render(&slice?, augment, out);
            return Ok(());
        }
        let (reader, path) = (&mut reader.dicom, place.path);
        if augment.is_none() {
            reader.read_tensor(path, self.size, &self.windows, out)?;
            return Ok(());
        }
        let mut hu = vec![Hu::PADDING.0; self.size.saturating_mul(self.size)];
        reader.read_fitted(path, self.size, &mut hu)?;
        self.finish(hu, augment, out);
        Ok(())
    }

    /// From the picture in HU to the channels.
    fn finish(&self, mut hu: Vec<f32>, augment: Option<&Placement>, out: &mut [f32]) {
        if let Some(placement) = augment {
            if !placement.keeps_geometry() {
                hu = affine::place(&hu, self.size, placement);
            }
            change_values(&mut hu, placement);
        }
        picture::apply_windows(&hu, &self.windows, out);
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
