//! A slice as a network sees it: a square picture of fixed size, in Hounsfield units or through windows.
//!
//! The slice is fitted centrally into a square of `size` × `size` pixels at its true proportions (Pixel Spacing). Where
//! it shrinks, a picture's pixel is the mean in HU over the area that it covers (which is what keeps it from aliasing);
//! where it grows, values are interpolated linearly between pixel centres. What lies outside of the slice is
//! [`Hu::PADDING`]. Windows ([`Window::unit_interval`]) come last, after the averaging.
//!
//! [`fit`] is that definition for a slice in memory. [`Reader::read_fitted`](crate::Reader::read_fitted) and
//! [`Reader::read_tensor`](crate::Reader::read_tensor) give the same bits in one pass from a file.

mod axis;
mod halving;
mod read;
mod resample;
mod target;
#[cfg(test)]
mod tests;

use falx_core::{Hu, Window};

use crate::pixels::whole_units::Values;
use crate::{CtSlice, Defect, SliceHeader};

use halving::{Halving, Sums};
pub(crate) use read::Drawing;
use resample::Resample;
use target::Target;

/// What a file says besides its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureInfo {
    /// Identity, geometry and acquisition.
    pub header: SliceHeader,
    /// What was wrong with the file, as in [`CtSlice::defects`].
    pub defects: Vec<Defect>,
}

/// Draws `slice` into the first `size` × `size` numbers of `hu`.
///
/// # Shape
/// `hu` is `size` × `size`, row by row. Numbers beyond are left alone; where it is shorter, all is left alone.
///
/// # Units
/// Hounsfield units; [`Hu::PADDING`] outside of the slice.
pub fn fit(slice: &CtSlice, size: usize, hu: &mut [f32]) {
    fit_view(slice, FieldOfView::default(), size, hu);
}

/// Draws the part of `slice` that `view` shows, as [`fit`] draws all of it.
///
/// # Shape
/// As [`fit`]. A field of view that is not finite, or has no extent, shows the whole slice.
///
/// # Units
/// As [`fit`].
pub fn fit_view(slice: &CtSlice, view: FieldOfView, size: usize, hu: &mut [f32]) {
    let Some(target) = Target::hu(size, hu) else {
        return;
    };
    let (rows, cols) = (slice.header.rows, slice.header.cols);
    let Some(values) = rows.checked_mul(cols).and_then(|n| slice.hu.get(..n)) else {
        return target.fill_padding();
    };
    let mut resample = Resample::default();
    resample.prepare(Geometry::viewed(&slice.header, view), size);
    resample.draw(values, target);
}

/// True where an image with this header fills its square of `size` by halving, so that [`fit_whole`] draws it.
pub fn is_halved(header: &SliceHeader, size: usize) -> bool {
    Halving::of(Geometry::of(header), size).is_some()
}

/// Draws an image of whole units as [`fit`] draws a slice, where its square is filled by halving the image once or several
/// times; false where it is not, and all is left alone.
///
/// # Shape
/// `whole` is the header's rows × columns, row by row; `hu` as in [`fit`].
///
/// # Units
/// Hounsfield units; of `whole` the two bytes of each signed number, the lower first.
pub fn fit_whole(header: &SliceHeader, whole: &[[u8; 2]], size: usize, hu: &mut [f32]) -> bool {
    let geometry = Geometry::of(header);
    let halving = Halving::of(geometry, size);
    let (Some(halving), Some(target)) = (halving, Target::hu(size, hu)) else {
        return false;
    };
    let is_image = geometry.rows.checked_mul(geometry.cols) == Some(whole.len());
    let values = Values::whole_units();
    is_image
        && halving
            .draw(&values, whole, &mut Sums::default(), target)
            .is_ok()
}

/// Turns a picture in HU into one channel a window.
///
/// # Shape
/// `hu` is a picture; `out` is windows × the picture. A shorter `out` gets the channels that fit, numbers beyond are
/// left alone.
///
/// # Units
/// HU in, 0 ..= 1 out ([`Window::unit_interval`]).
pub fn apply_windows(hu: &[f32], windows: &[Window], out: &mut [f32]) {
    if let Some(target) = Target::windows_of(hu.len(), windows, out) {
        target.put_all(hu);
    }
}

/// Which part of a slice its picture shows: a square around a point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FieldOfView {
    /// Where the picture's middle lies, in pixels from the slice's upper left corner, down and across; `None` for the
    /// slice's own middle.
    pub middle: Option<[f64; 2]>,
    /// The square's side, in the slice's columns; `None` for a square that just holds the whole slice.
    pub side: Option<f64>,
}

/// Where a picture's pixels lie in its slice, and a slice's in its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureGrid {
    /// Where the picture's upper left corner lies, in the slice's pixels from its own, down and across.
    pub corner: [f64; 2],
    /// The side of a picture's pixel in the slice's pixels, down and across.
    pub step: [f64; 2],
}

impl PictureGrid {
    /// The grid of the picture of `size` × `size` pixels that [`fit_view`] draws of a slice with this header.
    pub fn of(header: &SliceHeader, view: FieldOfView, size: usize) -> Self {
        let geometry = Geometry::viewed(header, view);
        let step = geometry.steps(size.max(1));
        let middle = geometry.middle();
        let half = size as f64 / 2.0;
        Self {
            corner: std::array::from_fn(|axis| middle[axis] - half * step[axis]),
            step,
        }
    }

    /// Where a point of the slice lies in the picture; both count pixels from the upper left corner, down and across, so that
    /// the first pixel's middle is at 0.5.
    pub fn in_picture(&self, point: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|axis| (point[axis] - self.corner[axis]) / self.step[axis])
    }

    /// Where a point of the picture lies in the slice, counted alike.
    pub fn in_slice(&self, point: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|axis| self.corner[axis] + point[axis] * self.step[axis])
    }
}

/// What decides how a slice lies in its square.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Geometry {
    rows: usize,
    cols: usize,
    /// The relative size of a pixel, down and across.
    proportions: [f64; 2],
    view: FieldOfView,
}

impl Geometry {
    fn of(header: &SliceHeader) -> Self {
        // Square where the file does not say; beyond these bounds it is a mistake, not a picture.
        let proportions = match header.pixel_spacing {
            Some([down, across]) if (0.1..10.0).contains(&(down / across)) => [down / across, 1.0],
            _ => [1.0, 1.0],
        };
        Self {
            rows: header.rows,
            cols: header.cols,
            proportions,
            view: FieldOfView::default(),
        }
    }

    /// The same for a part of the image; a view that is not finite, or has no extent, shows all of it.
    fn viewed(header: &SliceHeader, view: FieldOfView) -> Self {
        let is_usable = |x: &f64| x.is_finite();
        Self {
            view: FieldOfView {
                middle: view.middle.filter(|middle| middle.iter().all(is_usable)),
                side: view.side.filter(|side| side.is_finite() && *side > 0.0),
            },
            ..Self::of(header)
        }
    }

    /// The side of a picture's pixel in the slice's pixels, down and across.
    fn steps(&self, size: usize) -> [f64; 2] {
        let [down, across] = self.proportions;
        let whole = (self.rows as f64 * down).max(self.cols as f64 * across);
        let side = self.view.side.unwrap_or(whole);
        [down, across].map(|proportion| side / size as f64 / proportion)
    }

    /// Where the picture's middle lies in the slice's pixels, down and across.
    fn middle(&self) -> [f64; 2] {
        let own = [self.rows, self.cols].map(|pixels| pixels as f64 / 2.0);
        self.view.middle.unwrap_or(own)
    }
}

/// Padding's filler, as the picture's numbers are.
const PADDING: f32 = Hu::PADDING.0;
