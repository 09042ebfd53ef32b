//! Splits: made, checked, converted, and locked to the data they were made from.

mod common;

use std::fmt::Write as _;

use common::{Study, json, run, stderr};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

/// A CSV of folds in which every patient of the phantom is in one fold, and one in which a patient is in two.
fn csvs(study: &Study) -> [std::path::PathBuf; 2] {
    let index = falx_data::index::Index::read(study.path("index.parquet")).unwrap();
    let name = ["train", "train", "val", "test"];
    let mut patients: Vec<&str> = Vec::new();
    let mut good = String::from("\u{feff}ID,Fold,comment\r\n");
    for row in &index.rows {
        let patient = row.patient.as_ref().unwrap().as_str();
        if !patients.contains(&patient) {
            patients.push(patient);
        }
        let at = patients.iter().position(|known| *known == patient).unwrap();
        write!(good, "{},{},\"x, y\"\r\n", row.image_id, name[at % 4]).unwrap();
    }
    let bad = good.replacen(",train,", ",val,", 1);
    [("good.csv", good), ("bad.csv", bad)].map(|(name, text)| {
        let path = study.path(name);
        std::fs::write(&path, text).unwrap();
        path
    })
}

#[test]
fn a_split_is_audited_when_made_and_when_checked() {
    let study = Study::indexed();
    let (index, split) = (study.path("index.parquet"), study.path("split.parquet"));
    let made = json(&run("split {} --folds 3 --out {} --json", &[&index, &split]).success());
    let checked = json(&run("split {} --check {} --json", &[&index, &split]).success());
    assert_eq!(made, checked);
    assert_eq!(made["fine"], true);
    assert_eq!(made["folds"].as_array().unwrap().len(), 3);
    assert_eq!(made["leaks"].as_array().unwrap().len(), 5);
    assert!(made["folds"][0]["prevalence"][5].as_f64().unwrap() > 0.0);
    run("split {} --check {}", &[&index, &split])
        .success()
        .stdout(contains(
            "No patient, study, series, picture or image id is on two sides",
        ));
    run("split {}", &[&index]).code(2).stderr(contains("--out"));
    run("split {} --check {} --folds 3", &[&index, &split]).code(2);
    run(
        "split {} --folds 13 --out {}",
        &[&index, &study.path("x.parquet")],
    )
    .code(3)
    .stderr(contains("12 separate patients are too few for 13 parts"));
    assert!(!study.path("x.parquet").exists());
}

#[test]
fn a_split_of_a_csv_is_checked_and_converted_unless_it_leaks() {
    let study = Study::indexed();
    let [good, bad] = csvs(&study);
    let (index, split) = (study.path("index.parquet"), study.path("given.parquet"));
    let audit = json(
        &run(
            "split {} --check {} --out {} --json",
            &[&index, &bad, &split],
        )
        .code(1),
    );
    assert_eq!(audit["fine"], false);
    assert_eq!(audit["leaks"][0]["kind"], "patient");
    assert_eq!(audit["leaks"][0]["count"], 1);
    assert!(!split.exists(), "a split that leaks is not written");
    run("split {} --check {}", &[&index, &bad])
        .code(1)
        .stdout(contains("LEAK: 1 patient is"));

    run("split {} --check {} --out {}", &[&index, &good, &split])
        .success()
        .stdout(contains("val is fold 0").and(contains("train is fold 1")));
    run("split {} --check {}", &[&index, &split]).success();
    let recipe = study.recipe_of_any(1);
    let text = std::fs::read_to_string(&recipe).unwrap();
    std::fs::write(&recipe, text.replace("split.parquet", "given.parquet")).unwrap();
    run("train {} --out {} -q", &[&recipe, &study.path("run")]).success();

    let text = std::fs::read_to_string(&good).unwrap();
    let some: Vec<&str> = text.lines().take(20).collect();
    std::fs::write(&good, some.join("\n")).unwrap();
    run("split {} --check {}", &[&index, &good])
        .code(1)
        .stdout(contains("are in no fold"));
    std::fs::write(&good, "image_id,fold\nID_1,0\nID_2\n").unwrap();
    run("split {} --check {}", &[&index, &good])
        .code(3)
        .stderr(contains("good.csv").and(contains("line 3")));
    std::fs::write(&good, "image_id,fold\nID_1,0\nID_2,1\n").unwrap();
    run("split {} --check {}", &[&index, &good])
        .code(3)
        .stderr(contains("none of the 2 ids"));
}

#[test]
fn evaluate_refuses_another_split_and_other_data_than_the_run_was_trained_with() {
    let study = Study::indexed();
    let (index, split, out) = (
        study.path("index.parquet"),
        study.path("split.parquet"),
        study.path("run"),
    );
    run("train {} --out {} -q", &[&study.recipe(1), &out]).success();
    let of_then = std::fs::read(&split).unwrap();
    run("split {} --folds 3 --seed 2 --out {}", &[&index, &split]).success();
    run("evaluate {}", &[&out])
        .code(3)
        .stderr(contains("the split that its recipe names"));
    std::fs::write(&split, &of_then).unwrap();
    run("evaluate {} --replicates 50", &[&out]).success();

    // One label changes; the split is of other data now, and so is the run when there is a new split.
    let labels = std::fs::read_to_string(study.labels()).unwrap();
    std::fs::write(
        study.labels(),
        labels.replacen("_epidural,0", "_epidural,1", 1),
    )
    .unwrap();
    run(
        "index {} --labels {} --out {} -q",
        &[&study.images(), &study.labels(), &index],
    )
    .success();
    let failed = run("evaluate {}", &[&out]).code(3);
    assert!(
        stderr(&failed).contains("the split was made from other data"),
        "{}",
        stderr(&failed)
    );
    run("split {} --check {}", &[&index, &split])
        .code(1)
        .stdout(contains("the data locks differ"));
    run("split {} --check {} --out {}", &[&index, &split, &split]).code(1);
    run("split {} --check {}", &[&index, &split]).success();
    run("evaluate {}", &[&out])
        .code(3)
        .stderr(contains("the data set that its recipe names"));
}
