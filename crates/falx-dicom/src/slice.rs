//! Checked CT slices.

use std::collections::BTreeSet;

use falx_core::Hu;

use crate::{Defect, SliceHeader};

/// A CT slice whose Hounsfield units are certain.
///
/// # Shape
/// `hu` and `padding` hold `header.rows` × `header.cols` values, row by row.
///
/// # Units
/// Hounsfield units; a padded pixel holds [`Hu::PADDING`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CtSlice {
    /// Identity, geometry and acquisition.
    pub header: SliceHeader,
    /// The image.
    pub hu: Vec<Hu>,
    /// True where the scanner measured nothing; `None` where no pixel is padding.
    pub padding: Option<Vec<bool>>,
    /// What was wrong with the file, each once, in the order of [`Defect::ALL`].
    pub defects: Vec<Defect>,
}

impl CtSlice {
    /// The smallest and the largest value, padding's filler included.
    pub fn hu_min_max(&self) -> (Hu, Hu) {
        let (low, high) = self
            .hu
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), hu| {
                (low.min(hu.0), high.max(hu.0))
            });
        (Hu(low), Hu(high))
    }
}

/// What a file holds: one slice, or the frames of a multi-frame image in their order in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// At least one. All have the file's defects; those of values are each slice's own.
    pub slices: Vec<CtSlice>,
}

impl Decoded {
    /// The slice of a file that holds one, `None` for several frames.
    pub fn into_slice(mut self) -> Option<CtSlice> {
        if self.slices.len() > 1 {
            return None;
        }
        self.slices.pop()
    }

    /// What was wrong with the file or any of its slices, each once, in the order of [`Defect::ALL`].
    pub fn defects(&self) -> Vec<Defect> {
        let all: BTreeSet<Defect> = self
            .slices
            .iter()
            .flat_map(|slice| slice.defects.iter().copied())
            .collect();
        all.into_iter().collect()
    }
}
