//! Kaggle's form of labels and submissions: `ID,Label`, six rows an image, `ID_<hex>_<label>`.

pub(crate) mod dialect;
pub(crate) mod lines;
mod read;
pub(crate) mod row;
mod write;

use std::path::PathBuf;

use falx_core::{ImageId, Label, LabelRow};

pub(crate) use read::{Gathered, for_each_row, open, read_truth_from};
pub use read::{read, read_truth};
pub use row::RowProblem;
pub use write::write_submission;

/// Why a file in Kaggle's form cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KaggleError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}; check the path and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}; choose a folder that exists and is writable")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The first line is not the header.
    #[error("{path}: the first line is `{found}`; it must be `ID,Label`")]
    Header {
        /// The file.
        path: PathBuf,
        /// What stands there.
        found: String,
    },
    /// There is no row.
    #[error("{path} has no rows; it must have six below the header for every image")]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// A line is no row.
    #[error("{path}: line {line} {problem}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// A row appears twice.
    #[error("{path}: line {line} repeats `{id}`; keep one row for each image and label")]
    Repeated {
        /// The file.
        path: PathBuf,
        /// The later line.
        line: u64,
        /// The row's id.
        id: String,
    },
    /// Two rows say different things of one label.
    #[error(
        "{path}: line {line} gives `{id}` another value than an earlier line; correct the label file"
    )]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The later line.
        line: u64,
        /// The row's id.
        id: String,
    },
    /// Images without all six rows.
    #[error(
        "{path}: image {example} (of {count} such) lacks some of its six rows; give every image all six labels"
    )]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// How many.
        count: u64,
        /// One of them.
        example: ImageId,
    },
    /// The sample asks for images without a prediction.
    #[error(
        "{path}: image {example} (of {count} such) of the sample has no prediction; predict it too, or give the sample of this data"
    )]
    NotPredicted {
        /// The sample.
        path: PathBuf,
        /// How many.
        count: u64,
        /// One of them.
        example: ImageId,
    },
    /// An image is predicted twice.
    #[error("image {image} has more than one prediction; keep one")]
    PredictedTwice {
        /// The image.
        image: ImageId,
    },
}

/// The labels of a label file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// One row an image, in the file's order of first appearance.
    pub rows: Vec<(ImageId, LabelRow)>,
    /// Lines that said again what an earlier line had said: the row in `rows`, and the label. RSNA's own file has 24 of
    /// them, for [`KNOWN_DUPLICATES`].
    pub repeated: Vec<(usize, Label)>,
}

/// The images whose rows RSNA's own files have twice (`stage_1_train.csv` and `stage_2_train.csv`).
pub const KNOWN_DUPLICATES: [&str; 4] = [
    "ID_854fba667",
    "ID_921490062",
    "ID_489ae4179",
    "ID_a64d5deed",
];

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows below the header.
    pub rows: u64,
    /// Predicted images that the sample does not ask for, and that were left out.
    pub left_out: u64,
}
