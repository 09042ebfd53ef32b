//! The single checks.

use std::collections::BTreeMap;

use falx_core::LABELS;
use falx_dicom::series::SeriesDefect;
use falx_dicom::{Defect, Refusal};

use super::{Finding, Severity};
use crate::index::{Index, IndexRow};

const EXAMPLES: usize = 5;

/// Findings while they are counted.
#[derive(Default)]
pub(super) struct Findings(BTreeMap<String, Finding>);

impl Findings {
    /// Counts one more case; the first few are the examples.
    fn add(&mut self, name: &str, severity: Severity, what: &str, remedy: &str, example: &str) {
        let finding = self.0.entry(name.to_owned()).or_insert_with(|| Finding {
            name: name.to_owned(),
            severity,
            count: 0,
            what: what.to_owned(),
            examples: Vec::new(),
            remedy: remedy.to_owned(),
        });
        finding.count += 1;
        if finding.examples.len() < EXAMPLES && !example.is_empty() {
            finding.examples.push(example.to_owned());
        }
    }

    /// Notes what was counted elsewhere; nothing where there is nothing.
    fn counted(
        &mut self,
        (name, severity): (&str, Severity),
        count: u64,
        what: &str,
        remedy: &str,
        examples: Vec<String>,
    ) {
        if count > 0 {
            let name = name.to_owned();
            let (what, remedy) = (what.to_owned(), remedy.to_owned());
            self.0.insert(
                name.clone(),
                Finding {
                    name,
                    severity,
                    count,
                    what,
                    examples,
                    remedy,
                },
            );
        }
    }

    pub(super) fn sorted(self) -> Vec<Finding> {
        let mut findings: Vec<_> = self.0.into_values().collect();
        // Stable: within a severity the names stay in order.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }
}

/// Refused files, repairs and oddities of series: the names in the rows' `defects`.
pub(super) fn files(index: &Index, findings: &mut Findings) {
    for row in &index.rows {
        for name in &row.defects {
            let (kind, severity, what, remedy) = explain(name, row.usable);
            findings.add(
                &format!("{kind}.{name}"),
                severity,
                what,
                remedy,
                row.image_id.as_str(),
            );
        }
    }
}

/// What a name in `defects` stands for.
fn explain(name: &str, is_usable: bool) -> (&'static str, Severity, &'static str, &'static str) {
    if !is_usable {
        return match Refusal::ALL.iter().find(|refusal| refusal.name() == name) {
            Some(&refusal) => (
                "refused",
                refusal_severity(refusal),
                refusal.describe(),
                refusal.remedy(),
            ),
            None => (
                "refused",
                Severity::Error,
                "The file could not be opened or read.",
                "check the disk and the file's permissions, then index again",
            ),
        };
    }
    if let Some(defect) = SeriesDefect::ALL
        .iter()
        .find(|defect| defect.name() == name)
    {
        let remedy = if defect.forbids_volume() {
            "use these slices singly, or export the series again; they form no volume"
        } else {
            "look whether slices are missing; neighbours are used as they are"
        };
        return ("series", Severity::Warning, defect.describe(), remedy);
    }
    match Defect::ALL.iter().find(|defect| defect.name() == name) {
        Some(defect @ (Defect::HuImplausibleHigh | Defect::DerivedImage)) => (
            "defect",
            Severity::Warning,
            defect.describe(),
            "look at some of these slices before using them",
        ),
        Some(defect) => (
            "defect",
            Severity::Note,
            defect.describe(),
            "nothing; the values in HU are right",
        ),
        None => (
            "defect",
            Severity::Warning,
            "A defect that this version of falx does not know.",
            "index again with this version",
        ),
    }
}

const fn refusal_severity(refusal: Refusal) -> Severity {
    match refusal {
        // Such objects lie beside CT slices in every hospital's folders.
        Refusal::NotCt | Refusal::Localizer => Severity::Note,
        Refusal::NoPixelData
        | Refusal::NotGreyscale
        | Refusal::NotHounsfield
        | Refusal::UnsupportedModalityLut
        | Refusal::UnsupportedMultiframe
        | Refusal::UnsupportedTransferSyntax => Severity::Warning,
        _ => Severity::Error,
    }
}

/// Blank pictures, and pictures and ids that occur more than once.
pub(super) fn pictures(index: &Index, findings: &mut Findings) {
    let mut of_hash: BTreeMap<&str, Vec<&IndexRow>> = BTreeMap::new();
    let mut of_id: BTreeMap<&str, Vec<&IndexRow>> = BTreeMap::new();
    for row in index.rows.iter().filter(|row| row.usable) {
        of_id.entry(row.image_id.as_str()).or_default().push(row);
        if row.hu_min == row.hu_max {
            findings.add(
                "picture.blank",
                Severity::Warning,
                "All pixels have one value, or all are padding.",
                "leave these slices out; there is nothing to see",
                row.image_id.as_str(),
            );
        } else if let Some(hash) = &row.pixel_hash {
            of_hash.entry(hash).or_default().push(row);
        }
    }
    for (id, rows) in of_id.iter().filter(|(_, rows)| rows.len() > 1) {
        if differ(rows, |row| &row.pixel_hash) {
            findings.add(
                "id.two_pictures",
                Severity::Error,
                "Different pictures have one image id; labels cannot be told apart.",
                "index these folders separately, or remove the wrong files",
                id,
            );
        } else {
            findings.add(
                "id.copies",
                Severity::Warning,
                "A picture is there more than once under one image id.",
                "remove the copies; they count several times in training",
                id,
            );
        }
    }
    for rows in of_hash
        .values()
        .filter(|rows| differ(rows, |row| &row.image_id))
    {
        let example = rows.first().map_or("", |row| row.image_id.as_str());
        findings.add(
            "picture.two_ids",
            Severity::Warning,
            "One picture has several image ids.",
            "nothing for splits (they keep equal pictures together); remove the copies from training",
            example,
        );
        if differ(rows, |row| &row.patient) {
            findings.add(
                "picture.two_patients",
                Severity::Warning,
                "One picture belongs to several patients.",
                "check who these patients are; splits keep them together",
                example,
            );
        }
        if differ(rows, |row| &row.labels) {
            findings.add(
                "labels.two_opinions",
                Severity::Error,
                "One picture has several ids and their labels differ.",
                "decide which labels are right, and correct the CSV",
                example,
            );
        }
    }
}

fn differ<T: PartialEq>(rows: &[&IndexRow], of: impl Fn(&IndexRow) -> &T) -> bool {
    rows.windows(2)
        .any(|pair| matches!(pair, [a, b] if of(a) != of(b)))
}

/// Labels that are missing, contradict themselves, or fit no file.
pub(super) fn labels(index: &Index, findings: &mut Findings) {
    use Severity::{Error, Note, Warning};
    let summary = &index.summary;
    if !summary.has_labels {
        let remedy = "give --labels to falx index if you mean to train or evaluate";
        findings.counted(
            ("labels.none", Note),
            1,
            "The index was made without labels.",
            remedy,
            Vec::new(),
        );
        return;
    }
    let texts = |ids: &[falx_core::ImageId]| ids.iter().map(|id| id.0.clone()).collect();
    findings.counted(
        ("labels.without_file", Warning),
        summary.labels_without_file,
        "The label CSV names ids that have no file.",
        "check that all files are there and that the CSV belongs to them",
        texts(&summary.labels_without_file_examples),
    );
    findings.counted(
        ("labels.missing", Warning),
        summary.files_without_label,
        "The label CSV does not name these slices.",
        "they are no use for training or evaluation; check that the CSV is complete",
        texts(&summary.files_without_label_examples),
    );
    findings.counted(
        ("labels.given_differently", Error),
        summary.disagreeing_label_ids,
        "The label CSV gives one label of these ids twice, with different values; it counts as unknown.",
        "decide which value is right, and correct the CSV",
        texts(&summary.disagreeing_label_examples),
    );
    findings.counted(
        ("labels.given_twice", Note),
        summary.duplicate_label_rows,
        "The label CSV repeats values.",
        "nothing; equal values count once",
        Vec::new(),
    );
    for row in index.rows.iter().filter(|row| row.usable) {
        if row.labels.contradicts_itself() {
            findings.add(
                "labels.contradict",
                Error,
                "`any` contradicts the five subtypes.",
                "correct the CSV: `any` is 1 exactly where a subtype is 1",
                row.image_id.as_str(),
            );
        }
        if !row.labels.is_empty() && !row.labels.is_complete() {
            findings.add(
                "labels.incomplete",
                Warning,
                "Some of the six labels are unknown.",
                "nothing; unknown labels are left out of the loss",
                row.image_id.as_str(),
            );
        }
    }
    for (label, &positives) in LABELS.iter().zip(&summary.positives) {
        if positives == 0 && summary.labelled > 0 {
            let remedy = "add data; without positives this label can be neither learnt nor scored";
            let what = "No slice is positive for this label.";
            findings.add("labels.no_positive", Warning, what, remedy, label.name());
        }
    }
}

/// Patients that are unknown, and tilted series.
pub(super) fn patients(index: &Index, findings: &mut Findings) {
    for row in index.rows.iter().filter(|row| row.usable) {
        if row.patient.is_none() {
            findings.add(
                "patient.unknown",
                Severity::Warning,
                "The file names no patient.",
                "splits keep its study together; one patient's studies may still be on two sides",
                row.image_id.as_str(),
            );
        }
        if row
            .tilt_deg
            .is_some_and(|tilt| tilt > falx_dicom::series::TILT_TOLERANCE_DEG)
        {
            findings.add(
                "series.gantry_tilt",
                Severity::Note,
                "The gantry was tilted: slices are shifted against each other.",
                "nothing for single slices; volumes must be sheared back",
                row.image_id.as_str(),
            );
        }
    }
}
