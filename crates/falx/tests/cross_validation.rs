//! A run a fold, and what they say together: out of fold, of the locked patients, as one bundle.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Study, json, results, run, train_until};
use falx_core::Prediction;
use falx_data::index::Index;
use falx_data::split::Split;
use falx_eval::predictions::read_csv;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

/// A study with an index and a split of two folds, which locks a share of the patients.
fn study(locked: &str) -> Study {
    let study = Study::indexed();
    run(
        &format!("split {{}} --folds 2 --test-fraction {locked} --seed 5 --out {{}} -q"),
        &[&study.path("index.parquet"), &study.path("split.parquet")],
    )
    .success();
    study
}

/// The labelled slices of the index, by their folds.
fn labelled(study: &Study) -> BTreeMap<i32, Vec<String>> {
    let index = Index::read(study.path("index.parquet")).unwrap();
    let split = Split::read(study.path("split.parquet")).unwrap();
    let folds = split.folds();
    let mut found: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    let rows = index
        .rows
        .iter()
        .filter(|row| row.usable && !row.labels.is_empty());
    for row in rows {
        let of_fold = found.entry(folds[&row.image_id]).or_default();
        of_fold.push(row.image_id.as_str().to_owned());
    }
    found
}

fn by_image(predictions: Vec<Prediction>) -> BTreeMap<String, [f64; 6]> {
    let rows = predictions.into_iter();
    rows.map(|p| {
        (
            p.image_id.as_str().to_owned(),
            p.probabilities.map(falx_core::Probability::get),
        )
    })
    .collect()
}

fn assert_near(a: &[f64; 6], b: &[f64; 6], within: f64) {
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= within, "{a} {b}");
    }
}

fn cross_validate(study: &Study, epochs: u32, name: &str) -> PathBuf {
    let out = study.path(name);
    run(
        "train {} --folds all --out {} -q",
        &[&study.recipe_of_any(epochs), &out],
    )
    .success();
    out
}

#[test]
fn every_slice_that_is_not_locked_is_predicted_once_out_of_fold() {
    let study = study("0");
    let (recipe, out) = (study.recipe_of_any(2), study.path("cv"));
    let line = "train {} --folds all --out {} --json -q";
    let summary = json(&run(line, &[&recipe, &out]).success());
    assert_eq!(summary["finished"], true);
    let by_fold = labelled(&study);
    let mut expected: Vec<&String> = by_fold.values().flatten().collect();
    let predictions = read_csv(&out.join("predictions-out-of-fold.csv")).unwrap();
    let mut predicted: Vec<&str> = predictions.iter().map(|p| p.image_id.as_str()).collect();
    predicted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(predicted, expected);
    // Each by the run that its fold did not teach.
    let of_all = by_image(predictions);
    for (fold, images) in &by_fold {
        let of_fold = out.join(format!("fold-{fold}/predictions-validation.csv"));
        let of_fold = by_image(read_csv(&of_fold).unwrap());
        assert_eq!(of_fold.len(), images.len());
        assert!(images.iter().all(|image| of_all[image] == of_fold[image]));
    }
    let text = std::fs::read(out.join("cross-validation.json")).unwrap();
    let reached: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(reached, summary["result"]);
    assert_eq!(reached["out_of_fold"]["slices"], expected.len());
    assert!(reached["locked_test"].is_null());
    assert!(!out.join("predictions-test.csv").exists());
    let folds = reached["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 2);
    for (fold, (_, images)) in folds.iter().zip(&by_fold) {
        assert_eq!(fold["validation_slices"], images.len());
        let metrics =
            std::fs::read_to_string(out.join(format!("fold-{}/metrics.jsonl", fold["fold"])))
                .unwrap();
        let chosen = metrics
            .lines()
            .nth(fold["epoch"].as_u64().unwrap() as usize - 1)
            .unwrap();
        let chosen: serde_json::Value = serde_json::from_str(chosen).unwrap();
        assert_eq!(chosen["validation_loss"], fold["weighted_log_loss"]);
        assert_eq!(chosen["validation_baseline"], fold["prevalence_baseline"]);
    }

    let judged = json(&run("evaluate {} --replicates 50 --json", &[&out]).success());
    assert_eq!(judged["slices"], expected.len());
    let (own, told) = (
        judged["weighted_log_loss"]["value"].as_f64().unwrap(),
        reached["out_of_fold"]["weighted_log_loss"]
            .as_f64()
            .unwrap(),
    );
    assert!((own - told).abs() < 1e-4, "{own} {told}");
    let html = study.path("report.html");
    run("evaluate {} --replicates 50 --html {} -q", &[&out, &html]).success();
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("each predicted by the run that never learnt from them"));
    assert!(page.contains("fold 1, validation loss"));
    let compared = json(
        &run(
            "compare {} {} --replicates 50 --json",
            &[&out, &out.join("fold-0")],
        )
        .success(),
    );
    assert_eq!(compared["entries"].as_array().unwrap().len(), 2);
}

/// What a bundle predicts of all the slices.
fn predict(study: &Study, model: &Path, flags: &str) -> BTreeMap<String, [f64; 6]> {
    let csv = study.path("predicted.csv");
    let line = format!("predict {{}} --model {{}} --out {{}} {flags} -q");
    run(&line, &[&study.path("index.parquet"), model, &csv]).success();
    by_image(read_csv(&csv).unwrap())
}

/// What is made of the cross-validation in `out` to be given away.
fn packs(study: &Study, out: &Path, locked: &[String]) {
    let packed = study.path("packed.falx");
    let line = "models pack {} --precision fp16 --prevalence 0.1 --judged-by {} --licence mine --out {} --json -q";
    let manifest = json(&run(line, &[out, out, &packed]).success());
    assert_eq!(manifest["licence"], "mine");
    assert!((manifest["prevalence"][5].as_f64().unwrap() - 0.1).abs() < 1e-9);
    let own = json(&run("models show {} --json", &[out]).success());
    assert_eq!(manifest["training_prevalence"], own["prevalence"]);
    assert_eq!(manifest["metrics"], own["metrics"]);
    // Each member's odds are shifted, so the mean is near the shifted mean, but is none.
    let shifted = predict(study, out, "--prevalence 0.1");
    let by_packed = predict(study, &packed, "");
    for image in locked {
        assert_near(&by_packed[image], &shifted[image], 0.02);
    }
    run("models show {}", &[&packed])
        .success()
        .stdout(contains("Ensemble of 2 networks"));
    // Of so few patients no line can be found, and none is needed to say so.
    let judged_on = study.path("judged-on.csv");
    let line = "models pack {} --judged-by {} --calibrate --judged-on {} --out {} --json -q";
    let calibrated = study.path("calibrated");
    let manifest = json(&run(line, &[out, out, &judged_on, &calibrated]).success());
    assert!(manifest["members"][0]["calibration"].is_null());
    assert_eq!(
        by_image(read_csv(&judged_on).unwrap()),
        by_image(read_csv(&out.join("predictions-out-of-fold.csv")).unwrap())
    );
    run(
        "models pack {} --judged-by {} --calibrate --out {}",
        &[out, &out.join("fold-0"), &study.path("no.falx")],
    )
    .code(3)
    .stderr(contains("cross-validation"));
    // What judges a bundle that smooths is smoothed as it does it.
    let (fold, smoothing) = (out.join("fold-0"), study.path("smoothing.falx"));
    let line = "models pack {} --judged-by {} --smooth-mm 4 --judged-on {} --out {} --json -q";
    let manifest = json(&run(line, &[&fold, &fold, &judged_on, &smoothing]).success());
    assert_eq!(manifest["smooth_mm"], 4.0);
    let said = manifest["metrics"]["measured_on"].as_str().unwrap();
    assert!(said.contains("smoothed along the series"), "{said}");
    let smoothed = by_image(read_csv(&judged_on).unwrap());
    let (by_smoothing, by_fold) = (predict(study, &smoothing, ""), predict(study, &fold, ""));
    assert!(!smoothed.is_empty());
    for (image, row) in &smoothed {
        assert_near(&by_smoothing[image], row, 1e-6);
    }
    assert!(
        smoothed
            .iter()
            .any(|(image, row)| (by_fold[image][5] - row[5]).abs() > 1e-4)
    );
    // Judged anew, it is judged as it smooths.
    let line = "models pack {} --judged-by {} --judged-on {} --out {} -q";
    let again = study.path("smoothing-again.falx");
    run(line, &[&smoothing, &fold, &judged_on, &again]).success();
    assert_eq!(by_image(read_csv(&judged_on).unwrap()), smoothed);
    run("models pack {} --out {}", &[out, &packed])
        .code(3)
        .stderr(contains("there is a bundle here already"));
    run(
        "models pack {} --judged-by {} --out {}",
        &[out, &study.path("nowhere"), &study.path("no.falx")],
    )
    .code(3)
    .stderr(contains("nowhere"));
    assert!(!study.path("no.falx").exists());
}

#[test]
fn locked_patients_get_the_mean_of_all_runs_and_the_bundle_predicts_it() {
    let study = study("0.25");
    let out = cross_validate(&study, 1, "cv");
    let by_fold = labelled(&study);
    let locked = &by_fold[&-1];
    let mean = by_image(read_csv(&out.join("predictions-test.csv")).unwrap());
    assert_eq!(mean.len(), locked.len());
    let member =
        |fold: &str| by_image(read_csv(&out.join(fold).join("predictions-test.csv")).unwrap());
    let (first, second) = (member("fold-0"), member("fold-1"));
    let any_differs = locked.iter().any(|image| first[image] != second[image]);
    assert!(any_differs);
    for image in locked {
        let expected = std::array::from_fn(|at| f64::midpoint(first[image][at], second[image][at]));
        assert_near(&mean[image], &expected, 1e-12);
    }
    let by_bundle = predict(&study, &out, "");
    for image in locked {
        assert_near(&by_bundle[image], &mean[image], 1e-6);
    }

    let judged = json(&run("evaluate {} --replicates 50 --json", &[&out]).success());
    assert_eq!(judged["slices"], locked.len());
    run("models show {}", &[&out])
        .success()
        .stdout(contains("Ensemble of 2 networks").and(contains("model-1.onnx")));
    let again = study.path("again");
    run(
        "models average {} {} --out {} -q",
        &[&out.join("fold-0"), &out.join("fold-1"), &again],
    )
    .success();
    assert_eq!(predict(&study, &again, ""), by_bundle);
    run(
        "models export {} --out {}",
        &[&out, &study.path("one.onnx")],
    )
    .code(3)
    .stderr(contains("ensemble of 2 networks"));

    packs(&study, &out, locked);

    let damaged = again.join("model-1.onnx");
    let mut bytes = std::fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    run(
        "predict {} --model {} --out {} -q",
        &[&study.path("index.parquet"), &again, &study.path("no.csv")],
    )
    .code(3)
    .stderr(contains("model-1.onnx").and(contains("SHA-256")));
}

#[test]
fn stopped_or_killed_within_a_fold_it_goes_on_to_the_same_bytes() {
    let study = study("0.25");
    let whole = results(&cross_validate(&study, 3, "whole"));
    let recipe = study.recipe_of_any(3);
    for (name, at, signal, code) in [
        ("killed", "fold 1: train 2/", "-KILL", None),
        ("stopped", "fold 0: train 2/", "-INT", Some(1)),
    ] {
        let out = study.path(name);
        assert_eq!(
            train_until(at, &["--folds", "all"], &recipe, &out, signal).code(),
            code
        );
        run("evaluate {}", &[&out])
            .code(3)
            .stderr(contains("--folds"));
        run("train {} --folds all --out {} -q", &[&recipe, &out])
            .code(3)
            .stderr(contains("--resume"));
        run(
            "train {} --folds all --out {} --resume -q",
            &[&recipe, &out],
        )
        .success();
        let resumed = results(&out);
        assert_eq!(
            resumed.keys().collect::<Vec<_>>(),
            whole.keys().collect::<Vec<_>>()
        );
        for (path, bytes) in &resumed {
            assert!(
                whole[path] == *bytes,
                "{} of {name} differs",
                path.display()
            );
        }
    }
    // What is finished is left alone, and once more put together to the same.
    let weights = study.path("killed/fold-0/checkpoints/best.safetensors");
    let before = std::fs::metadata(&weights).unwrap().modified().unwrap();
    run(
        "train {} --folds all --out {} -q",
        &[&recipe, &study.path("killed")],
    )
    .success();
    assert_eq!(
        std::fs::metadata(&weights).unwrap().modified().unwrap(),
        before
    );
    assert!(results(&study.path("killed")) == whole);
}

#[test]
fn what_cannot_be_cross_validated_is_refused_before_the_first_step() {
    let study = study("0");
    let (recipe, out) = (study.recipe_of_any(1), study.path("cv"));
    let refused = |flags: &str, code: i32, reason: &str| {
        let line = format!("train {{}} {flags} --out {{}} -q");
        run(&line, &[&recipe, &out])
            .code(code)
            .stderr(contains(reason));
        assert!(!out.exists());
    };
    refused("--folds 0,2", 3, "folds 0 to 1");
    refused("--folds 1", 3, "at least two folds");
    refused("--folds some", 2, "0,1,3");
    refused("--folds all --fold 1", 2, "--fold");
    refused("--folds all --resume", 3, "no run here");
}

#[test]
fn a_recipe_that_asks_for_flips_predicts_what_flips_give() {
    let study = study("0");
    let (plain, flipped) = (study.path("plain"), study.path("flipped"));
    let recipe = study.recipe_of_any(1);
    run("train {} --out {} -q", &[&recipe, &plain]).success();
    let text = std::fs::read_to_string(&recipe).unwrap() + "[prediction]\nflip = true\n";
    std::fs::write(&recipe, text).unwrap();
    run("train {} --out {} -q", &[&recipe, &flipped]).success();
    // After one epoch there is no choice of the epoch, so both have the same weights.
    let model = |run: &Path| std::fs::read(run.join("bundle/model.onnx")).unwrap();
    assert!(model(&plain) == model(&flipped));
    let predict = |model: &Path, flags: &str| {
        let csv = study.path("predicted.csv");
        let line = format!("predict {{}} --model {{}} --out {{}} {flags} -q");
        run(&line, &[&study.path("index.parquet"), model, &csv]).success();
        by_image(read_csv(&csv).unwrap())
    };
    let by_hand = predict(&plain, "--flip");
    assert_eq!(predict(&flipped, ""), by_hand);
    assert_ne!(predict(&plain, ""), by_hand);
    let own = by_image(read_csv(&flipped.join("predictions-validation.csv")).unwrap());
    assert!(own.iter().all(|(image, row)| by_hand[image] == *row));
    let manifest = std::fs::read_to_string(flipped.join("bundle/bundle.toml")).unwrap();
    assert!(manifest.contains("test_time_flip = true"), "{manifest}");
    run(
        "models average {} {} --out {}",
        &[&plain, &flipped, &study.path("ensemble")],
    )
    .code(3)
    .stderr(contains("same network").or(contains("test_time_flip")));
}
