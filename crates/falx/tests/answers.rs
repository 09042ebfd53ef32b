//! `falx predict` for studies: what is answered, what is refused, and in which form.

mod common;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::prelude::*;
use common::trained::{Trained, slices};
use common::{Study, falx, run};
use predicates::str::contains;
use serde_json::Value;

const LABELS: [&str; 6] = [
    "epidural",
    "intraparenchymal",
    "intraventricular",
    "subarachnoid",
    "subdural",
    "any",
];

fn probability(of: &Value, label: &str) -> f64 {
    of["findings"][label]["probability"].as_f64().unwrap()
}

#[test]
fn a_study_is_answered_in_every_form_alike() {
    let trained = Trained::new();
    let answer = trained.answer(&trained.study.images(), &[]);
    assert_eq!(answer["notice"], "Research use; not a medical device.");
    assert_eq!(answer["model"]["sha256"].as_str().unwrap().len(), 64);
    let studies = answer["studies"].as_array().unwrap();
    let slice_table = trained.table(&[]);
    let study_table = trained.table(&["--level", "study"]);
    let series_table = trained.table(&["--level", "series"]);
    assert_eq!(studies.len(), study_table.len());
    assert_eq!(study_table.len(), series_table.len());
    let mut seen = 0;
    for study in studies {
        let uid = study["study_uid"].as_str().unwrap();
        let row = &study_table.iter().find(|(id, _)| id == uid).unwrap().1;
        for (label, p) in LABELS.iter().zip(row) {
            let highest = slices(study).map(|slice| probability(slice, label));
            let highest = highest.fold(0.0, f64::max);
            assert!((highest - p).abs() < 1e-6, "{label} {highest} {p}");
            assert!((probability(study, label) - highest).abs() < 1e-12);
        }
        for slice in slices(study) {
            let id = slice["image_id"].as_str().unwrap();
            let row = &slice_table.iter().find(|(known, _)| known == id).unwrap().1;
            for (label, p) in LABELS.iter().zip(row) {
                assert!((probability(slice, label) - p).abs() < 1e-6);
            }
            seen += 1;
        }
        let orders: Vec<u64> = slices(study)
            .map(|s| s["order"].as_u64().unwrap())
            .collect();
        assert!(orders.is_sorted(), "{orders:?}");
        assert!(
            study["choice"]
                .as_str()
                .unwrap()
                .contains("its only series")
        );
    }
    assert_eq!(seen, slice_table.len());

    // Line by line the same, after what stands above all studies.
    let mut command = falx();
    command.args([
        "predict",
        "--format",
        "jsonl",
        "--out",
        "-",
        "-q",
        "--threads",
        "1",
        "--model",
    ]);
    let lines = command
        .arg(&trained.model)
        .arg(trained.study.images())
        .output()
        .unwrap();
    assert!(lines.status.success());
    let lines = String::from_utf8(lines.stdout).unwrap();
    let mut lines = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let head = lines.next().unwrap();
    assert_eq!(head["model"], answer["model"]);
    assert_eq!(lines.collect::<Vec<_>>(), *studies);
}

#[test]
fn rules_of_presence_are_in_the_bundle_and_hold_whatever_the_prevalence() {
    // Nine patients with a haemorrhage and nine without in a fold: with fewer, one error in ten can never be promised.
    let trained = Trained::on(Study::indexed_of(60));
    let manifest = std::fs::read_to_string(trained.model.join("bundle/bundle.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let rules = manifest["decisions"]["slice"].as_array().unwrap();
    assert!(!rules.is_empty());
    let plain = trained.answer(&trained.study.images(), &[]);
    let shifted = trained.answer(&trained.study.images(), &["--prevalence", "0.03"]);
    assert_eq!(shifted["prevalence"], 0.03);
    let (mut told, mut lower) = (BTreeSet::new(), 0);
    for (a, b) in plain["studies"]
        .as_array()
        .unwrap()
        .iter()
        .zip(shifted["studies"].as_array().unwrap())
    {
        for (a, b) in slices(a).zip(slices(b)) {
            let presence = |of: &Value| of["findings"]["any"]["presence"].clone();
            assert_eq!(presence(a), presence(b));
            told.insert(presence(a).to_string());
            lower += usize::from(probability(b, "any") < probability(a, "any"));
        }
    }
    assert!(lower > 100, "{lower}");
    for rule in rules {
        let rule = rule.as_table().unwrap();
        assert!(rule["positive_patients"].as_integer().unwrap() > 0);
        assert_eq!(rule["error_rate"].as_float(), Some(0.1));
    }
    assert!(told.iter().any(|word| word != "null"), "{told:?}");
}

#[test]
fn paths_may_come_from_standard_input_and_series_be_asked_for() {
    let trained = Trained::new();
    let answer = trained.answer(&trained.study.images(), &[]);
    let wanted = &answer["studies"][1]["series"][0];
    let uid = wanted["series_uid"].as_str().unwrap();
    let one = trained.answer(&trained.study.images(), &["--series", uid]);
    let studies = one["studies"].as_array().unwrap();
    assert_eq!(studies.len(), 1);
    assert_eq!(studies[0]["series"][0], *wanted);
    assert!(studies[0]["choice"].as_str().unwrap().contains("asked for"));

    let out = trained.study.path("listed.csv");
    let mut child = falx()
        .args(["predict", "-", "-q", "--model"])
        .arg(&trained.model)
        .arg("--out")
        .arg(&out)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut list = child.stdin.take().unwrap();
    for slice in wanted["slices"].as_array().unwrap() {
        let file = format!("{}.dcm", slice["image_id"].as_str().unwrap());
        writeln!(list, "{}", trained.study.images().join(file).display()).unwrap();
    }
    drop(list);
    assert!(child.wait().unwrap().success());
    let rows = std::fs::read_to_string(out).unwrap().lines().count() - 1;
    assert_eq!(rows, wanted["slices"].as_array().unwrap().len());
}

#[test]
fn a_study_becomes_dicom_objects_with_the_same_bytes_each_time() {
    let trained = Trained::new();
    let answer = trained.answer(&trained.study.images(), &[]);
    let study = &answer["studies"][0];
    let uid = study["study_uid"].as_str().unwrap();
    let series = study["series"][0]["series_uid"].as_str().unwrap();
    let write = |out: &Path| {
        let mut command = falx();
        command.env("SOURCE_DATE_EPOCH", "1700000000");
        command.args([
            "predict", "--format", "dicom", "-q", "--series", series, "--model",
        ]);
        command.arg(&trained.model).arg("--out").arg(out);
        command.arg(trained.study.images()).assert().success();
        common::files(out)
    };
    let (once, again) = (trained.study.path("once"), trained.study.path("again"));
    let objects = write(&once);
    let names = [
        "falx-key-objects.dcm",
        "falx-report.dcm",
        "falx-summary.dcm",
    ];
    let expected: Vec<PathBuf> = names.iter().map(|name| Path::new(uid).join(name)).collect();
    assert_eq!(objects.keys().cloned().collect::<Vec<_>>(), expected);
    assert_eq!(write(&again), objects);
    // The report says what the JSON says, and names no slice of another study.
    let report = String::from_utf8_lossy(&objects[&expected[1]]).into_owned();
    let percent = 100.0 * probability(study, "any");
    let shown = format!("{percent:.2}");
    assert!(report.contains(&shown), "{shown}");
    assert!(report.contains("35486000") && report.contains("Research use; not a medical device."));
    let sop = |study: &Value| {
        slices(study).next().unwrap()["sop_uid"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(report.contains(&sop(study)) && !report.contains(&sop(&answer["studies"][1])));

    // With heat maps there are pictures, and pages beside them. One epoch on this little data rules nothing in or out.
    let maps = trained.study.path("maps");
    let mut command = falx();
    command.args([
        "predict",
        "--format",
        "dicom",
        "--heat-maps",
        "-q",
        "--series",
        series,
    ]);
    command
        .args(["--prevalence", "0.95", "--model"])
        .arg(&trained.model)
        .arg("--out")
        .arg(&maps);
    command.arg(trained.study.images()).assert().success();
    let with_maps = common::files(&maps);
    let named = |name: &str| with_maps.keys().filter(|path| path.ends_with(name)).count();
    assert_eq!((named("falx-picture-001.dcm"), named("study.html")), (1, 1));
    // The same maps as numbers.
    let is_map = |path: &&PathBuf| path.to_string_lossy().contains("falx-heat-map-");
    assert!(with_maps.keys().filter(is_map).count() >= 1);
    assert!(with_maps.contains_key(&Path::new(uid).join("falx-report.dcm")));

    // Pictures have no study to write into; a file is no folder.
    let picture = trained.study.path("pictures");
    std::fs::create_dir(&picture).unwrap();
    let slice = falx_png(
        &trained.study.images(),
        slices(study).next().unwrap(),
        &picture,
    );
    let line = "predict {} --model {} --format dicom --out {} -q";
    run(line, &[&slice, &trained.model, &trained.study.path("none")])
        .code(1)
        .stdout(contains("was not written"));
    run(line, &[&trained.study.images(), &trained.model, &slice])
        .code(3)
        .stderr(contains("cannot write"));
}

/// A slice as a picture of its brain window.
fn falx_png(images: &Path, slice: &Value, folder: &Path) -> PathBuf {
    let id = slice["image_id"].as_str().unwrap();
    let png = folder.join(format!("{id}.png"));
    let dicom = images.join(format!("{id}.dcm"));
    run("dicom show {} --png {} --window 40/80", &[&dicom, &png]).success();
    png
}
