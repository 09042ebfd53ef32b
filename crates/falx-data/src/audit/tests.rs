use super::{Audit, Severity, audit};
use crate::synthetic::{index, row};

fn found(audit: &Audit) -> Vec<(&str, Severity, u64)> {
    audit
        .findings
        .iter()
        .map(|f| (f.name.as_str(), f.severity, f.count))
        .collect()
}

#[test]
fn a_clean_index_has_no_errors() {
    let rows = (0..4)
        .map(|at| row(&format!("{at}"), Some("P"), &format!("h{at}"), [1; 6]))
        .collect();
    let audit = audit(&index(rows));
    assert_eq!(found(&audit), []);
    assert!(!audit.has_errors());
    assert_eq!(
        audit.to_text(),
        "4 of 4 slices usable; 0 errors, 0 warnings, 0 notes\n"
    );
}

#[test]
fn refusals_and_repairs_have_their_severity() {
    let mut rows: Vec<_> = (0..5)
        .map(|at| row(&format!("{at}"), Some("P"), &format!("h{at}"), [1; 6]))
        .collect();
    rows[0].defects = vec!["rsna_12bit_wrap_repaired".into(), "missing_slice".into()];
    for (at, name) in [(1, "truncated"), (2, "localizer"), (3, "io")] {
        rows[at].usable = false;
        rows[at].defects = vec![name.into()];
    }
    let audit = audit(&index(rows));
    assert_eq!(
        found(&audit),
        [
            ("refused.io", Severity::Error, 1),
            ("refused.truncated", Severity::Error, 1),
            ("series.missing_slice", Severity::Warning, 1),
            ("defect.rsna_12bit_wrap_repaired", Severity::Note, 1),
            ("refused.localizer", Severity::Note, 1),
        ]
    );
    assert!(audit.has_errors());
    assert_eq!(audit.findings[1].examples, ["1"]);
    let text = audit.to_text();
    assert!(
        text.contains("error   refused.truncated × 1") && text.contains("2 of 5 slices usable"),
        "{text}"
    );
}

#[test]
fn equal_pictures_ids_and_labels_are_compared() {
    let mut rows = vec![
        row("a", Some("P"), "same", [1; 6]),
        row("b", Some("Q"), "same", [0; 6]),
        row("c", Some("Q"), "c1", [1; 6]),
        row("c", Some("Q"), "c2", [1; 6]),
        row("d", Some("Q"), "d", [1; 6]),
        row("d", Some("Q"), "d", [1; 6]),
        row("e", None, "e", [1, 0, 0, 0, 0, 0]),
        row("f", Some("P"), "f", [1; 6]),
    ];
    rows[7].hu_max = rows[7].hu_min;
    rows[7].labels.0[2] = None;
    let audit = audit(&index(rows));
    assert_eq!(
        found(&audit),
        [
            ("id.two_pictures", Severity::Error, 1),
            ("labels.contradict", Severity::Error, 1),
            ("labels.two_opinions", Severity::Error, 1),
            ("id.copies", Severity::Warning, 1),
            ("labels.incomplete", Severity::Warning, 1),
            ("patient.unknown", Severity::Warning, 1),
            ("picture.blank", Severity::Warning, 1),
            ("picture.two_ids", Severity::Warning, 1),
            ("picture.two_patients", Severity::Warning, 1),
        ]
    );
}

#[test]
fn what_the_csv_lacks_is_in_the_audit() {
    let mut index = index(vec![row("a", Some("P"), "a", [0; 6])]);
    index.summary.labels_without_file = 7;
    index.summary.disagreeing_label_ids = 1;
    let audit1 = audit(&index);
    assert_eq!(
        found(&audit1),
        [
            ("labels.given_differently", Severity::Error, 1),
            ("labels.no_positive", Severity::Warning, 6),
            ("labels.without_file", Severity::Warning, 7),
        ]
    );
    index.summary.has_labels = false;
    assert_eq!(found(&audit(&index)), [("labels.none", Severity::Note, 1)]);
}
