//! A slice as it is shown: at true proportions, with its sides and its scale.

use falx_core::{Hu, Window};
use falx_dicom::picture::{FieldOfView, PictureGrid, fit};
use falx_dicom::{CtSlice, SliceHeader};

use crate::HeatMap;

/// A side of the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The right one.
    Right,
    /// The left one.
    Left,
}

impl Side {
    /// Its mark on pictures.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Right => "R",
            Self::Left => "L",
        }
    }
}

/// A slice in a square, in Hounsfield units.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceView {
    size: usize,
    hu: Vec<f32>,
    grid: PictureGrid,
    /// The patient's side that is on the picture's left, where the file says so.
    left: Option<Side>,
    /// The side of a picture's pixel in mm, where the file says so.
    mm: Option<f64>,
}

impl SliceView {
    /// Draws the whole slice into `size` × `size` pixels.
    pub fn new(slice: &CtSlice, size: usize) -> Self {
        let mut hu = vec![Hu::PADDING.0; size * size];
        fit(slice, size, &mut hu);
        let grid = PictureGrid::of(&slice.header, FieldOfView::default(), size);
        Self {
            size,
            hu,
            grid,
            left: left_side(&slice.header),
            mm: slice
                .header
                .pixel_spacing
                .map(|[_, across]| across * grid.step[1])
                .filter(|mm| mm.is_finite() && *mm > 0.0),
        }
    }

    /// Its side in pixels.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The patient's side that is on the picture's left; `None` where the file does not say.
    pub const fn left(&self) -> Option<Side> {
        self.left
    }

    /// How many of its pixels are `mm` long; `None` where the file does not say.
    pub fn pixels(&self, mm: f64) -> Option<f64> {
        self.mm.map(|pixel| mm / pixel)
    }

    /// Its grey levels through a window, row by row.
    pub fn grey(&self, window: Window) -> Vec<u8> {
        let levels = self.hu.iter().map(|&hu| window.unit_interval(Hu(hu)));
        levels.map(|level| (level * 255.0 + 0.5) as u8).collect()
    }

    /// A heat map on its pixels, row by row; `grid` says how the map's picture lies in the slice.
    pub fn heat(&self, map: &HeatMap, grid: &PictureGrid) -> Vec<f32> {
        let places = (0..self.size * self.size).map(|place| {
            let middle = [place / self.size, place % self.size].map(|at| at as f64 + 0.5);
            map.at(grid.in_picture(self.grid.in_slice(middle)))
        });
        places.collect()
    }
}

/// The patient's side on the left of a slice: rows that run to the patient's left begin on the right side.
///
/// Where rows do not run across the patient, as in a sagittal picture, there is none.
fn left_side(header: &SliceHeader) -> Option<Side> {
    let [across, ..] = header.image_orientation?;
    match across {
        0.5.. => Some(Side::Right),
        ..-0.5 => Some(Side::Left),
        _ => None,
    }
}
