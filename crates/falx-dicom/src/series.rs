//! From a heap of slices to a volume: order, spacing, tilt, and what stands against it.
//!
//! Slices are ordered by the projection of Image Position on the slice normal, ascending; never by file name or
//! Instance Number. Spacing is measured along the normal. The tilt is the angle between the normal and the line
//! through the first and the last position.

mod folder;
mod spacing;
mod vector;

use std::collections::BTreeMap;

use falx_core::Millimetre;

use crate::SliceHeader;
use crate::refusal::closed_list;
pub use folder::{Excluded, Folder, FolderFile, FolderSeries, FolderStudy, Standing, sort_folder};
pub(crate) use vector::{dot, normal};

/// Two positions closer than this along the normal are one position.
pub const POSITION_TOLERANCE: Millimetre = Millimetre(0.001);
/// Spacings that differ by no more than this are one spacing.
pub const SPACING_TOLERANCE: Millimetre = Millimetre(0.1);
/// A step between slices this far off the normal is a gantry tilt.
pub const TILT_TOLERANCE_DEG: f64 = 0.5;

closed_list! {
    /// What is odd about a series or a folder of slices.
    SeriesDefect {
        /// Two files have one SOP Instance UID and different content.
        DuplicateSopInstanceUid = "duplicate_sop_instance_uid",
        /// Two files have identical content; one was dropped.
        IdenticalCopy = "identical_copy",
        /// Two slices lie at one position.
        DuplicatePosition = "duplicate_position",
        /// One gap is a whole multiple (2 or more) of the common spacing.
        MissingSlice = "missing_slice",
        /// Spacings differ by more than 0.1 mm and are not explained by a single missing stretch.
        IrregularSpacing = "irregular_spacing",
        /// The step between slices is not along the slice normal (by more than 0.5 degrees).
        GantryTilt = "gantry_tilt",
        /// Pixel Spacing differs: no volume.
        MixedPixelSpacing = "mixed_pixel_spacing",
        /// Rows or Columns differ: no volume.
        MixedSize = "mixed_size",
        /// Image Orientation differs: no volume.
        MixedOrientation = "mixed_orientation",
        /// A slice has no usable Image Position or Image Orientation: no volume.
        PositionMissing = "position_missing",
        /// A localizer was left out.
        ExcludedLocalizer = "excluded_localizer",
        /// A file of another modality was left out.
        ExcludedNotCt = "excluded_not_ct",
        /// A derived image was left out.
        ExcludedDerived = "excluded_derived",
        /// There is only one slice: spacing is undefined.
        SingleSlice = "single_slice",
        /// There is more than one Series Instance UID in the folder; each is its own volume.
        MultipleSeries = "multiple_series",
    }
}

impl SeriesDefect {
    /// True where the defect leaves a slice's place undetermined, so that there is no volume.
    pub const fn forbids_volume(self) -> bool {
        matches!(
            self,
            Self::DuplicateSopInstanceUid
                | Self::DuplicatePosition
                | Self::MixedPixelSpacing
                | Self::MixedSize
                | Self::MixedOrientation
                | Self::PositionMissing
        )
    }
}

/// What [`arrange`] needs to know of a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SeriesSlice<'a> {
    /// SOP Instance UID.
    pub sop_instance_uid: Option<&'a str>,
    /// Rows of the image.
    pub rows: usize,
    /// Columns of the image.
    pub cols: usize,
    /// Image Position (Patient) in mm.
    pub image_position: Option<[f64; 3]>,
    /// Image Orientation (Patient).
    pub image_orientation: Option<[f64; 6]>,
    /// Pixel Spacing in mm.
    pub pixel_spacing: Option<[f64; 2]>,
    /// A digest of the whole file, where known: without it a copy counts as a duplicate UID.
    pub digest: Option<[u8; 32]>,
}

impl<'a> From<&'a SliceHeader> for SeriesSlice<'a> {
    fn from(header: &'a SliceHeader) -> Self {
        Self {
            // All frames of an image share its UID, and are no duplicates for it.
            sop_instance_uid: match header.frame_number {
                None => header.sop_instance_uid.as_deref(),
                Some(_) => None,
            },
            rows: header.rows,
            cols: header.cols,
            image_position: header.image_position,
            image_orientation: header.image_orientation,
            pixel_spacing: header.pixel_spacing,
            digest: None,
        }
    }
}

/// The order and geometry of one series. All indices count in the slices given to [`arrange`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesGeometry {
    /// The slices with a position, from the lowest position on the normal to the highest.
    pub order: Vec<usize>,
    /// The position of each slice of `order` along the normal.
    pub positions: Vec<Millimetre>,
    /// The unit normal that positions are measured along.
    pub normal: Option<[f64; 3]>,
    /// The gaps between neighbours in `order` along the normal, in mm.
    pub gaps_mm: Vec<f64>,
    /// The common spacing along the normal in mm, where there is one.
    pub spacing_mm: Option<f64>,
    /// The mean distance between neighbouring positions in space, in mm.
    pub step_mm: Option<f64>,
    /// The angle between the normal and the line through the first and the last position, in degrees.
    pub tilt_deg: Option<f64>,
    /// Neighbours in `order` at one position.
    pub duplicates: Vec<(usize, usize)>,
    /// After which slice how many are missing.
    pub missing: Vec<(usize, usize)>,
    /// Identical copies that were dropped: the copy, then the slice that was kept.
    pub dropped_copies: Vec<(usize, usize)>,
    /// Slices of different content that share a SOP Instance UID.
    pub duplicate_uids: Vec<Vec<usize>>,
    /// What is odd, each once, in the order of [`SeriesDefect::ALL`].
    pub defects: Vec<SeriesDefect>,
}

impl SeriesGeometry {
    /// True where there are slices and each one's place is determined, so that they form a volume.
    pub fn is_volume(&self) -> bool {
        !self.order.is_empty() && !self.defects.iter().any(|defect| defect.forbids_volume())
    }
}

/// Orders the slices of one series and measures its geometry.
///
/// Slices at one position keep the order in which they are given: give them sorted by name, so that the result does
/// not depend on the order of a directory.
///
/// # Units
/// Millimetres and degrees.
pub fn arrange(slices: &[SeriesSlice<'_>]) -> SeriesGeometry {
    let mut geometry = SeriesGeometry::default();
    let kept = without_copies(slices, &mut geometry);
    note_duplicate_uids(&kept, &mut geometry);
    note_mixtures(&kept, &mut geometry);
    let placed: Vec<_> = kept
        .iter()
        .filter_map(|&(index, slice)| {
            let unit = normal(slice.image_orientation?)?;
            Some((index, slice.image_position?, unit))
        })
        .collect();
    if placed.len() < kept.len() {
        geometry.defects.push(SeriesDefect::PositionMissing);
    }
    spacing::measure(&placed, &mut geometry);
    geometry.defects.sort_unstable();
    geometry.defects.dedup();
    geometry
}

type Indexed<'s, 'a> = (usize, &'s SeriesSlice<'a>);

fn without_copies<'s, 'a>(
    slices: &'s [SeriesSlice<'a>],
    geometry: &mut SeriesGeometry,
) -> Vec<Indexed<'s, 'a>> {
    let mut first_of: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    let mut kept = Vec::with_capacity(slices.len());
    for (index, slice) in slices.iter().enumerate() {
        let original = slice
            .digest
            .map_or(index, |digest| *first_of.entry(digest).or_insert(index));
        if original == index {
            kept.push((index, slice));
        } else {
            geometry.dropped_copies.push((index, original));
            geometry.defects.push(SeriesDefect::IdenticalCopy);
        }
    }
    kept
}

fn note_duplicate_uids(kept: &[Indexed<'_, '_>], geometry: &mut SeriesGeometry) {
    let mut of_uid: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &(index, slice) in kept {
        if let Some(uid) = slice.sop_instance_uid {
            of_uid.entry(uid).or_default().push(index);
        }
    }
    geometry.duplicate_uids = of_uid
        .into_values()
        .filter(|indices| indices.len() > 1)
        .collect();
    if !geometry.duplicate_uids.is_empty() {
        geometry.defects.push(SeriesDefect::DuplicateSopInstanceUid);
    }
}

fn note_mixtures(kept: &[Indexed<'_, '_>], geometry: &mut SeriesGeometry) {
    // Cosines are compared to three decimals: exporters round them differently within one series.
    let rounded = |slice: &SeriesSlice<'_>| {
        slice
            .image_orientation
            .map(|cosines| cosines.map(|x| (x * 1000.0).round()))
    };
    let mixtures = [
        (
            mixed(kept, |slice| slice.pixel_spacing),
            SeriesDefect::MixedPixelSpacing,
        ),
        (
            mixed(kept, |slice| (slice.rows, slice.cols)),
            SeriesDefect::MixedSize,
        ),
        (mixed(kept, rounded), SeriesDefect::MixedOrientation),
    ];
    for (is_mixed, defect) in mixtures {
        if is_mixed {
            geometry.defects.push(defect);
        }
    }
}

fn mixed<T: PartialEq>(kept: &[Indexed<'_, '_>], of: impl Fn(&SeriesSlice<'_>) -> T) -> bool {
    kept.windows(2).any(|pair| match pair {
        [(_, a), (_, b)] => of(a) != of(b),
        _ => false,
    })
}
