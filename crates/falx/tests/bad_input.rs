//! Bad input is named, with a remedy, and has its exit code.

mod common;

use std::fmt::Write as _;

use common::{Study, json, run, stderr};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

#[test]
fn a_path_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no-such-folder");
    let out = folder.path().join("i.parquet");
    run("index {} --out {}", &[&nowhere, &out])
        .code(3)
        .stderr(contains("no-such-folder"));
    assert!(!out.exists());
    for line in [
        "audit {}",
        "train {} --out x",
        "evaluate {}",
        "split {} --out x",
    ] {
        run(line, &[&nowhere])
            .code(3)
            .stderr(contains("no-such-folder"));
    }
}

#[test]
fn an_empty_folder_and_a_folder_of_texts_hold_no_dicom() {
    let folder = tempfile::tempdir().unwrap();
    let [empty, texts] = ["empty", "texts"].map(|name| folder.path().join(name));
    let out = folder.path().join("i.parquet");
    std::fs::create_dir(&empty).unwrap();
    std::fs::create_dir(&texts).unwrap();
    for n in 0..5 {
        std::fs::write(texts.join(format!("{n}.txt")), "The patient was well.\n").unwrap();
    }
    run("index {} --out {}", &[&empty, &out])
        .code(3)
        .stderr(contains("empty"));
    run("index {} --out {}", &[&texts, &out])
        .code(3)
        .stderr(contains("no DICOM found"));
    assert!(!out.exists());
}

#[test]
fn a_truncated_file_is_a_row_with_its_refusal_and_an_error_of_the_audit() {
    let study = Study::new();
    let victim = std::fs::read_dir(study.images())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let bytes = std::fs::read(&victim).unwrap();
    std::fs::write(&victim, &bytes[..bytes.len() - 100]).unwrap();
    let index = study.path("index.parquet");
    let built = run(
        "index {} --labels {} --out {} --json",
        &[&study.images(), &study.labels(), &index],
    )
    .code(0);
    let summary = json(&built);
    assert_eq!(summary["refused"]["truncated"], 1, "{summary}");
    assert_eq!(
        summary["usable"].as_u64().unwrap() + 1,
        summary["rows"].as_u64().unwrap()
    );
    let stem = victim.file_stem().unwrap().to_str().unwrap().to_owned();
    run("audit {}", &[&index])
        .code(1)
        .stdout(contains("truncated").and(contains(stem)));
}

#[test]
fn a_csv_without_its_column_is_refused_and_says_what_it_has() {
    let study = Study::new();
    let labels = study.path("labels.csv");
    std::fs::write(&labels, "ID,Value\nID_0_any,1\n").unwrap();
    let failed = run(
        "index {} --labels {} --out {}",
        &[&study.images(), &labels, &study.path("i.parquet")],
    )
    .code(3);
    let message = stderr(&failed);
    assert!(
        message.contains("labels.csv") && message.contains("Label") && message.contains("Value"),
        "{message}"
    );
}

#[test]
fn an_id_without_a_file_is_counted_and_named() {
    let study = Study::new();
    let mut text = std::fs::read_to_string(study.labels()).unwrap();
    for label in [
        "epidural",
        "intraparenchymal",
        "intraventricular",
        "subarachnoid",
        "subdural",
        "any",
    ] {
        writeln!(text, "ID_fffffffff_{label},0").unwrap();
    }
    std::fs::write(study.labels(), text).unwrap();
    let index = study.path("i.parquet");
    let line = "index {} --labels {} --out {}";
    let paths = [&*study.images(), &*study.labels(), &*index];
    run(line, &paths).code(0).stdout(contains("ID_fffffffff"));
    let summary = json(&run(&format!("{line} --json"), &paths).code(0));
    assert_eq!(summary["labels_without_file"], 1);
}

#[test]
fn wrong_usage_has_code_2_and_an_error_in_json_is_one_document() {
    run("no-such-command", &[]).code(2);
    run("split x --folds 1 --out y", &[]).code(2);
    run("phantom --prevalence 1.5 --out x", &[]).code(2);
    let failed = run("audit no-such-file.parquet --json", &[]).code(3);
    assert_eq!(json(&failed)["error"]["exit_code"], 3);
}

#[test]
fn a_recipe_with_an_unknown_key_names_it() {
    let study = Study::indexed();
    let recipe = study.recipe(1);
    let text = std::fs::read_to_string(&recipe).unwrap() + "epoch = 3\n";
    std::fs::write(&recipe, text).unwrap();
    let failed = run("train {} --out {}", &[&recipe, &study.path("run")]).code(3);
    let message = stderr(&failed);
    assert!(
        message.contains("recipe.toml") && message.contains("epoch"),
        "{message}"
    );
    assert!(!study.path("run").exists());
}

#[test]
fn a_split_of_other_data_and_labels_of_one_class_are_refused() {
    let study = Study::indexed();
    let negative = std::fs::read_to_string(study.labels())
        .unwrap()
        .replace(",1\n", ",0\n");
    std::fs::write(study.labels(), negative).unwrap();
    let index = study.path("index.parquet");
    run(
        "index {} --labels {} --out {} -q",
        &[&study.images(), &study.labels(), &index],
    )
    .success();
    let recipe = study.recipe(1);
    run("train {} --out {}", &[&recipe, &study.path("run")])
        .code(3)
        .stderr(contains("split"));
    run(
        "split {} --folds 3 --out {}",
        &[&index, &study.path("split.parquet")],
    )
    .success();
    let run_folder = study.path("run");
    run("train {} --out {} -q", &[&recipe, &run_folder])
        .code(3)
        .stderr(contains("epidural").and(contains("label_weights")));
    assert!(!run_folder.exists());
}
