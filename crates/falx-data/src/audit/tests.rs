use std::sync::Arc;

use falx_core::Millimetre;

use super::{Audit, Severity, audit, write_html};
use crate::index::{Acquisition, IndexRow};
use crate::synthetic::{Ct, index, row};

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
        "metadata as a shortcut: not checked; it needs 100 slices whose label `any` is known, and there are 4\n\
         4 of 4 slices usable; 0 errors, 0 warnings, 0 notes\n"
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

/// A series of `slices` slices of one patient; labels and pictures are all alike but not equal.
fn series(patient: &str, slices: usize, change: impl Fn(&mut IndexRow)) -> Vec<IndexRow> {
    (0..slices)
        .map(|at| {
            let id = format!("{patient}_{at}");
            let mut row = row(&id, Some(patient), &id, [1; 6]);
            row.series_uid = Some(patient.into());
            row.order = Some(at as u32);
            change(&mut row);
            row
        })
        .collect()
}

fn taken(row: &mut IndexRow, change: impl Fn(&mut Acquisition)) {
    let mut acquisition = row.acquisition.as_deref().cloned().unwrap_or_default();
    change(&mut acquisition);
    row.acquisition = Some(Arc::new(acquisition));
}

fn named<'a>(audit: &'a Audit, name: &str) -> &'a super::Finding {
    let finding = audit.findings.iter().find(|finding| finding.name == name);
    finding.unwrap_or_else(|| panic!("{name} is not among {:?}", found(audit)))
}

#[test]
fn a_series_without_a_skull_is_no_head() {
    let shares = |bone, brain| {
        move |row: &mut IndexRow| {
            row.bone_fraction = Some(bone);
            row.brain_fraction = Some(brain);
        }
    };
    let mut rows = series("head", 9, shares(0.06, 0.2));
    // Vertex and base.
    shares(0.0, 0.0)(&mut rows[0]);
    shares(0.2, 0.001)(&mut rows[8]);
    rows.extend(series("wide", 9, shares(0.012, 0.05)));
    rows.extend(series("short", 4, shares(0.0, 0.0)));
    rows.extend(series("belly", 7, shares(0.01, 0.35)));
    rows.extend(series("air", 6, shares(0.0, 0.0)));
    let audit = audit(&index(rows));
    let finding = named(&audit, "series.not_a_head");
    assert_eq!((finding.count, finding.series), (13, 2));
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(finding.examples[0], "belly_3");
    assert!(finding.what.contains("0.0 to 35.0 %"), "{}", finding.what);
    assert_eq!(found(&audit).len(), 1);
}

#[test]
fn geometry_that_cannot_be_and_geometry_unlike_the_rest_are_told_apart() {
    let mut rows = Vec::new();
    for (at, spacing) in [5.0; 18].into_iter().chain([0.7, 0.01]).enumerate() {
        rows.extend(series(&format!("p{at}"), 3, |row| {
            row.spacing_mm = Some(Millimetre(spacing));
            let thickness = if at == 4 { 60.0 } else { 5.0 };
            taken(row, |a| {
                a.thickness_mm = Some(thickness);
                a.pixel_mm = Some(0.45 + 0.005 * at as f64);
            });
        }));
    }
    let audit = audit(&index(rows));
    assert_eq!(
        found(&audit),
        [
            ("series.spacing_implausible", Severity::Warning, 3),
            ("series.thickness_implausible", Severity::Warning, 3),
            ("series.spacing_outlier", Severity::Note, 3),
        ]
    );
    let outlier = named(&audit, "series.spacing_outlier");
    assert_eq!((outlier.series, outlier.examples[0].as_str()), (1, "p18_1"));
    assert!(outlier.what.contains("0.70 mm, where 5.00 mm"));
    let spacing = &audit.histograms[0];
    assert_eq!((spacing.slices[10], spacing.slices[1]), (54, 3));
    assert_eq!(audit.histograms[1].slices[20], 3);
}

#[test]
fn rare_scanners_and_voltages_are_noted() {
    let mut rows = series("often", 398, |row| {
        taken(row, |a| {
            a.manufacturer = Some("A".into());
            a.kvp = Some(120.0);
        });
    });
    rows.extend(series("rarely", 2, |row| {
        taken(row, |a| {
            a.manufacturer = Some("B".into());
            a.kernel = Some("H30s".into());
            a.kvp = Some(100.0);
        });
    }));
    let audit = audit(&index(rows));
    let rare = named(&audit, "scanner.rare");
    assert_eq!((rare.count, rare.series), (2, 1));
    assert!(rare.what.starts_with("1 of 2 scanners") && rare.what.contains("B H30s"));
    let voltages = named(&audit, "scanner.several_voltages");
    assert_eq!(voltages.count, 2);
    assert!(voltages.what.contains("120 kV 99.5 %, 100 kV 0.5 %"));
}

#[test]
fn sources_are_compared() {
    let mut rows = Vec::new();
    for patient in 0..40 {
        let (source, share) = if patient % 2 == 0 { ("a", 5) } else { ("b", 2) };
        rows.extend(series(&format!("p{patient}"), 10, |row| {
            row.dataset = source.into();
            let positive = row.order.is_some_and(|order| order < share);
            row.labels.0 = [
                Some(false),
                None,
                Some(true),
                Some(true),
                None,
                Some(positive),
            ];
        }));
    }
    rows[0].dataset = "b".into();
    let audit = audit(&index(rows));
    let [a, b] = &audit.sources[..] else {
        panic!("{:?}", audit.sources)
    };
    assert_eq!(
        (a.usable, a.patients, b.usable, b.patients),
        (199, 20, 201, 21)
    );
    assert_eq!((a.known[5], a.positives[5], a.known[1]), (199, 99, 0));
    assert_eq!(a.prevalence[1], None);
    let two = named(&audit, "patient.two_sources");
    assert_eq!(
        (two.count, two.examples.as_slice()),
        (1, &["p0_1".to_owned()][..])
    );
    let differs = named(&audit, "labels.prevalence_differs");
    assert_eq!(differs.count, 1, "{:?}", differs.examples);
    assert!(
        differs.examples[0].starts_with("any: "),
        "{:?}",
        differs.examples
    );
    let text = audit.to_text();
    assert!(text.contains("49.75 %") && text.contains('–'), "{text}");
    assert!(!text.contains("p0,") && !text.contains("p0 "));
}

#[test]
fn equal_shares_by_chance_are_no_difference() {
    // Whole patients are positive: 60 of 120 slices against 40, yet only six patients against four.
    let mut rows = Vec::new();
    for patient in 0..24 {
        rows.extend(series(&format!("p{patient}"), 10, |row| {
            row.dataset = if patient < 12 { "a" } else { "b" }.into();
            let positive = patient % 12 < if patient < 12 { 6 } else { 4 };
            row.labels.0 = [Some(positive); 6];
        }));
    }
    let audit = audit(&index(rows));
    let names = found(&audit);
    assert!(
        names
            .iter()
            .all(|(name, ..)| *name != "labels.prevalence_differs")
    );
}

#[test]
fn the_page_shows_pictures_and_says_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = series("secret-patient", 3, |row| {
        row.tilt_deg = Some(12.0);
    });
    rows[0].path = Ct::new("P", 1, 1).write(folder.path().join("a.dcm"));
    rows[1].path = folder.path().join("gone.dcm");
    rows[2].usable = false;
    rows[2].defects = vec!["truncated".into()];
    let index = index(rows);
    let audit = audit(&index);
    let path = folder.path().join("audit.html");
    write_html(&audit, &index, &path).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    for part in [
        "<!DOCTYPE html>",
        "series.gantry_tilt",
        "× 2 in 1 series",
        "refused.truncated",
        "refused: truncated",
        "The file cannot be opened any more.",
        "src=\"data:image/png;base64,",
        "What to do:",
        "Not checked: it needs 100 slices",
        "not a medical device",
    ] {
        assert!(page.contains(part), "{part} is not in the page");
    }
    assert_eq!(page.matches("<img").count(), 1);
    assert!(!page.contains("http") && !page.contains("<script") && !page.contains("gone.dcm"));
    let nowhere = folder.path().join("none").join("audit.html");
    assert!(write_html(&audit, &index, &nowhere).is_err());
}
