use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use falx_core::LABELS;
use proptest::prelude::*;

use super::*;

/// A folder with a sample, a submission and labels to lint.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        desk.put("sample.csv", sample(3).as_bytes());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn lint(&self, submission: impl AsRef<[u8]>) -> LintReport {
        self.put("submission.csv", submission.as_ref());
        lint(&self.path("submission.csv"), &self.path("sample.csv"), None).unwrap()
    }

    fn text(&self, report: &LintReport) -> String {
        let folder = format!(
            "{}{}",
            self.folder.path().display(),
            std::path::MAIN_SEPARATOR
        );
        report.to_text().replace(&folder, "")
    }
}

fn sample(images: usize) -> String {
    let mut text = "ID,Label\n".to_owned();
    for i in 0..images {
        for label in LABELS {
            let _ = writeln!(text, "ID_{i:x}_{label},0.5");
        }
    }
    text
}

fn problems(report: &LintReport) -> Vec<(Problem, u64)> {
    report
        .findings
        .iter()
        .map(|f| (f.problem, f.count))
        .collect()
}

#[test]
fn the_sample_is_valid_against_itself() {
    let report = Desk::new().lint(sample(3));
    assert!(report.is_clean() && report.findings.is_empty());
    assert_eq!(
        (report.rows, report.expected_rows, report.expected_images),
        (18, 18, 3)
    );
}

#[test]
fn the_competitions_sample_is_valid_against_itself() {
    let Some(path) = falx_fixtures::shared("data/rsna-dicom/stage_2_sample_submission.csv") else {
        return;
    };
    let report = lint(&path, &path, None).unwrap();
    assert!(report.findings.is_empty(), "{report}");
    assert_eq!((report.rows, report.expected_images), (168, 28));
}

#[test]
fn each_defect_is_named_alone() {
    let desk = Desk::new();
    let good = sample(3);
    let check = |bytes: &[u8], expected: &[(Problem, u64)]| {
        let report = desk.lint(bytes);
        assert_eq!(problems(&report), expected, "{report}");
        let clean = expected
            .iter()
            .all(|(p, _)| p.severity() == Severity::Warning);
        assert_eq!(report.is_clean(), clean, "{report}");
    };
    let edit = |from: &str, to: &str| good.replacen(from, to, 1).into_bytes();
    check(b"", &[(Problem::NoRows, 1), (Problem::Missing, 18)]);
    check(
        format!("\u{FEFF}{good}").as_bytes(),
        &[(Problem::ByteOrderMark, 1)],
    );
    check(&edit("ID,Label", "id,label"), &[(Problem::Header, 1)]);
    check(&edit("ID,Label\n", ""), &[(Problem::Header, 1)]);
    check(
        &edit("ID_1_any,0.5", "ID_1_any;0.5"),
        &[(Problem::Fields, 1), (Problem::Missing, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,0,5"),
        &[(Problem::Fields, 1), (Problem::Missing, 1)],
    );
    check(
        &edit("ID_1_any", "any"),
        &[(Problem::Id, 1), (Problem::Missing, 1)],
    );
    check(
        &edit("ID_1_any", "ID_1_Any"),
        &[(Problem::LabelName, 1), (Problem::Missing, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,high"),
        &[(Problem::NotNumeric, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,"),
        &[(Problem::NotNumeric, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,NaN"),
        &[(Problem::NotANumber, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,1.0001"),
        &[(Problem::OutOfRange, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,-inf"),
        &[(Problem::OutOfRange, 1)],
    );
    check(&edit("ID_1_any,0.5\n", ""), &[(Problem::Missing, 1)]);
    check(
        &edit("ID_1_any,0.5", "ID_1_any,0.4"),
        &[(Problem::AnyBelowSubtype, 1)],
    );
    check(
        &edit("ID_1_any,0.5\n", "ID_1_any,0.5\n\n"),
        &[(Problem::BlankLine, 1)],
    );
    check(
        format!("{good}ID_9_any,0.5\n").as_bytes(),
        &[(Problem::Extra, 1)],
    );
    check(
        format!("{good}ID_1_any,0.5\n").as_bytes(),
        &[(Problem::Duplicate, 1)],
    );
    check(&edit("\n", "\r\n"), &[(Problem::LineEndings, 2)]);
    check(
        good.replace('\n', "\r").as_bytes(),
        &[(Problem::LineEndings, 1)],
    );
    check(
        good.replace('\n', "\r\n").as_bytes(),
        &[(Problem::OtherLineEndings, 1)],
    );
    check(good.trim_end().as_bytes(), &[]);
    let swapped = edit(
        "ID_0_any,0.5\nID_1_epidural,0.5",
        "ID_1_epidural,0.5\nID_0_any,0.5",
    );
    check(&swapped, &[(Problem::Order, 1)]);
    let mut bytes = good.clone().into_bytes();
    bytes[12] = 0xFF;
    check(&bytes, &[(Problem::Encoding, 1), (Problem::Missing, 1)]);
}

#[test]
fn examples_stop_at_five_and_name_their_lines() {
    let desk = Desk::new();
    let report = desk.lint(sample(2).replace("0.5", "7"));
    insta::assert_snapshot!(desk.text(&report));
    assert_eq!(report.findings[0].examples.len(), 5);
    assert_eq!(report.findings[1].examples[0].line, 14, "the sample's line");
}

#[test]
fn the_local_score_stands_beside_its_baselines() {
    let desk = Desk::new();
    let mut truth = "ID,Label\n".to_owned();
    let mut submission = truth.clone();
    for (i, positive) in [(0, 1), (1, 0), (2, 0)] {
        for label in LABELS {
            let y = if label.index() >= 4 { positive } else { 0 };
            let _ = writeln!(truth, "ID_{i:x}_{label},{y}");
            let _ = writeln!(
                submission,
                "ID_{i:x}_{label},{}",
                if y == 1 { 0.8 } else { 0.1 }
            );
        }
    }
    desk.put("truth.csv", truth.as_bytes());
    desk.put("submission.csv", submission.as_bytes());
    let run = |submission: &str| {
        let [s, sample, t] = [submission, "sample.csv", "truth.csv"].map(|n| desk.path(n));
        lint(&s, &sample, Some(&t)).unwrap()
    };
    let report = run("submission.csv");
    let score = report.score.as_ref().unwrap();
    let by_hand = (15.0 * -(0.9_f64.ln()) + 3.0 * -(0.8_f64.ln()) - 3.0 * 0.9_f64.ln()) / 21.0;
    assert!((score.weighted_log_loss - by_hand).abs() < 1e-12);
    assert!((score.half_log_loss - std::f64::consts::LN_2).abs() < 1e-12);
    insta::assert_snapshot!(desk.text(&report));

    // The sample itself is worse than prevalence, and says so.
    let half = run("sample.csv");
    assert!(half.to_text().contains("WORSE THAN NO SKILL"));
    let back: LintReport = serde_json::from_str(&serde_json::to_string(&half).unwrap()).unwrap();
    assert_eq!(back.findings, half.findings);
}

#[test]
fn unusable_samples_and_labels_are_errors() {
    let desk = Desk::new();
    let path = |name: &str| desk.path(name);
    let run = |sample: &str, truth: Option<&Path>| lint(&path("sample.csv"), &path(sample), truth);
    assert!(matches!(
        run("none.csv", None),
        Err(LintError::File(KaggleError::Read { .. }))
    ));
    desk.put("empty.csv", b"ID,Label\n");
    assert!(matches!(
        run("empty.csv", None),
        Err(LintError::File(KaggleError::NoRows { .. }))
    ));
    desk.put("twice.csv", b"ID,Label\na_any,0.5\na_any,0.5\n");
    assert!(matches!(
        run("twice.csv", None),
        Err(LintError::File(KaggleError::Repeated { line: 3, .. }))
    ));
    desk.put("truth.csv", b"ID,Label\na_any,NaN\n");
    let truth = path("truth.csv");
    assert!(matches!(
        run("sample.csv", Some(&truth)),
        Err(LintError::File(KaggleError::Row { line: 2, .. }))
    ));
    desk.put("other.csv", b"ID,Label\nelsewhere_any,1\n");
    assert_eq!(
        run("sample.csv", Some(&path("other.csv"))).unwrap().score,
        None
    );
}

#[test]
fn a_hundred_thousand_rows_are_checked() {
    let desk = Desk::new();
    let text = sample(16_700);
    desk.put("sample.csv", text.as_bytes());
    let report = desk.lint(text.trim_end().rsplit_once('\n').unwrap().0);
    assert_eq!(report.expected_rows, 100_200);
    assert_eq!(problems(&report), [(Problem::Missing, 1)]);
    assert_eq!(report.findings[0].examples[0].line, 100_201);
}

proptest! {
    #[test]
    fn no_bytes_trip_the_linter(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let report = Desk::new().lint(&bytes);
        prop_assert!(!report.is_clean());
        prop_assert!(!report.to_text().is_empty());
    }

    #[test]
    fn no_damage_trips_the_linter(at in 0..300_usize, byte in any::<u8>(), cut in 0..300_usize) {
        let mut bytes = sample(3).into_bytes();
        if let Some(b) = bytes.get_mut(at) {
            *b = byte;
        }
        bytes.truncate(bytes.len() - cut);
        let report = Desk::new().lint(&bytes);
        prop_assert!(report.rows <= 19);
    }
}
