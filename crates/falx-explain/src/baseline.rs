//! Maps that know no network, which a method must beat.

use falx_core::SEED_WINDOWS;
use falx_dicom::CtSlice;

use crate::heat_map::smooth;
use crate::region::{head, inside_skull, pixel_mm};

/// What is smaller is noise, not a blob: the standard deviation of the smoothing, in mm.
const BLOB_MM: f64 = 2.0;
/// The centre prior's standard deviation, as a share of the head's half extent.
const SPREAD: f64 = 0.5;

/// A map that knows no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Baseline {
    /// The brightest blob inside of the skull.
    Brightest,
    /// The middle of the head.
    Centre,
}

impl Baseline {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Brightest, Self::Centre];

    /// Its name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brightest => "brightest blob",
            Self::Centre => "centre prior",
        }
    }

    /// Its map of a slice.
    ///
    /// # Shape
    /// Rows × columns of the slice, row by row; from 0 on.
    pub fn map(self, slice: &CtSlice) -> Vec<f32> {
        match self {
            Self::Brightest => brightest(slice),
            Self::Centre => centre(slice),
        }
    }
}

/// How much brighter than the median inside of the skull a place is in the brain window, smoothed over 2 mm; 0 elsewhere.
pub fn brightest(slice: &CtSlice) -> Vec<f32> {
    let size = [slice.header.rows, slice.header.cols];
    let inside = inside_skull(slice);
    let window = SEED_WINDOWS[0];
    let shown = slice.hu.iter().zip(&inside);
    let values: Vec<f32> = shown
        .map(|(hu, is)| if *is { window.unit_interval(*hu) } else { 0.0 })
        .collect();
    let share: Vec<f32> = inside.iter().map(|is| f32::from(u8::from(*is))).collect();
    let [mm, _] = pixel_mm(slice);
    let [values, share] = [values, share].map(|x| smooth(&x, size, BLOB_MM / mm));
    let mut map: Vec<f32> = values
        .iter()
        .zip(&share)
        .zip(&inside)
        .map(|((value, share), is)| if *is { value / share } else { 0.0 })
        .collect();
    let mut within: Vec<f32> = map
        .iter()
        .zip(&inside)
        .filter(|(_, is)| **is)
        .map(|(value, _)| *value)
        .collect();
    within.sort_unstable_by(f32::total_cmp);
    let median = within.get(within.len() / 2).copied().unwrap_or(0.0);
    for value in &mut map {
        *value = (*value - median).max(0.0);
    }
    map
}

/// A Gaussian around the head's middle, half as wide as the head.
pub fn centre(slice: &CtSlice) -> Vec<f32> {
    let [middle, half] = head(slice);
    let (rows, cols) = (slice.header.rows, slice.header.cols);
    let along = |axis: usize, length: usize| -> Vec<f64> {
        let spread = SPREAD * half[axis].max(1.0);
        let at = |place: usize| ((place as f64 + 0.5 - middle[axis]) / spread).powi(2);
        (0..length).map(at).collect()
    };
    let (down, across) = (along(0, rows), along(1, cols));
    let mut map = Vec::with_capacity(rows * cols);
    for down in &down {
        map.extend(
            across
                .iter()
                .map(|across| (-0.5 * (down + across)).exp() as f32),
        );
    }
    map
}

#[cfg(test)]
mod tests {
    use falx_core::Hu;

    use super::*;
    use crate::heat_map::peak;
    use crate::region::tests::phantom;

    #[test]
    fn the_brightest_blob_is_a_clot_and_neither_bone_nor_a_bright_pixel() {
        let mut slice = phantom(false);
        for row in 70..78 {
            for col in 90..98 {
                slice.hu[row * 140 + col] = Hu(62.0);
            }
        }
        slice.hu[50 * 140 + 60] = Hu(80.0);
        let map = brightest(&slice);
        let place = peak(&map).unwrap();
        assert!((72..76).contains(&(place / 140)) && (92..96).contains(&(place % 140)));
        assert_eq!(map[0], 0.0);
        assert_eq!(map[60 * 140 + 122], 0.0, "bone");
        assert_eq!(map[60 * 140 + 70], 0.0, "brain is no brighter than brain");
    }

    #[test]
    fn the_centre_is_the_head_s() {
        let map = centre(&phantom(false));
        let place = peak(&map).unwrap();
        assert_eq!([place / 140, place % 140], [59, 79]);
        assert!(map[60 * 140 + 40] < 0.3 && map[0] < 0.1);
    }
}
