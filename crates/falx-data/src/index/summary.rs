//! What indexing found, in numbers.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use falx_core::{ImageId, LABELS};
use serde::{Deserialize, Serialize};

use super::{IndexRow, Layout};
use crate::labels::LabelTable;

/// What [`super::build`] found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSummary {
    /// The layout that was used.
    pub layout: Layout,
    /// True where the layout was found out, not given.
    pub layout_detected: bool,
    /// Files in the sources.
    pub files: u64,
    /// Files that are no DICOM and gave no row.
    pub not_dicom: u64,
    /// Rows of the index.
    pub rows: u64,
    /// Rows that gave a checked slice.
    pub usable: u64,
    /// Refused files by the refusal's name.
    pub refused: BTreeMap<String, u64>,
    /// Usable slices by the names of their defects; a slice with two counts under both.
    pub defects: BTreeMap<String, u64>,
    /// Rows by positive label, in the order of the labels.
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
    /// Values of the label CSV that repeat an earlier one.
    pub duplicate_label_rows: u64,
    /// Ids one of whose labels was given with different values; that label counts as unknown.
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

const EXAMPLES: usize = 5;

impl IndexSummary {
    /// The summary of rows, without what only the label CSV knows.
    pub fn of(rows: &[IndexRow], layout: Layout, files: u64) -> Self {
        let mut summary = Self {
            layout,
            layout_detected: false,
            files,
            not_dicom: files.saturating_sub(rows.len() as u64),
            rows: rows.len() as u64,
            usable: 0,
            refused: BTreeMap::new(),
            defects: BTreeMap::new(),
            positives: [0; 6],
            labelled: 0,
            has_labels: false,
            labels_without_file: 0,
            labels_without_file_examples: Vec::new(),
            files_without_label: 0,
            files_without_label_examples: Vec::new(),
            duplicate_label_rows: 0,
            disagreeing_label_ids: 0,
            disagreeing_label_examples: Vec::new(),
            patients: distinct(rows.iter().map(|row| row.patient.as_ref())),
            studies: distinct(rows.iter().map(|row| row.study_uid.as_ref())),
            series: distinct(rows.iter().map(|row| row.series_uid.as_ref())),
        };
        for row in rows {
            summary.usable += u64::from(row.usable);
            summary.labelled += u64::from(!row.labels.is_empty());
            for (count, label) in summary.positives.iter_mut().zip(row.labels.0) {
                *count += u64::from(label == Some(true));
            }
            let names = if row.usable {
                &mut summary.defects
            } else {
                &mut summary.refused
            };
            for name in &row.defects {
                *names.entry(name.clone()).or_default() += 1;
            }
        }
        summary
    }

    /// Adds how rows and label CSV fit together.
    pub(super) fn add_labels(&mut self, rows: &[IndexRow], labels: &LabelTable) {
        let have: HashSet<&ImageId> = rows.iter().map(|row| &row.image_id).collect();
        let without_file: Vec<_> = labels
            .iter()
            .map(|(id, _)| id)
            .filter(|id| !have.contains(id))
            .collect();
        let mut without_label: Vec<_> = rows
            .iter()
            .map(|row| &row.image_id)
            .filter(|id| labels.get(id).is_none())
            .collect();
        without_label.sort_unstable();
        let examples = |ids: &[&ImageId]| ids.iter().take(EXAMPLES).map(|&id| id.clone()).collect();
        self.has_labels = true;
        self.labels_without_file = without_file.len() as u64;
        self.labels_without_file_examples = examples(&without_file);
        self.files_without_label = without_label.len() as u64;
        self.files_without_label_examples = examples(&without_label);
        self.duplicate_label_rows = labels.agreeing_duplicates() + labels.disagreeing_duplicates();
        self.disagreeing_label_ids = labels.disagreeing().len() as u64;
        self.disagreeing_label_examples = labels
            .disagreeing()
            .iter()
            .take(EXAMPLES)
            .cloned()
            .collect();
    }

    /// The summary as a few lines of text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let how = if self.layout_detected {
            "detected"
        } else {
            "given"
        };
        // Writing to a String cannot fail.
        let mut line = |words: String| _ = writeln!(text, "{words}");
        line(format!("layout      {} ({how})", self.layout));
        line(format!(
            "slices      {} usable of {} ({} patients, {} studies, {} series)",
            self.usable, self.rows, self.patients, self.studies, self.series
        ));
        if self.not_dicom > 0 {
            line(format!(
                "no DICOM    {} of {} files, left out",
                self.not_dicom, self.files
            ));
        }
        if !self.refused.is_empty() {
            line(format!("refused     {}", counts(&self.refused)));
        }
        if !self.defects.is_empty() {
            line(format!("defects     {}", counts(&self.defects)));
        }
        if !self.has_labels {
            line("labels      none given".to_owned());
            return text;
        }
        let positives: Vec<_> = LABELS
            .iter()
            .zip(self.positives)
            .map(|(label, count)| format!("{label} {count}"))
            .collect();
        line(format!(
            "labels      {} of {} slices; positive: {}",
            self.labelled,
            self.rows,
            positives.join(", ")
        ));
        for (count, what, examples) in [
            (
                self.labels_without_file,
                "labelled ids have no file",
                &self.labels_without_file_examples,
            ),
            (
                self.files_without_label,
                "slices have no label",
                &self.files_without_label_examples,
            ),
            (
                self.disagreeing_label_ids,
                "ids have contradicting labels",
                &self.disagreeing_label_examples,
            ),
        ] {
            if count > 0 {
                let ids: Vec<_> = examples.iter().map(ImageId::as_str).collect();
                let more = if count as usize > ids.len() {
                    ", …"
                } else {
                    ""
                };
                line(format!(
                    "            {count} {what}: {}{more}",
                    ids.join(", ")
                ));
            }
        }
        if self.duplicate_label_rows > 0 {
            line(format!(
                "            {} label values are given twice",
                self.duplicate_label_rows
            ));
        }
        text
    }
}

fn distinct<T: std::hash::Hash + Eq>(values: impl Iterator<Item = Option<T>>) -> u64 {
    values.flatten().collect::<HashSet<_>>().len() as u64
}

fn counts(names: &BTreeMap<String, u64>) -> String {
    names
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}
