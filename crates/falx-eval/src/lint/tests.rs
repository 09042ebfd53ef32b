use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use falx_core::LABELS;
use proptest::prelude::*;

use super::*;

mod values;

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
    assert!(report.is_clean(), "{report}");
    assert_eq!(problems(&report), [(Problem::Constant, 1)]);
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
    check(&edit("ID,Label", "id,label"), &[(Problem::HeaderCase, 1)]);
    check(&edit("ID,Label", "image,score"), &[(Problem::Header, 1)]);
    check(&edit("ID,Label\n", ""), &[(Problem::Header, 1)]);
    check(
        &edit("ID_1_any,0.5", "ID_1_any;0.5"),
        &[(Problem::Fields, 1), (Problem::Incomplete, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,0,5"),
        &[(Problem::DecimalComma, 1)],
    );
    check(
        &edit("ID_1_any,0.5", "ID_1_any,0,5,1"),
        &[(Problem::Fields, 1), (Problem::Incomplete, 1)],
    );
    check(
        &edit("ID_1_any", "any"),
        &[(Problem::Id, 1), (Problem::Incomplete, 1)],
    );
    check(
        &edit("ID_1_any", "ID_1_Any"),
        &[(Problem::LabelName, 1), (Problem::Incomplete, 1)],
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
        &[(Problem::Infinite, 1)],
    );
    check(&edit("ID_1_any,0.5\n", ""), &[(Problem::Incomplete, 1)]);
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
    check(&bytes, &[(Problem::Encoding, 1), (Problem::Incomplete, 1)]);
}

#[test]
fn other_forms_are_recognised_said_and_read_on() {
    let desk = Desk::new();
    let good = sample(3);
    let swapped: Vec<String> = good
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(id, value)| format!("{value},{id}\n"))
        .collect();
    let pandas: String = std::iter::once(",ID,Label\n".to_owned())
        .chain(
            (0..)
                .zip(good.lines().skip(1))
                .map(|(i, line)| format!("{i},{line}\n")),
        )
        .collect();
    for (text, expected) in [
        (good.replace(',', ";"), vec![(Problem::Separator, 1)]),
        (good.replace(',', "\t"), vec![(Problem::Separator, 1)]),
        (
            good.replace(',', ";").replace("0.5", "0,5"),
            vec![(Problem::Separator, 1), (Problem::DecimalComma, 18)],
        ),
        (swapped.concat(), vec![(Problem::SwappedColumns, 1)]),
        (pandas, vec![(Problem::FurtherColumns, 1)]),
        (
            good.replace("ID,Label", "\"Id\",\"label\""),
            vec![(Problem::HeaderCase, 1)],
        ),
        (good.replace("ID,Label", "\"ID\",\"Label\""), vec![]),
        (
            "image_id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\nx,0,0,0,0,0,0\n".to_owned(),
            vec![(Problem::WideForm, 1)],
        ),
        (
            good.replace("ID_", "X_"),
            vec![(Problem::OtherImages, 1), (Problem::Missing, 18), (Problem::Extra, 18)],
        ),
        (
            good.lines().take(8).collect::<Vec<_>>().join("\n"),
            vec![(Problem::OtherSize, 1), (Problem::Missing, 6), (Problem::Incomplete, 1)],
        ),
    ] {
        let report = desk.lint(&text);
        assert_eq!(problems(&report), expected, "{text}\n{report}");
    }
    let part = desk.lint(good.replace("ID_1_any,0.5\n", ""));
    assert_eq!(part.findings[0].examples[0].text, "ID_1 lacks any");
}

#[test]
fn rows_that_the_sample_repeats_are_expected_as_often_and_said() {
    let desk = Desk::new();
    let image = |value: &str| {
        sample(1)
            .replacen("ID,Label\n", "", 1)
            .replace("ID_0", "ID_a64d5deed")
            .replace("0.5", value)
    };
    let repeated = sample(3) + &image("0.5") + &image("0.5");
    desk.put("sample.csv", repeated.as_bytes());
    let notes = (Problem::SampleRepeats, 6);
    let whole = desk.lint(&repeated);
    assert!(whole.is_clean());
    assert_eq!(problems(&whole), [notes]);
    assert!(
        whole.findings[0].examples[0].text.contains("RSNA"),
        "{whole}"
    );
    assert_eq!(
        problems(&desk.lint(sample(3) + &image("0.5"))),
        [(Problem::OtherSize, 1), (Problem::RepeatsLeftOut, 6), notes]
    );
    assert_eq!(
        problems(&desk.lint(sample(3) + &image("0.5") + &image("0.4"))),
        [(Problem::RepeatsDiffer, 6), notes]
    );
    let thrice = desk.lint(repeated.clone() + &image("0.5"));
    assert_eq!(
        problems(&thrice),
        [(Problem::OtherSize, 1), (Problem::Duplicate, 6), notes]
    );

    // The score once and as Kaggle counts: by hand, an image right with 0.9 that counts double, three wrong with 0.5.
    let truth = repeated.replace("0.5", "0");
    desk.put("truth.csv", truth.as_bytes());
    let submission = sample(3) + &image("0.1") + &image("0.1");
    desk.put("submission.csv", submission.as_bytes());
    let [s, sample, t] = ["submission.csv", "sample.csv", "truth.csv"].map(|n| desk.path(n));
    let score = lint(&s, &sample, Some(&t)).unwrap().score.unwrap();
    let (right, half) = (-(0.9_f64.ln()), std::f64::consts::LN_2);
    assert!((score.weighted_log_loss - (3.0 * half + right) / 4.0).abs() < 1e-12);
    let counted = score.with_repeated_rows.unwrap();
    assert!((counted - (3.0 * half + 2.0 * right) / 5.0).abs() < 1e-12);
}

#[test]
fn examples_stop_at_five_and_name_their_lines() {
    let desk = Desk::new();
    let report = desk.lint(sample(2).replace("0.5", "700"));
    insta::assert_snapshot!(desk.text(&report));
    assert_eq!(report.findings[1].examples.len(), 5);
    assert_eq!(report.findings[2].examples[0].line, 14, "the sample's line");
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
    assert_eq!(
        problems(&report),
        [(Problem::Incomplete, 1), (Problem::Constant, 1)]
    );
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
