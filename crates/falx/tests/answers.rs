//! `falx predict` for studies: what is answered, what is refused, and in which form.

mod common;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::prelude::*;
use common::{Study, TrainedOnce, falx, json, run, stderr};
use predicates::str::contains;
use serde_json::Value;

/// A trained model and the studies of a phantom.
struct Trained {
    study: Study,
    model: PathBuf,
}

impl Trained {
    fn new() -> Self {
        static RUN: TrainedOnce = TrainedOnce::new();
        let study = Study::indexed();
        let model = RUN.put(&study, |study| study.recipe(1));
        Self { study, model }
    }

    fn on(study: Study) -> Self {
        let model = study.path("run");
        run("train {} --out {} -q", &[&study.recipe(1), &model]).success();
        Self { study, model }
    }

    fn answer(&self, sources: &Path, flags: &[&str]) -> Value {
        let out = self.study.path("answer.json");
        let mut command = falx();
        command.args(["predict", "--format", "json", "-q", "--model"]);
        command.arg(&self.model).arg("--out").arg(&out).args(flags);
        command.arg(sources).assert().success();
        serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap()
    }

    /// Predictions of slices as a table, by id.
    fn table(&self, flags: &[&str]) -> Vec<(String, Vec<f64>)> {
        let out = self.study.path("table.csv");
        let mut command = falx();
        command.args(["predict", "-q", "--model"]).arg(&self.model);
        command.arg("--out").arg(&out).args(flags);
        command.arg(self.study.images()).assert().success();
        let text = std::fs::read_to_string(out).unwrap();
        let row = |line: &str| {
            let mut cells = line.split(',').map(str::to_owned);
            let id = cells.next().unwrap();
            (id, cells.map(|p| p.parse().unwrap()).collect())
        };
        text.lines().skip(1).map(row).collect()
    }
}

const LABELS: [&str; 6] = [
    "epidural",
    "intraparenchymal",
    "intraventricular",
    "subarachnoid",
    "subdural",
    "any",
];

fn slices(study: &Value) -> impl Iterator<Item = &Value> {
    let series = study["series"].as_array().unwrap().iter();
    series.flat_map(|series| series["slices"].as_array().into_iter().flatten())
}

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
fn a_slice_that_is_gone_a_gap_and_a_stranger_are_told_and_the_rest_is_answered() {
    let trained = Trained::new();
    let answer = trained.answer(&trained.study.images(), &[]);
    let study = &answer["studies"][0];
    let ids: Vec<&str> = slices(study)
        .map(|s| s["image_id"].as_str().unwrap())
        .collect();
    let folder = trained.study.path("half");
    std::fs::create_dir(&folder).unwrap();
    for (at, id) in ids.iter().enumerate() {
        let file = format!("{id}.dcm");
        let to = folder.join(&file);
        std::fs::copy(trained.study.images().join(&file), &to).unwrap();
        match at {
            // In the middle one is missing, and one is cut off.
            9 => std::fs::remove_file(&to).unwrap(),
            12 => std::fs::File::options()
                .write(true)
                .open(&to)
                .unwrap()
                .set_len(900)
                .unwrap(),
            _ => {}
        }
    }
    std::fs::write(folder.join("notes.txt"), "no slice").unwrap();
    let out = trained.study.path("half.json");
    let command = run(
        "predict {} --model {} --format json --out {} -q",
        &[&folder, &trained.model, &out],
    );
    command
        .code(1)
        .stdout(contains("slices are missing in its middle"))
        .stdout(contains("not read"));
    let half: Value = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    assert_eq!(half["studies"].as_array().unwrap().len(), 1);
    assert_eq!(slices(&half["studies"][0]).count(), ids.len() - 2);
    assert_eq!(half["studies"][0]["series"][0]["caveats"][0], "gap");
    assert_eq!(half["unreadable"].as_array().unwrap().len(), 1);
    for slice in slices(&half["studies"][0]) {
        let whole = slices(study)
            .find(|s| s["image_id"] == slice["image_id"])
            .unwrap();
        assert_eq!(whole["findings"], slice["findings"]);
    }
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

#[test]
fn what_does_not_go_together_or_is_not_there_is_said() {
    let trained = Trained::new();
    let (images, model) = (trained.study.images(), &trained.model);
    let out = trained.study.path("out.json");
    for (flags, word) in [
        ("--format json --level study", "--level"),
        ("--format kaggle --series all", "--series"),
        ("--format csv --sample {}", "--sample"),
        ("--series the,,chest", "best, all"),
    ] {
        let line = format!("predict {{}} --model {{}} --out {{}} {flags}");
        run(&line, &[&images, model, &out, &out])
            .code(2)
            .stderr(contains(word));
    }
    let to_screen = "predict {} --model {} --out - --format";
    run(&format!("{to_screen} json"), &[&images, model]).code(2);
    run(&format!("{to_screen} jsonl --json"), &[&images, model]).code(2);

    let form = "predict {} --model {} --format json --out {} -q";
    run(&format!("{form} --series 1.2.3"), &[&images, model, &out])
        .code(3)
        .stderr(contains("1.2.3"));
    let nowhere = trained.study.path("no/such/out.json");
    run(form, &[&images, model, &nowhere])
        .code(3)
        .stderr(contains("no/such"));
    assert!(!out.exists());
    let texts = trained.study.path("texts");
    std::fs::create_dir(&texts).unwrap();
    std::fs::write(texts.join("a.txt"), "no slice").unwrap();
    let said = stderr(&run(form, &[&texts, model, &out]).code(3));
    assert!(said.contains("texts"), "{said}");
    run("predict - --model {} --out {}", &[model, &out])
        .code(3)
        .stderr(contains("standard input"));

    // One changed byte of the network.
    let network = model.join("bundle/model.onnx");
    let mut bytes = std::fs::read(&network).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&network, bytes).unwrap();
    run(form, &[&images, model, &out])
        .code(3)
        .stderr(contains("SHA-256"));
}

#[test]
fn little_memory_changes_no_answer_and_too_little_is_named() {
    let trained = Trained::new();
    let images = trained.study.images();
    let answer = trained.answer(&images, &[]);
    assert_eq!(trained.answer(&images, &["--memory", "6"]), answer);
    let out = trained.study.path("out.json");
    let form = "predict {} --model {} --format json --out {} -q --memory 1";
    run(form, &[&images, &trained.model, &out])
        .code(3)
        .stderr(contains("the budget is 1 MiB"));
    assert!(!out.exists());
}

#[test]
fn a_picture_of_raw_values_is_refused_and_copies_of_a_slice_are_told() {
    let trained = Trained::new();
    let folder = trained.study.path("odd");
    std::fs::create_dir(&folder).unwrap();
    // A scanner's twelve bits in a picture of sixteen.
    let raw: Vec<u16> = (0..64 * 64).map(|at| at % 4096).collect();
    let picture: image::ImageBuffer<image::Luma<u16>, _> =
        image::ImageBuffer::from_raw(64, 64, raw).unwrap();
    picture.save(folder.join("raw.png")).unwrap();
    let out = trained.study.path("odd.json");
    let form = "predict {} --model {} --format json --out {} -q";
    let paths = [folder.as_path(), &trained.model, &out];
    run(form, &paths).code(1).stdout(contains("raw_picture"));

    std::fs::remove_file(folder.join("raw.png")).unwrap();
    for file in std::fs::read_dir(trained.study.images()).unwrap() {
        let file = file.unwrap();
        for copy in ["a-", "b-"] {
            let name = format!("{copy}{}", file.file_name().display());
            std::fs::copy(file.path(), folder.join(name)).unwrap();
        }
    }
    run(form, &paths).success().stdout(contains("in one place"));
}

#[test]
fn a_reader_of_lines_that_goes_away_is_no_bug() {
    let trained = Trained::new();
    let mut child = falx()
        .args([
            "predict", "--format", "jsonl", "--out", "-", "-q", "--model",
        ])
        .arg(&trained.model)
        .arg(trained.study.images())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(first[0], b'{');
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_ne!(done.status.code(), Some(70), "{said}");
    assert!(!said.contains("bug"), "{said}");
    assert_eq!(
        json(&run("models show {} --json", &[&trained.model]).success())["network"],
        "simple_cnn"
    );
}
