//! The single checks.

use std::collections::BTreeMap;

use falx_core::{LABELS, Label};
use falx_dicom::series::SeriesDefect;
use falx_dicom::{Defect, Refusal};

use super::Severity;
use super::findings::{Findings, Kind};
use super::survey::Survey;
use crate::index::{IndexRow, Unlisted};
use crate::location::Location;
use crate::source::{SourceFault, WINDOWED_PICTURE, WINDOWED_PICTURE_IS};

/// Refused files, repairs and oddities of series: the names in the rows' `defects`.
pub(super) fn files(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let mut explained: BTreeMap<(&str, bool), (String, Explanation)> = BTreeMap::new();
    for (at, row) in survey.index.rows.iter().enumerate() {
        for name in &row.defects {
            let (name, (_, severity, what, remedy)) =
                explained.entry((name, row.usable)).or_insert_with(|| {
                    let explanation = explain(name, row.usable);
                    (format!("{}.{name}", explanation.0), explanation)
                });
            let kind = Kind {
                name,
                severity: *severity,
                // A description is a documentation comment with its leading space.
                what: what.trim_start(),
                remedy,
            };
            findings.add(&kind, at);
        }
    }
}

/// Folders that could not be listed.
pub(super) fn unlisted(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let kind = Kind {
        name: "files.unlisted",
        severity: Severity::Error,
        what: "A folder or a link could not be followed; what is in it is missing.",
        remedy: "give yourself the right to read it, or remove the link, then falx index --update",
    };
    for Unlisted { path, why } in &survey.index.summary.unlisted {
        findings.add_named(&kind, &format!("{} ({why})", path.display()));
    }
}

/// Kind, severity, what it is, what to do.
type Explanation = (&'static str, Severity, &'static str, &'static str);

/// What a name in `defects` stands for.
fn explain(name: &str, is_usable: bool) -> Explanation {
    if !is_usable {
        return match Refusal::ALL.iter().find(|refusal| refusal.name() == name) {
            Some(&refusal) => (
                "refused",
                refusal_severity(refusal),
                refusal.describe(),
                refusal.remedy(),
            ),
            None => match SourceFault::ALL.iter().find(|fault| fault.name() == name) {
                Some(fault) => ("refused", Severity::Error, fault.describe(), fault.remedy()),
                None => (
                    "refused",
                    Severity::Error,
                    "The file could not be opened or read.",
                    "check the disk and the file's permissions, then index again",
                ),
            },
        };
    }
    if name == WINDOWED_PICTURE {
        return (
            "defect",
            Severity::Note,
            WINDOWED_PICTURE_IS,
            "nothing for windows inside of theirs; do not mix them with DICOM unseen",
        );
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
pub(super) fn pictures(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let mut by_hash: Vec<(&str, usize)> = Vec::new();
    let mut by_id: Vec<(&str, usize)> = Vec::new();
    for (at, row) in survey.usable() {
        by_id.push((row.image_id.as_str(), at));
        match &row.pixel_hash {
            None => findings.add(&UNREAD, at),
            Some(_) if row.hu_min == row.hu_max => findings.add(&BLANK, at),
            Some(hash) => by_hash.push((hash, at)),
        }
    }
    each_repeated(survey, by_id, |places, rows| {
        let kind = if differ(rows, |row| &row.pixel_hash) {
            &TWO_PICTURES
        } else {
            &COPIES
        };
        findings.add_group(kind, places);
    });
    each_repeated(survey, by_hash, |places, rows| {
        if !differ(rows, |row| &row.image_id) {
            return;
        }
        findings.add_group(&TWO_IDS, places);
        if differ(rows, |row| &row.patient) {
            findings.add_group(&TWO_PATIENTS, places);
        }
        if differ(rows, |row| &row.labels) {
            findings.add_group(&TWO_OPINIONS, places);
        }
    });
}

const UNREAD: Kind<'_> = Kind {
    name: "picture.unread",
    severity: Severity::Note,
    what: "Pictures were not looked at: the index is of headers, or of a table.",
    remedy: "index the files without --headers-only to find equal, blank and damaged pictures",
};
const BLANK: Kind<'_> = Kind {
    name: "picture.blank",
    severity: Severity::Warning,
    what: "All pixels have one value, or all are padding.",
    remedy: "leave these slices out; there is nothing to see",
};
const TWO_PICTURES: Kind<'_> = Kind {
    name: "id.two_pictures",
    severity: Severity::Error,
    what: "Different pictures have one image id; labels cannot be told apart.",
    remedy: "index these folders separately, or remove the wrong files",
};
const COPIES: Kind<'_> = Kind {
    name: "id.copies",
    severity: Severity::Warning,
    what: "A picture is there more than once under one image id.",
    remedy: "remove the copies; they count several times in training",
};
const TWO_IDS: Kind<'_> = Kind {
    name: "picture.two_ids",
    severity: Severity::Warning,
    what: "One picture has several image ids.",
    remedy: "nothing for splits (they keep equal pictures together); remove the copies from training",
};
const TWO_PATIENTS: Kind<'_> = Kind {
    name: "picture.two_patients",
    severity: Severity::Warning,
    what: "One picture belongs to several patients.",
    remedy: "check who these patients are; splits keep them together",
};
const TWO_OPINIONS: Kind<'_> = Kind {
    name: "labels.two_opinions",
    severity: Severity::Error,
    what: "One picture has several ids and their labels differ.",
    remedy: "decide which labels are right, and correct the CSV",
};

/// Calls `tell` with the places and the rows of every key that occurs more than once, in the keys' order.
fn each_repeated(
    survey: &Survey<'_>,
    mut keyed: Vec<(&str, usize)>,
    mut tell: impl FnMut(&[usize], &[&IndexRow]),
) {
    keyed.sort_unstable();
    for same in keyed
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|same| same.len() > 1)
    {
        let places: Vec<usize> = same.iter().map(|&(_, at)| at).collect();
        let rows: Vec<&IndexRow> = places.iter().filter_map(|&at| survey.row(at)).collect();
        tell(&places, &rows);
    }
}

fn differ<T: PartialEq>(rows: &[&IndexRow], of: impl Fn(&IndexRow) -> &T) -> bool {
    rows.windows(2)
        .any(|pair| matches!(pair, [a, b] if of(a) != of(b)))
}

/// Labels that are missing, contradict themselves, or fit no file.
pub(super) fn labels(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    use Severity::{Error, Note, Warning};
    let summary = &survey.index.summary;
    let kind = |name, severity, what, remedy| Kind {
        name,
        severity,
        what,
        remedy,
    };
    if !summary.has_labels {
        let none = kind(
            "labels.none",
            Note,
            "The index was made without labels.",
            "give --labels to falx index if you mean to train or evaluate",
        );
        findings.counted(&none, 1, Vec::new());
        return;
    }
    let texts = |ids: &[falx_core::ImageId]| ids.iter().map(|id| id.0.clone()).collect();
    findings.counted(
        &kind(
            "labels.without_file",
            Warning,
            "The label CSV names ids that have no file.",
            "check that all files are there and that the CSV belongs to them",
        ),
        summary.labels_without_file,
        texts(&summary.labels_without_file_examples),
    );
    findings.counted(
        &kind(
            "labels.missing",
            Warning,
            "The label CSV does not name these slices.",
            "they are no use for training or evaluation; check that the CSV is complete",
        ),
        summary.files_without_label,
        texts(&summary.files_without_label_examples),
    );
    findings.counted(
        &kind(
            "labels.given_differently",
            Error,
            "The label CSV gives one label of these ids twice, with different values; it counts as unknown.",
            "decide which value is right, and correct the CSV",
        ),
        summary.disagreeing_label_ids,
        texts(&summary.disagreeing_label_examples),
    );
    findings.counted(
        &kind(
            "labels.given_twice",
            Note,
            "The label CSV repeats values.",
            "nothing; equal values count once",
        ),
        summary.duplicate_label_rows,
        Vec::new(),
    );
    let contradict = kind(
        "labels.contradict",
        Error,
        "`any` contradicts the five subtypes.",
        "correct the CSV: `any` is 1 exactly where a subtype is 1",
    );
    let incomplete = kind(
        "labels.incomplete",
        Warning,
        "Some of the six labels are unknown.",
        "nothing; unknown labels are left out of the loss",
    );
    let masked = kind(
        "labels.mask_contradicts",
        Error,
        "A mask of a haemorrhage lies beside a slice that is labelled as without one.",
        "look at both; correct the CSV or remove the mask",
    );
    for (at, row) in survey.usable() {
        // A volume's masks are there for every slice.
        let is_one = matches!(Location::parse(&row.path), Location::File(_));
        if is_one && row.mask.is_some() && row.labels.get(Label::Any) == Some(false) {
            findings.add(&masked, at);
        }
        if row.labels.contradicts_itself() {
            findings.add(&contradict, at);
        }
        if !row.labels.is_empty() && !row.labels.is_complete() {
            findings.add(&incomplete, at);
        }
    }
    let no_positive = kind(
        "labels.no_positive",
        Warning,
        "No slice is positive for this label.",
        "add data; without positives this label can be neither learnt nor scored",
    );
    for (label, &positives) in LABELS.iter().zip(&summary.positives) {
        if positives == 0 && summary.labelled > 0 {
            findings.add_named(&no_positive, label.name());
        }
    }
}

/// Patients that are unknown.
pub(super) fn patients(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let unknown = Kind {
        name: "patient.unknown",
        severity: Severity::Warning,
        what: "The file names no patient.",
        remedy: "splits keep its study together; one patient's studies may still be on two sides",
    };
    for (at, row) in survey.usable() {
        if row.patient.is_none() {
            findings.add(&unknown, at);
        }
    }
}
