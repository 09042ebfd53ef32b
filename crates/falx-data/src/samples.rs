//! The slices that a loader gives: where they lie stands on the disk, so that a million of them take some megabytes.

mod read;
mod rows;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::path::PathBuf;

use falx_core::{ImageId, LabelRow, Window};
use rand::seq::SliceRandom;

use crate::index::{Index, IndexRow};
use crate::split::Split;
use crate::table::TableError;
use rows::{Head, Rows, RowsWriter};

/// One slice to load.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where its bytes are ([`crate::location::Location`]).
    pub path: PathBuf,
    /// The window of a slice that comes from a picture.
    pub window: Option<Window>,
    /// The slice.
    pub image_id: ImageId,
    /// Its labels.
    pub labels: LabelRow,
    /// Its row in the index; what a cache goes by.
    pub row: u32,
}

/// Slices in the order of their index: by study, series and position.
///
/// In memory a slice takes the two bytes of its labels. The rest is in files without a name, which the system removes by
/// itself.
#[derive(Debug)]
pub struct Samples {
    labels: Vec<Packed>,
    rows: Rows,
}

/// Why there are no samples.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// The index or the split cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The temporary file cannot be written or read.
    #[error(
        "cannot keep the list of slices in the temporary folder: {0}; make room there, or name another with TMPDIR"
    )]
    Temporary(#[from] std::io::Error),
    /// The split has slices that the index has not, or has them in another order.
    #[error("the split does not fit the index, from slice {image} on; run `falx split` again")]
    OtherSplit {
        /// The split's first slice that was not found.
        image: ImageId,
    },
    /// More slices than 32 bits can number.
    #[error("more than four thousand million slices; use fewer")]
    TooMany,
    /// A place that is none.
    #[error("there is no slice {index} among {len}")]
    NoSuch {
        /// What was asked for.
        index: usize,
        /// How many there are.
        len: usize,
    },
}

impl Samples {
    /// The usable rows of an index.
    ///
    /// # Errors
    /// [`SamplesError::Temporary`] where there is no room for their list.
    pub fn of_index(index: &Index) -> Result<Self, SamplesError> {
        Self::of_rows((0..).zip(&index.rows).filter(|(_, row)| row.usable))
    }

    /// The usable rows of an index that are in some folds of a split.
    ///
    /// # Errors
    /// As [`Samples::of_index`].
    pub fn of_folds(index: &Index, split: &Split, folds: &[i32]) -> Result<Self, SamplesError> {
        let fold_of = split.folds();
        let is_in = |row: &IndexRow| {
            let fold = fold_of.get(&row.image_id);
            row.usable && fold.is_some_and(|fold| folds.contains(fold))
        };
        Self::of_rows((0..).zip(&index.rows).filter(|(_, row)| is_in(row)))
    }

    /// Slices of which no series is known: each is its own only neighbour.
    ///
    /// # Errors
    /// As [`Samples::of_index`].
    pub fn of_list<S: Borrow<Sample>>(
        slices: impl IntoIterator<Item = S>,
    ) -> Result<Self, SamplesError> {
        let mut builder = Builder::new()?;
        for slice in slices {
            let slice = slice.borrow();
            builder.add(&Described {
                row: slice.row,
                path: &slice.path.to_string_lossy(),
                window: slice.window,
                image_id: slice.image_id.as_str(),
                study: None,
                series: None,
                z_mm: None,
                labels: slice.labels,
            })?;
        }
        builder.finish()
    }

    /// Index rows with their numbers, in the index's order.
    fn of_rows<'a>(rows: impl Iterator<Item = (u32, &'a IndexRow)>) -> Result<Self, SamplesError> {
        let mut builder = Builder::new()?;
        for (number, row) in rows {
            builder.add(&Described {
                row: number,
                path: &row.path.to_string_lossy(),
                window: row.picture_window(),
                image_id: row.image_id.as_str(),
                study: row.study_uid.as_deref(),
                series: row.series_uid.as_deref(),
                z_mm: row.z_mm.map(|z| z.0),
                labels: row.labels,
            })?;
        }
        builder.finish()
    }

    /// How many slices.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels of slice `at`; none known for a place that is none.
    pub fn labels(&self, at: usize) -> LabelRow {
        self.labels
            .get(at)
            .map_or_else(LabelRow::default, |p| p.row())
    }

    /// Deals the labels out anew among the slices that have any: as many slices as before have each, and it says nothing of them.
    pub fn shuffle_labels(&mut self, seed: u64) {
        let known = |labels: &&mut Packed| !labels.row().is_empty();
        let mut places: Vec<&mut Packed> = self.labels.iter_mut().filter(known).collect();
        let mut dealt: Vec<Packed> = places.iter().map(|labels| **labels).collect();
        dealt.shuffle(&mut falx_core::random::stream(seed, "shuffled labels", &[]));
        for (labels, dealt) in places.iter_mut().zip(dealt) {
            **labels = dealt;
        }
    }

    /// The number of every slice's study, in the slices' order; those of no known study have one each.
    ///
    /// # Errors
    /// [`SamplesError::Temporary`] where the temporary file cannot be read.
    pub fn studies(&self) -> Result<Vec<u32>, SamplesError> {
        let mut studies = Vec::with_capacity(self.len());
        self.rows.for_each_head(|head| studies.push(head.study))?;
        Ok(studies)
    }

    /// The number of every slice's series, in the slices' order; those of no known series have one each. The slices of a
    /// series lie together.
    ///
    /// # Errors
    /// [`SamplesError::Temporary`] where the temporary file cannot be read.
    pub fn series(&self) -> Result<Vec<u32>, SamplesError> {
        let mut series = Vec::with_capacity(self.len());
        self.rows.for_each_head(|head| series.push(head.series))?;
        Ok(series)
    }

    /// Where every slice lies along the slice normal, in the slices' order, in mm from the feet upwards; NaN where nothing
    /// says so.
    ///
    /// # Errors
    /// [`SamplesError::Temporary`] where the temporary file cannot be read.
    pub fn positions(&self) -> Result<Vec<f32>, SamplesError> {
        let mut positions = Vec::with_capacity(self.len());
        self.rows.for_each_head(|head| positions.push(head.z))?;
        Ok(positions)
    }

    /// The places of the slices of which at least one label is known, in order.
    pub fn labelled(&self) -> impl Iterator<Item = usize> + '_ {
        let known = self.labels.iter().enumerate();
        known.filter(|(_, p)| !p.row().is_empty()).map(|(at, _)| at)
    }

    /// The places of all slices, in order.
    pub fn all(&self) -> Vec<u32> {
        (0..self.len() as u32).collect()
    }

    /// Slice `at`.
    ///
    /// # Errors
    /// [`SamplesError`] for a place that is none, or a temporary file that cannot be read.
    pub fn get(&self, at: usize) -> Result<Sample, SamplesError> {
        let head = self.rows.head(at)?;
        let (path, window, image_id) = self.rows.body(&head)?;
        Ok(Sample {
            path: path.into(),
            window,
            image_id: ImageId(image_id),
            labels: self.labels(at),
            row: head.row,
        })
    }

    /// The index row of slice `at`.
    ///
    /// # Errors
    /// As [`Samples::get`].
    pub fn row(&self, at: usize) -> Result<u32, SamplesError> {
        Ok(self.rows.head(at)?.row)
    }

    /// The places of the slices nearest to `offsets` from slice `at`, of the same series.
    ///
    /// At the end of a series, and where positions are not known, that is the last slice, or the slice itself.
    ///
    /// # Units
    /// Millimetres along the slice normal, from the feet upwards.
    ///
    /// # Errors
    /// As [`Samples::get`].
    pub fn near(&self, at: usize, offsets: &[f32]) -> Result<Vec<usize>, SamplesError> {
        let own = self.rows.head(at)?;
        if offsets.iter().all(|&offset| offset == 0.0) || !own.z.is_finite() {
            return Ok(vec![at; offsets.len()]);
        }
        offsets
            .iter()
            .map(|&offset| self.nearest(at, &own, own.z + offset))
            .collect()
    }

    /// The place in the series of `own` whose slice is nearest to `z`; of two equally near the first.
    fn nearest(&self, at: usize, own: &Head, z: f32) -> Result<usize, SamplesError> {
        let mut best = (at, (own.z - z).abs());
        // Rows of a series lie together, sorted by position: walk towards `z` while it comes nearer.
        let upwards = z > own.z;
        let mut place = at;
        loop {
            let next = if upwards {
                place.checked_add(1)
            } else {
                place.checked_sub(1)
            };
            let Some(next) = next.filter(|&next| next < self.len()) else {
                break;
            };
            let head = self.rows.head(next)?;
            let distance = (head.z - z).abs();
            if head.series != own.series || !head.z.is_finite() || distance > best.1 {
                break;
            }
            if distance < best.1 {
                best = (next, distance);
            }
            place = next;
        }
        Ok(best.0)
    }
}

/// What is known of a slice when the list is made.
struct Described<'a> {
    row: u32,
    path: &'a str,
    window: Option<Window>,
    image_id: &'a str,
    study: Option<&'a str>,
    series: Option<&'a str>,
    z_mm: Option<f64>,
    labels: LabelRow,
}

/// Makes the list, slice by slice.
struct Builder {
    len: usize,
    rows: RowsWriter,
    study: Group,
    series: Group,
}

/// The group of the last slice: rows of a group lie together.
#[derive(Default)]
struct Group {
    name: Option<String>,
    /// How many groups there have been.
    count: u32,
}

impl Group {
    /// The number of the group `name`; a slice of no known group is one of its own.
    fn number(&mut self, name: Option<&str>) -> u32 {
        if name.is_none() || self.name.as_deref() != name {
            self.name = name.map(str::to_owned);
            self.count += 1;
        }
        self.count - 1
    }
}

impl Builder {
    fn new() -> Result<Self, SamplesError> {
        Ok(Self {
            len: 0,
            rows: RowsWriter::new()?,
            study: Group::default(),
            series: Group::default(),
        })
    }

    fn add(&mut self, slice: &Described<'_>) -> Result<(), SamplesError> {
        if self.len >= u32::MAX as usize {
            return Err(SamplesError::TooMany);
        }
        self.len += 1;
        let head = Head {
            row: slice.row,
            study: self.study.number(slice.study),
            series: self.series.number(slice.series),
            z: slice.z_mm.map_or(f32::NAN, |z| z as f32),
            labels: Packed::of(slice.labels).0.into(),
            ..Head::default()
        };
        self.rows
            .push(head, slice.path, slice.window, slice.image_id)?;
        Ok(())
    }

    fn finish(self) -> Result<Samples, SamplesError> {
        let rows = self.rows.finish()?;
        // Read back once their number is known: a vector that grows leaves twice its size behind.
        let mut labels = Vec::with_capacity(self.len);
        rows.for_each_head(|head| labels.push(Packed(head.labels as u16)))?;
        Ok(Samples { labels, rows })
    }
}

/// Six labels in twelve bits: which are known, and which are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed(u16);

impl Packed {
    fn of(row: LabelRow) -> Self {
        let bits = (0..).zip(row.0).map(|(at, label)| match label {
            None => 0,
            Some(false) => 1 << at,
            Some(true) => 0x41 << at,
        });
        Self(bits.sum())
    }

    fn row(self) -> LabelRow {
        let known = |at: usize| self.0 >> at & 1 == 1;
        LabelRow(std::array::from_fn(|at| {
            known(at).then(|| self.0 >> (at + 6) & 1 == 1)
        }))
    }
}
