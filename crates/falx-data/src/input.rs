//! What a network sees of a slice: the one definition that training and inference share.

#[cfg(test)]
pub(crate) mod affine;
mod head;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use falx_core::{Hu, SEED_WINDOWS, Window};
use falx_dicom::picture::FieldOfView;
use falx_dicom::{CtSlice, DicomError, picture};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::augment::{Augmenter, FIELD_MM, Placement};
use crate::source::{Place, SliceReader};

/// The network's input: square pictures of a slice and of its neighbours, through windows.
///
/// # Shape
/// Channels are planes × windows: all windows of the first plane, then those of the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InputSpec {
    /// The picture's side in pixels.
    #[schemars(range(min = 16, max = 1024))]
    pub size: usize,
    /// The windows of each plane. One that holds all values (centre 1023.5, width 4095) shows plain HU, scaled.
    #[schemars(with = "Vec<[f32; 2]>", length(min = 1))]
    pub windows: Vec<Window>,
    /// The planes, by their distance from the slice in mm along its normal, from the feet upwards: 0 is the slice
    /// itself. Of each the nearest slice of the series is taken; beyond its end the last one.
    #[serde(skip_serializing_if = "is_slice_alone")]
    #[schemars(length(min = 1))]
    pub planes_mm: Vec<f32>,
    /// The side of a pixel in mm, the same for every slice; left out, a picture just holds its whole slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mm_per_pixel: Option<f32>,
    /// What the picture is centred on.
    #[serde(skip_serializing_if = "Crop::is_none")]
    pub crop: Crop,
    /// A slice's values beyond these HU are cut off before its picture is drawn. `[0, 80]` makes of DICOM what pictures of the
    /// brain window have kept, so that both are drawn alike; left out, windows come last alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_hu: Option<[f32; 2]>,
    /// A slice is cut off as its file's own window of brain shows it: values are first moved and stretched so that this window (Window
    /// Center and Window Width) becomes `clip_hu`, as in pictures that were saved through it. Files without one keep their values.
    #[serde(skip_serializing_if = "is_off")]
    pub own_window: bool,
    /// The numbers that a window's black and white become: `[0, 1]`, or those of the images that imported weights were
    /// trained on, such as `[-1, 1]`.
    #[serde(skip_serializing_if = "is_unit")]
    pub range: [f32; 2],
}

/// What a picture is centred on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// The slice's middle.
    #[default]
    None,
    /// The head: its middle is the picture's. Without `mm_per_pixel` the picture also shows little beside it.
    Head,
}

impl Crop {
    /// True where nothing is cut away.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Windows that show brain, by their centre and width in HU: of RSNA's files 30/80 to 47/80, 35/135, 40/150. One of bone or of lung says
/// nothing of where brain lies.
const BRAIN_WINDOWS: [RangeInclusive<f32>; 2] = [20.0..=70.0, 60.0..=200.0];

/// The first window of brain that a slice's file names.
fn brain_window(slice: &CtSlice) -> Option<Window> {
    let [centers, widths] = BRAIN_WINDOWS;
    let windows = slice.header.windows.iter().copied();
    let mut of_brain = windows
        .filter(|window| centers.contains(&window.center()) && widths.contains(&window.width()));
    of_brain.next()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
pub(crate) const fn is_off(flag: &bool) -> bool {
    !*flag
}

fn is_slice_alone(planes: &[f32]) -> bool {
    planes == [0.0]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_unit(range: &[f32; 2]) -> bool {
    *range == UNIT
}

/// What [`Window::unit_interval`] gives.
const UNIT: [f32; 2] = [0.0, 1.0];

impl Default for InputSpec {
    fn default() -> Self {
        Self {
            size: 128,
            windows: SEED_WINDOWS.to_vec(),
            planes_mm: vec![0.0],
            mm_per_pixel: None,
            crop: Crop::None,
            clip_hu: None,
            own_window: false,
            range: UNIT,
        }
    }
}

/// Why a slice cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The slice cannot be read.
    #[error(transparent)]
    Read(#[from] DicomError),
    /// The pixels' size is not known, and the input asks for it.
    #[error(
        "{path}: the file does not say how large its pixels are (Pixel Spacing), and `mm_per_pixel` needs it; leave such \
         slices out, or leave `mm_per_pixel` out"
    )]
    NoPixelSpacing {
        /// The slice.
        path: PathBuf,
    },
    /// A picture cannot be packed for a cache.
    #[error("{path}: its values cannot be packed for the cache; this is a bug in falx")]
    NotPacked {
        /// The slice.
        path: PathBuf,
    },
    /// The cache's copy is damaged, and there is no file to read instead.
    #[error(
        "{path}: its copy in the cache is damaged, and the file itself cannot be read ({source}); bring the file back and \
         mend the cache with `falx cache --check`"
    )]
    DamagedCache {
        /// The slice.
        path: PathBuf,
        /// Why the file cannot be read.
        source: Box<InputError>,
    },
}

impl InputError {
    /// The reason in one word, as an index names it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Read(error) => crate::index::reason(error),
            Self::NoPixelSpacing { .. } => "no_pixel_spacing",
            Self::NotPacked { .. } => "not_packed",
            Self::DamagedCache { .. } => "damaged_cache",
        }
    }
}

impl InputSpec {
    /// How many planes a sample has.
    pub fn planes(&self) -> usize {
        self.planes_mm.len()
    }

    /// How many channels.
    pub fn channels(&self) -> usize {
        self.windows.len().saturating_mul(self.planes())
    }

    /// How many numbers one plane of HU has.
    pub fn plane_len(&self) -> usize {
        self.size.saturating_mul(self.size)
    }

    /// How many numbers one slice becomes.
    pub fn len(&self) -> usize {
        self.channels().saturating_mul(self.plane_len())
    }

    /// True for a spec without pixels or channels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True where a picture just holds its whole slice as it is.
    pub(crate) fn shows_all(&self) -> bool {
        self.mm_per_pixel.is_none() && self.crop == Crop::None && self.clip_hu.is_none()
    }

    /// The slice without the values beyond [`InputSpec::clip_hu`], which are those beyond its own window where
    /// [`InputSpec::own_window`] says so.
    fn clipped<'a>(&self, slice: &'a CtSlice) -> Cow<'a, CtSlice> {
        let Some([low, high]) = self.clip_hu else {
            return Cow::Borrowed(slice);
        };
        let own = self.own_window.then(|| brain_window(slice)).flatten();
        let mut slice = slice.clone();
        if let Some(own) = own {
            for hu in &mut slice.hu {
                hu.0 = low + own.unit_interval(*hu) * (high - low);
            }
        }
        for hu in &mut slice.hu {
            hu.0 = hu.0.max(low).min(high);
        }
        Cow::Owned(slice)
    }

    /// Draws `slice` into `out`, as the only plane or the middle of several equal ones.
    ///
    /// Values beyond [`InputSpec::clip_hu`] are cut off first. The slice is fitted centrally into the square at its true proportions (Pixel Spacing) and averaged over
    /// areas in HU (interpolated where it must grow; [`picture`]); `augment` then moves it by one bilinear sampling in
    /// HU and changes its values; the windows come last. What lies outside of the slice is [`Hu::PADDING`].
    ///
    /// # Shape
    /// `out` is C × size × size; numbers beyond [`InputSpec::len`] are left alone, a shorter `out` gets the
    /// channels that fit.
    ///
    /// # Units
    /// HU in; [`InputSpec::range`] out ([`Window::unit_interval`]).
    pub fn render(&self, slice: &CtSlice, augment: Option<&Placement>, out: &mut [f32]) {
        let plane = self.plane_len();
        let mut hu = vec![Hu::PADDING.0; plane.saturating_mul(self.planes())];
        let slice = &*self.clipped(slice);
        let view = self.view_of(slice).unwrap_or_default();
        for plane in hu.chunks_exact_mut(plane.max(1)) {
            picture::fit_view(slice, view, self.size, plane);
        }
        self.change(&mut hu, &mut Augmenter::new(), augment);
        self.channels_of(&hu, augment, out);
    }

    /// Draws the slice at `place` into `out`: what [`InputSpec::render`] makes of it, for a plain DICOM file in one
    /// pass.
    ///
    /// # Errors
    /// [`InputError`] where the slice cannot be read or drawn.
    pub fn read(
        &self,
        reader: &mut SliceReader,
        place: Place<'_>,
        augment: Option<&Placement>,
        out: &mut [f32],
    ) -> Result<(), InputError> {
        let plane = self.plane_len();
        let mut hu = vec![Hu::PADDING.0; plane.saturating_mul(self.planes())];
        let mut planes = hu.chunks_exact_mut(plane.max(1));
        if let Some(first) = planes.next() {
            self.read_plane(reader, place, &mut None, first)?;
            for other in planes {
                other.copy_from_slice(first);
            }
        }
        self.change(&mut hu, &mut reader.augmenter, augment);
        self.channels_of(&hu, augment, out);
        Ok(())
    }

    /// Draws the slice at `place` in HU.
    ///
    /// All planes of a sample have the field of view of the first that is drawn, which `view` keeps.
    ///
    /// # Shape
    /// `hu` is size × size.
    ///
    /// # Errors
    /// As [`InputSpec::read`].
    pub fn read_plane(
        &self,
        reader: &mut SliceReader,
        place: Place<'_>,
        view: &mut Option<FieldOfView>,
        hu: &mut [f32],
    ) -> Result<(), InputError> {
        let slice = match reader.read_other(place) {
            Some(slice) => slice?,
            None if self.shows_all() => {
                reader.dicom.read_fitted(place.path, self.size, hu)?;
                return Ok(());
            }
            None => reader.dicom.read_slice(place.path)?,
        };
        self.draw_plane(&slice, place.path, view, hu)
    }

    /// Draws a slice that was read as [`InputSpec::read_plane`] does.
    pub(crate) fn draw_plane(
        &self,
        slice: &CtSlice,
        path: &Path,
        view: &mut Option<FieldOfView>,
        hu: &mut [f32],
    ) -> Result<(), InputError> {
        let slice = &*self.clipped(slice);
        let view = match *view {
            Some(view) => view,
            None => {
                *view.insert(
                    self.view_of(slice)
                        .ok_or_else(|| InputError::NoPixelSpacing {
                            path: path.to_owned(),
                        })?,
                )
            }
        };
        picture::fit_view(slice, view, self.size, hu);
        Ok(())
    }

    /// Which part of a slice is shown; `None` where the pixels' size must be known and is not.
    ///
    /// All planes of a sample show the part that is shown of the first one's slice.
    pub fn view(&self, slice: &CtSlice) -> Option<FieldOfView> {
        self.view_of(&self.clipped(slice))
    }

    /// The same of a slice that is clipped already.
    fn view_of(&self, slice: &CtSlice) -> Option<FieldOfView> {
        let head = match self.crop {
            Crop::None => None,
            Crop::Head => head::find(slice, self.clip_hu),
        };
        let side = match self.mm_per_pixel {
            Some(mm) => {
                let [_, across] = slice.header.pixel_spacing?;
                Some(f64::from(mm) * self.size as f64 / across)
            }
            None => head.map(|head| head.side),
        };
        Some(FieldOfView {
            middle: head.map(|head| head.middle),
            side,
        })
    }

    /// The side of a pixel in mm, where it is known; otherwise that of a usual field of view.
    fn pixel_mm(&self) -> f32 {
        self.mm_per_pixel
            .unwrap_or(FIELD_MM / self.size.max(1) as f32)
    }

    /// Changes planes as `augment` says.
    pub(crate) fn change(
        &self,
        planes: &mut [f32],
        augmenter: &mut Augmenter,
        augment: Option<&Placement>,
    ) {
        if let Some(placement) = augment.filter(|_| !self.is_empty()) {
            augmenter.apply(placement, self.size, self.pixel_mm(), planes);
        }
    }

    /// From the planes in HU to the channels, through the windows as `augment` moves them.
    pub(crate) fn channels_of(&self, hu: &[f32], augment: Option<&Placement>, out: &mut [f32]) {
        let windows = match augment {
            Some(placement) => Cow::Owned(placement.windows(&self.windows)),
            None => Cow::Borrowed(&self.windows),
        };
        let plane = self.plane_len().max(1);
        let channels = plane.saturating_mul(windows.len()).max(1);
        for (hu, out) in hu.chunks_exact(plane).zip(out.chunks_mut(channels)) {
            picture::apply_windows(hu, &windows, out);
            if self.range != UNIT {
                let [black, white] = self.range;
                let width = white - black;
                for x in out {
                    *x = black + width * *x;
                }
            }
        }
    }
}
