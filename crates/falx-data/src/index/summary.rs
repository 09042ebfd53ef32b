//! What indexing found, in numbers.

mod text;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use falx_core::{ImageId, PatientId, Window};
use serde::{Deserialize, Serialize};

use super::files::{Source, Unlisted};
use super::journal::Ending;
use super::read::picture_window;
use super::{IndexRow, Layout};
use crate::labels::{LabelTable, Labels};
use crate::lock::DataLock;

/// One source of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceSummary {
    /// Its name in the column `dataset`.
    pub dataset: String,
    /// Its folder.
    pub path: PathBuf,
    /// The layout that was used.
    pub layout: Layout,
    /// True where the layout was found out, not given.
    pub detected: bool,
    /// Files in it.
    pub files: u64,
    /// The window that its pictures are taken to show: centre and width.
    pub window: Option<[f32; 2]>,
    /// Who says so.
    pub window_from: Option<WindowFrom>,
}

/// Where the window of pictures comes from. Grey levels do not tell: brain looks the same in 40/80 and 40/120.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowFrom {
    /// It was given.
    Declared,
    /// The layout's own.
    Layout,
    /// Nobody said; the usual brain window.
    Assumed,
}

impl SourceSummary {
    pub(super) fn of(source: &Source, declared: Option<Window>) -> Self {
        let window = picture_window(source.layout, declared);
        Self {
            window: window.map(|(window, _)| [window.center(), window.width()]),
            window_from: window.map(|(_, from)| from),
            dataset: source.dataset.as_ref().to_owned(),
            path: source.folder.clone(),
            layout: source.layout,
            detected: source.detected,
            files: source.files,
        }
    }
}

/// What [`super::build`] found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexSummary {
    /// The layout of all sources, `auto` where they differ.
    pub layout: Layout,
    /// The sources, in the order in which they were given.
    pub sources: Vec<SourceSummary>,
    /// Folders and links that could not be listed; what is in them is missing.
    pub unlisted: Vec<Unlisted>,
    /// Files in the sources.
    pub files: u64,
    /// Files that gave no row: no DICOM, or nothing that the layout reads.
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
    /// True where there were labels, given or brought along by a source.
    pub has_labels: bool,
    /// Labelled ids that have no file.
    pub labels_without_file: u64,
    /// Up to five of them.
    pub labels_without_file_examples: Vec<ImageId>,
    /// Rows that no label table names.
    pub files_without_label: u64,
    /// Up to five of them.
    pub files_without_label_examples: Vec<ImageId>,
    /// Values of the label tables that repeat an earlier one.
    pub duplicate_label_rows: u64,
    /// Ids one of whose labels was given with different values; that label counts as unknown.
    pub disagreeing_label_ids: u64,
    /// Up to five of them.
    pub disagreeing_label_examples: Vec<ImageId>,
    /// Studies with labels of their own.
    pub labelled_studies: u64,
    /// Rows with a mask.
    pub masks: u64,
    /// Different patients.
    pub patients: u64,
    /// Different studies.
    pub studies: u64,
    /// Different series.
    pub series: u64,
    /// A data lock: a hash over image ids, pixel hashes and labels, whatever the paths and the rows' order.
    pub data_hash: String,
    /// Files that an earlier run had read; not part of the index's file.
    #[serde(skip_deserializing)]
    pub reused: u64,
}

const EXAMPLES: usize = 5;

/// A summary while rows come by, in memory that grows with patients only.
#[derive(Default)]
pub(super) struct Tally {
    summary: IndexSummary,
    patients: HashSet<u64>,
    studies: HashSet<u64>,
    series: HashSet<u64>,
    /// Label rows that have a file, by their place.
    met: Vec<bool>,
    without_label: BTreeSet<ImageId>,
    lock: DataLock,
    files_with_rows: u64,
}

impl Tally {
    /// Counts a row.
    pub(super) fn add(&mut self, row: &IndexRow) {
        let summary = &mut self.summary;
        summary.rows += 1;
        summary.usable += u64::from(row.usable);
        summary.masks += u64::from(row.mask.is_some());
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
        let patient = row.patient.as_ref().map(PatientId::as_str);
        for (seen, text) in [
            (&mut self.patients, patient),
            (&mut self.studies, row.study_uid.as_deref()),
            (&mut self.series, row.series_uid.as_deref()),
        ] {
            seen.extend(text.map(short_hash));
        }
        let pixels = row.pixel_hash.as_deref().unwrap_or("");
        self.lock.add(row.image_id.as_str(), pixels, row.labels);
    }

    /// Counts a file by whether it gave rows.
    pub(super) fn file(&mut self, has_rows: bool) {
        self.files_with_rows += u64::from(has_rows);
    }

    /// Notes whether the label tables name a row, and at which place.
    pub(super) fn labelled(&mut self, place: Option<usize>, row: &IndexRow, labels: &LabelTable) {
        if self.met.is_empty() {
            self.met = vec![false; labels.len()];
        }
        match place.and_then(|place| self.met.get_mut(place)) {
            Some(met) => *met = true,
            None if row.labels.is_empty() => {
                self.summary.files_without_label += 1;
                self.without_label.insert(row.image_id.clone());
                if self.without_label.len() > EXAMPLES {
                    self.without_label.pop_last();
                }
            }
            None => {}
        }
    }

    /// The summary.
    pub(super) fn finish(self, ending: &Ending, labels: &Labels, reused: u64) -> IndexSummary {
        let mut summary = self.summary;
        summary.sources.clone_from(&ending.sources);
        let mut layouts = ending.sources.iter().map(|source| source.layout);
        let first = layouts.next().unwrap_or_default();
        summary.layout = if layouts.all(|other| other == first) {
            first
        } else {
            Layout::Auto
        };
        summary.unlisted.clone_from(&ending.unlisted);
        summary.files = ending.sources.iter().map(|source| source.files).sum();
        summary.not_dicom = summary.files.saturating_sub(self.files_with_rows);
        summary.patients = self.patients.len() as u64;
        summary.studies = self.studies.len() as u64;
        summary.series = self.series.len() as u64;
        summary.data_hash = self.lock.finish();
        summary.reused = reused;
        summary.has_labels = !labels.slices.is_empty() || !labels.studies.is_empty();
        summary.labelled_studies = labels.studies.len() as u64;
        if !summary.has_labels {
            summary.files_without_label = 0;
            return summary;
        }
        let slices = &labels.slices;
        summary.files_without_label_examples = self.without_label.into_iter().collect();
        let met = |place: usize| self.met.get(place).copied().unwrap_or_default();
        let without_file = || (0..slices.len()).filter(|&place| !met(place));
        summary.labels_without_file = without_file().count() as u64;
        summary.labels_without_file_examples = without_file()
            .take(EXAMPLES)
            .filter_map(|place| slices.at(place).map(|(id, ..)| id.clone()))
            .collect();
        summary.duplicate_label_rows =
            slices.agreeing_duplicates() + slices.disagreeing_duplicates();
        summary.disagreeing_label_ids = slices.disagreeing().len() as u64;
        let examples = slices.disagreeing().iter().take(EXAMPLES);
        summary.disagreeing_label_examples = examples.cloned().collect();
        summary
    }
}

fn short_hash(text: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

impl IndexSummary {
    /// The summary of rows, without what only sources and label tables know.
    pub fn of(rows: &[IndexRow]) -> Self {
        let mut tally = Tally::default();
        for row in rows {
            tally.add(row);
        }
        let ending = Ending {
            sources: Vec::new(),
            unlisted: Vec::new(),
        };
        tally.finish(&ending, &Labels::default(), 0)
    }

    /// The number of files where none of them is of any use.
    pub(super) fn holds_nothing(&self) -> Option<u64> {
        const NOT_DICOM: &str = falx_dicom::Refusal::NotDicom.name();
        let not_dicom = self.refused.get(NOT_DICOM).copied().unwrap_or_default();
        (self.usable == 0 && not_dicom == self.rows).then_some(self.files)
    }
}
