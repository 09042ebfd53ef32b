//! The model in the box: what commands use where nobody names a model.

mod common;

use std::path::Path;

use assert_cmd::prelude::*;
use common::{Study, falx, json, run};
use falx_core::Probability;
use falx_eval::predictions::read_csv;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

/// A few slices of a phantom: every network of the box looks at each twice.
fn slices() -> (Study, std::path::PathBuf) {
    let study = Study::new();
    let few = study.path("few");
    std::fs::create_dir(&few).unwrap();
    let files = std::fs::read_dir(study.images()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap()).collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files.iter().take(12) {
        std::fs::copy(file.path(), few.join(file.file_name())).unwrap();
    }
    (study, few)
}

#[test]
fn slices_and_studies_are_answered_without_a_model_and_it_is_said_by_which() {
    let (study, images) = slices();
    let csv = study.path("slices.csv");
    let said = || {
        contains("by the model in the box (efficientnet_lite0")
            .and(contains("non-commercial"))
            .and(contains("14.3 %"))
            .and(contains("Research use"))
    };
    run("predict {} --out {} -q", &[&images, &csv])
        .success()
        .stdout(said());
    let predictions = read_csv(&csv).unwrap();
    assert_eq!(predictions.len(), 12);
    for prediction in &predictions {
        let [subtypes @ .., any] = prediction.probabilities.map(Probability::get);
        let most = subtypes.into_iter().fold(0.0, f64::max);
        assert!(any >= most - 1e-9, "{prediction:?}");
    }

    // The same image in two sources is one row.
    let other = study.path("other");
    std::fs::create_dir(&other).unwrap();
    let first = std::fs::read_dir(&images).unwrap().next().unwrap().unwrap();
    std::fs::copy(first.path(), other.join(first.file_name())).unwrap();
    let both = study.path("both.csv");
    run("predict {} {} --out {} -q", &[&images, &other, &both])
        .success()
        .stdout(contains("1 slices left out whose image id had come before"));
    assert_eq!(read_csv(&both).unwrap().len(), 12);

    let answer = study.path("answer.json");
    run("predict {} --format json --out {} -q", &[&images, &answer])
        .success()
        .stdout(said());
    let answer: serde_json::Value =
        serde_json::from_slice(&std::fs::read(answer).unwrap()).unwrap();
    assert_eq!(answer["model"]["network"], "efficientnet_lite0");
    assert!((answer["prevalence"].as_f64().unwrap() - 0.1434).abs() < 1e-9);

    // Nothing is said where a model is named, and the same bundle in a folder says the same of slices.
    let folder = study.path("unpacked");
    run("models pack default --out {} -q", &[&folder]).success();
    let again = study.path("again.csv");
    run(
        "predict {} --model {} --out {} -q",
        &[&images, &folder, &again],
    )
    .success()
    .stdout(contains("in the box").not());
    assert!(std::fs::read(csv).unwrap() == std::fs::read(again).unwrap());
}

#[test]
fn it_is_shown_with_what_it_reached_and_explains_itself() {
    let shown = json(&run("models show default --json", &[]).success());
    let metrics = &shown["metrics"];
    let number = |key: &str| metrics[key].as_f64().unwrap();
    assert!(
        number("weighted_log_loss") < 0.8 * number("prevalence_baseline"),
        "{metrics}"
    );
    assert!(shown["decisions"]["slice"].as_array().unwrap().len() >= 4);
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    run("models pack default --out {} -q", &[&bundle]).success();
    let card = std::fs::read_to_string(bundle.join("MODEL_CARD.md")).unwrap();
    for words in [
        "RSNA",
        "non-commercial",
        "## At the prevalence of 14.34 %",
        "Research use",
        "## What it misses",
    ] {
        assert!(card.contains(words), "{words} is not in {card}");
    }

    let (study, images) = slices();
    let mut files = std::fs::read_dir(images).unwrap();
    let slice = files.next().unwrap().unwrap().path();
    let out = study.path("maps");
    run(
        "explain {} --label any --at-least 0 --method layer-cam --out {} -q",
        &[&slice, &out],
    )
    .success()
    .stdout(contains("by the model in the box"));
    assert!(out.join("index.html").is_file());
}

#[test]
fn what_lies_on_the_disk_under_its_name_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("default")).unwrap();
    let mut command = falx();
    command.current_dir(folder.path());
    command.args(["models", "show", "default"]);
    command.assert().code(3).stderr(contains("no bundle here"));
}

/// The real slices of the shared data, by the README's commands.
#[test]
fn real_slices_are_told_apart() {
    let Some(data) = falx_fixtures::shared("data/rsna-dicom") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = (data.join("stage_2_train"), data.join("stage_2_train.csv"));
    let csv = folder.path().join("p.csv");
    run("predict {} --format csv --out {} -q", &[&images, &csv]).success();
    let line = "evaluate {} --labels {} --replicates 50 --json -q";
    let judged = json(&run(line, &[Path::new(&csv), &labels]).success());
    assert_eq!(judged["slices"], 192);
    let any = &judged["labels"][5]["auc"]["value"];
    // It has learnt from most of them.
    assert!(any.as_f64().unwrap() > 0.9, "{any}");
}
