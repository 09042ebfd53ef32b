//! What a network sees of a slice: the one definition that training and inference share.

#[cfg(test)]
pub(crate) mod affine;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use falx_core::{Hu, SEED_WINDOWS, Window};
use falx_dicom::{CtSlice, DicomError, picture};
use serde::{Deserialize, Serialize};

use crate::augment::{Augmenter, FIELD_MM, Placement};
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
        self.finish(&mut hu, &mut Augmenter::new(), augment, out);
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
        let path = place.path;
        if augment.is_none() {
            let reader = &mut reader.dicom;
            reader.read_tensor(path, self.size, &self.windows, out)?;
            return Ok(());
        }
        let mut hu = vec![Hu::PADDING.0; self.size.saturating_mul(self.size)];
        reader.dicom.read_fitted(path, self.size, &mut hu)?;
        self.finish(&mut hu, &mut reader.augmenter, augment, out);
        Ok(())
    }

    /// From planes in HU (each size × size) to the channels: all windows of the first plane, of the second, and so on.
    fn finish(
        &self,
        planes: &mut [f32],
        augmenter: &mut Augmenter,
        augment: Option<&Placement>,
        out: &mut [f32],
    ) {
        let area = self.size.saturating_mul(self.size);
        if self.is_empty() {
            return;
        }
        let mut windows = Cow::Borrowed(&self.windows);
        if let Some(placement) = augment {
            augmenter.apply(placement, self.size, FIELD_MM / self.size as f32, planes);
            windows = Cow::Owned(placement.windows(&self.windows));
        }
        let channels = out.chunks_mut(area.saturating_mul(windows.len()));
        for (plane, out) in planes.chunks_exact(area).zip(channels) {
            picture::apply_windows(plane, &windows, out);
        }
    }
}
