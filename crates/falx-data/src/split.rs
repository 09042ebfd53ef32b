//! Folds that cannot leak: no patient, study or picture is on two sides.

use std::path::{Path, PathBuf};

use falx_core::{ImageId, PatientId};
use serde::{Deserialize, Serialize};

use crate::index::{Index, IndexFileError};

/// How to split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitOptions {
    /// How many folds (at least 2).
    pub folds: u32,
    /// The share of patients that is locked away as fold −1; 0 for none.
    pub test_fraction: f64,
    /// The seed.
    pub seed: u64,
}

/// One usable slice's fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitRow {
    /// The slice.
    pub image_id: ImageId,
    /// Its patient; where the source names none, `unknown-<hash of the study>`.
    pub patient: PatientId,
    /// 0 … k−1, or −1 for the locked test.
    pub fold: i32,
}

/// A split of the usable rows of one index.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// One row a usable slice, in the index's order.
    pub rows: Vec<SplitRow>,
    /// How it was made.
    pub options: SplitOptions,
    /// [`Index::data_hash`] of the index it was made from.
    pub data_hash: String,
}

/// Why no split could be made, or a split does not fit.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// Fewer than two folds, or a test share outside 0 ..= 0.9.
    #[error(
        "{folds} folds with a test share of {test_fraction} make no split; use at least 2 folds and a share from 0 to 0.9"
    )]
    Options {
        /// The folds that were asked for.
        folds: u32,
        /// The test share that was asked for.
        test_fraction: f64,
    },
    /// Fewer groups of patients than folds.
    #[error(
        "{groups} separate patients are too few for {wanted} parts; use fewer folds or more data"
    )]
    TooFewPatients {
        /// Groups of patients that can be told apart.
        groups: usize,
        /// Folds, and one for the locked test.
        wanted: usize,
    },
    /// The split was made from other data.
    #[error(
        "the split was made from other data than this index (data lock {split} against {index}); run `falx split` again"
    )]
    OtherData {
        /// The split's data lock.
        split: String,
        /// The index's.
        index: String,
    },
    /// A patient or picture is on two sides.
    #[error("{count} patients or pictures are in more than one fold; run `falx split` again")]
    Leak {
        /// How many.
        count: u64,
    },
    /// The split file is unreadable.
    #[error(transparent)]
    File(#[from] IndexFileError),
    /// The split file lacks something.
    #[error("{path} is no split: {what}; run `falx split` again")]
    NotASplit {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Splits the usable rows of an index.
///
/// # Errors
/// [`SplitError`].
pub fn split(index: &Index, options: &SplitOptions) -> Result<Split, SplitError> {
    let _ = (index, options);
    todo!()
}

impl Split {
    /// Reads a split.
    ///
    /// # Errors
    /// [`SplitError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SplitError> {
        let _ = path.as_ref();
        todo!()
    }

    /// Writes the split; the file appears whole or not at all.
    ///
    /// # Errors
    /// [`SplitError`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), SplitError> {
        let _ = path.as_ref();
        todo!()
    }

    /// Checks that the split belongs to `index` and that no patient, study or picture is on two sides.
    ///
    /// # Errors
    /// [`SplitError::OtherData`], [`SplitError::Leak`].
    pub fn check_leaks(&self, index: &Index) -> Result<(), SplitError> {
        let _ = index;
        todo!()
    }

    /// A table of folds: slices, patients and positives, as text.
    pub fn to_text(&self, index: &Index) -> String {
        let _ = index;
        todo!()
    }
}
