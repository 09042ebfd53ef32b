//! Bad predictions and submissions through the binary: each has its exit code and a message that names file and remedy.

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::{falx, json, run, stderr};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

const LABELS: [&str; 6] = [
    "epidural",
    "intraparenchymal",
    "intraventricular",
    "subarachnoid",
    "subdural",
    "any",
];

/// A folder with the truth of some slices; every third is positive.
struct Desk {
    folder: tempfile::TempDir,
    slices: usize,
}

impl Desk {
    fn new(slices: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Self { folder, slices };
        desk.put(
            "truth.csv",
            desk.long(|slice, _| f64::from(u8::from(slice % 3 == 0))),
        );
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn long(&self, value: impl Fn(usize, usize) -> f64) -> String {
        let mut text = "ID,Label\n".to_owned();
        for slice in 0..self.slices {
            for (at, label) in LABELS.iter().enumerate() {
                let _ = writeln!(text, "ID_{slice:05x}_{label},{}", value(slice, at));
            }
        }
        text
    }

    fn wide(&self, value: impl Fn(usize, usize) -> f64) -> String {
        let mut text = format!("image_id,{}\n", LABELS.join(","));
        for slice in 0..self.slices {
            let values: Vec<String> = (0..6).map(|at| value(slice, at).to_string()).collect();
            let _ = writeln!(text, "ID_{slice:05x},{}", values.join(","));
        }
        text
    }

    fn evaluate(&self, predictions: &Path, more: &str) -> assert_cmd::assert::Assert {
        let draws = if more.contains("--replicates") {
            ""
        } else {
            "--replicates 20"
        };
        let line = format!("evaluate {{}} --labels {{}} {draws} -q {more}");
        run(&line, &[predictions, &self.path("truth.csv")])
    }

    /// What is said of predictions that must be refused as unusable.
    fn refusal(&self, content: impl AsRef<[u8]>) -> String {
        let failed = self.evaluate(&self.put("p.csv", content), "").code(3);
        let folder = format!(
            "{}{}",
            self.folder.path().display(),
            std::path::MAIN_SEPARATOR
        );
        stderr(&failed).replace(&folder, "")
    }
}

fn good(slice: usize, label: usize) -> f64 {
    let positive = if slice.is_multiple_of(3) { 0.5 } else { 0.1 };
    positive + 0.01 * (slice % 7) as f64 + 0.001 * label as f64
}

fn logit(slice: usize, label: usize) -> f64 {
    let p = good(slice, label);
    (p / (1.0 - p)).ln()
}

#[test]
fn files_that_are_no_predictions_are_refused_and_say_what_to_do() {
    let desk = Desk::new(24);
    let wide = desk.wide(good);
    let texts = [
        Vec::new(),
        wide.lines().next().unwrap().into(),
        b"The patient was well.\nNothing else is known.\n".to_vec(),
        b"\x00\x01\x02\xFF\xFE\n".to_vec(),
        b"PAR1\x15\x04".to_vec(),
        wide.replacen("0.5,", "NaN,", 1)
            .replacen("0.51,", "nan,", 9)
            .into(),
        wide.replacen("0.5", "1.5", 1).into(),
        wide.replacen("0.5", "-0.5", 1).into(),
        desk.wide(|slice, label| 3.0 * logit(slice, label)).into(),
        desk.wide(|slice, label| 100.0 * good(slice, label)).into(),
        wide.replace("0.", "0,").into(),
        wide.replacen("0.5", "", 1).into(),
        wide.replacen("ID_00001", "ID_00000", 1).into(),
        wide.replacen("any", "all", 1).into(),
        desk.long(good)
            .replacen("ID_00003_any", "ID_00003_ever", 1)
            .into(),
        desk.long(good)
            .lines()
            .take(9)
            .collect::<Vec<_>>()
            .join("\n")
            .into(),
    ];
    let said: Vec<String> = texts.iter().map(|text| desk.refusal(text)).collect();
    insta::assert_snapshot!(said.concat());
}

#[test]
fn other_forms_of_the_same_predictions_score_the_same_and_it_is_said() {
    let desk = Desk::new(24);
    let score = |text: &str, more: &str| {
        let judged = desk
            .evaluate(&desk.put("p.csv", text), &format!("--json {more}"))
            .code(0);
        let judged = json(&judged);
        let loss = judged["weighted_log_loss"]["value"].as_f64().unwrap();
        (loss, judged["warnings"].to_string())
    };
    let wide = desk.wide(good);
    let (expected, _) = score(&wide, "");
    for (text, more, said) in [
        (desk.long(good), "", "Kaggle"),
        (wide.replace(',', ";").replace("0.", "0,"), "", "semicolons"),
        (wide.replace(',', "\t"), "", "tabs"),
        (wide.replace("image_id", "sop_uid"), "", "sop_uid"),
        (desk.wide(logit), "--logits", "sigmoid"),
        (
            desk.wide(|slice, label| 100.0 * good(slice, label)),
            "--percentages",
            "divided by 100",
        ),
    ] {
        let (loss, warnings) = score(&text, more);
        assert!(
            (loss - expected).abs() < 1e-12,
            "{loss} is not {expected}: {text}"
        );
        assert!(warnings.contains(said), "{warnings}");
    }
}

#[test]
fn predictions_of_other_slices_are_refused_and_of_some_are_counted() {
    let desk = Desk::new(24);
    let other = desk.wide(good).replace("ID_", "X_");
    assert!(desk.refusal(&other).starts_with("error: "));
    let some = desk.wide(good).replacen("ID_0000", "X_0000", 3);
    desk.evaluate(&desk.put("p.csv", some), "")
        .code(0)
        .stdout(contains("3").and(contains("no truth")));
}

#[test]
fn one_class_constants_and_ties_are_scored_without_a_number_that_has_no_meaning() {
    let desk = Desk::new(24);
    for value in [0.0, 0.5, 1.0] {
        let judged = desk
            .evaluate(&desk.put("p.csv", desk.wide(|_, _| value)), "--json")
            .code(0);
        let judged = json(&judged);
        assert_eq!(
            judged["labels"][5]["auc"]["value"], 0.5,
            "ties count one half"
        );
        assert!(!judged.to_string().contains("NaN"));
    }
    for class in [0.0, 1.0] {
        desk.put("truth.csv", desk.long(|_, _| class));
        let judged = desk
            .evaluate(&desk.put("p.csv", desk.wide(good)), "--json")
            .code(0);
        let judged = json(&judged);
        assert!(judged["labels"][5]["auc"].is_null(), "{judged}");
        assert!(!judged["labels"][5]["undefined"].is_null(), "{judged}");
    }
}

#[test]
fn paths_that_cannot_be_read_or_written_are_named() {
    let desk = Desk::new(24);
    let predictions = desk.put("p.csv", desk.wide(good));
    desk.evaluate(&desk.path("missing.csv"), "")
        .code(3)
        .stderr(contains("missing.csv"));
    // A folder is taken for a run.
    let folder = desk.path("folder");
    std::fs::create_dir(&folder).unwrap();
    desk.evaluate(&folder, "")
        .code(3)
        .stderr(contains("folder"));
    for scale in ["--logits", "--percentages"] {
        desk.evaluate(&folder, scale)
            .code(3)
            .stderr(contains(scale));
    }
    desk.evaluate(&predictions, "--logits --percentages")
        .code(2);
    run("evaluate {} --labels {}", &[&predictions, &folder])
        .code(3)
        .stderr(contains("folder"));
    // A path under a file cannot be written, whoever asks.
    let out = predictions.join("report.html");
    run(
        "evaluate {} --labels {} --replicates 20 -q --html {}",
        &[&predictions, &desk.path("truth.csv"), &out],
    )
    .code(3)
    .stderr(contains("report.html"));
}

#[test]
fn a_closed_pipe_is_no_bug() {
    let desk = Desk::new(24);
    let predictions = desk.put("p.csv", desk.wide(good));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = falx()
        .arg("evaluate")
        .arg(&predictions)
        .arg("--labels")
        .arg(desk.path("truth.csv"))
        .args(["--replicates", "20", "-q"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(!said.contains("bug"), "{said}");
}

#[test]
fn a_hundred_thousand_rows_are_scored() {
    let desk = Desk::new(100_000);
    let judged = desk
        .evaluate(&desk.put("p.csv", desk.wide(good)), "--json --replicates 0")
        .code(0);
    assert_eq!(json(&judged)["slices"], 100_000);
}

#[test]
fn bench_evaluate_measures_and_names_a_missing_peer() {
    let line = "bench evaluate --slices 2000 --draws 5 --rounds 1 --files --json -q";
    let report = json(&run(line, &[]).code(0));
    assert_eq!(
        (&report["slices"], &report["patients"]),
        (&2000.into(), &50.into())
    );
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(report["files"]["lint"]["rows"], 12_000);
    assert!(report["time_ratio"].is_null());
    run(
        "bench evaluate --slices 100 --peer numpy --python {}",
        &[Path::new("no-python")],
    )
    .code(3)
    .stderr(contains("--python"));
}

#[test]
fn submissions_are_valid_or_not_and_score_all_the_same() {
    let desk = Desk::new(24);
    let sample = desk.put("sample.csv", desk.long(|_, _| 0.5));
    let lint = |content: &str| {
        let line = "lint-submission {} --sample {} --truth {}";
        run(
            line,
            &[
                &desk.put("s.csv", content),
                &sample,
                &desk.path("truth.csv"),
            ],
        )
    };
    let text = desk.long(good);
    lint(&text)
        .code(0)
        .stdout(contains("valid").and(contains("would score")));
    lint(&text.replace(',', ";"))
        .code(1)
        .stdout(contains("semicolons"));
    lint(&desk.long(|slice, label| 3.0 * logit(slice, label)))
        .code(1)
        .stdout(contains("logits").and(contains("sigmoid")));
    lint("").code(1).stdout(contains("no rows"));
    lint(&desk.wide(good))
        .code(1)
        .stdout(contains("falx predict --format kaggle"));
    run(
        "lint-submission {} --sample {}",
        &[&desk.path("none.csv"), &sample],
    )
    .code(3)
    .stderr(contains("none.csv"));
    run("lint-submission {}", &[&sample]).code(2);
}
