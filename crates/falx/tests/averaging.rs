//! Stochastic weight averaging: the mean of the last epochs' weights as the result of a run.

mod common;

use std::path::{Path, PathBuf};

use common::{Study, assert_same_run, json, run, train_until};
use falx_nn::weights;
use serde_json::Value;

/// A recipe of four epochs that averages those after a share of them.
fn recipe(study: &Study, start: f64) -> PathBuf {
    let path = study.recipe(4);
    let text = std::fs::read_to_string(&path).unwrap();
    let text = format!(
        "{text}swa = {{ start = {start}, batches = 3 }}\n[loss]\nlabel_weights = [0, 0, 0, 0, 0, 1]\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The weights of the run's last checkpoint.
fn last_weights(out: &Path) -> PathBuf {
    let entries = std::fs::read_dir(out.join("checkpoints")).unwrap();
    let mut folders = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    folders.next().unwrap().join("weights.safetensors")
}

#[test]
fn the_mean_of_one_epoch_is_its_weights_with_statistics_learnt_anew() {
    let study = Study::indexed();
    let out = study.path("run");
    let summary = json(
        &run(
            "train {} --out {} --json -q",
            &[&recipe(&study, 0.75), &out],
        )
        .success(),
    );
    assert_eq!(summary["averaged"]["epochs"], 1);
    assert_eq!(summary["averaged"]["batches"], 3);
    let last = weights::read(&last_weights(&out)).unwrap().tensors;
    let mean = weights::read(&out.join("checkpoints/averaged.safetensors"))
        .unwrap()
        .tensors;
    assert_eq!(last.len(), mean.len());
    let mut differ = 0;
    for ((name, last), (other, mean)) in last.iter().zip(&mean) {
        assert_eq!(name, other);
        if name.contains("running_") {
            differ += usize::from(last.data != mean.data);
        } else {
            assert_eq!(last.data, mean.data, "{name}");
        }
    }
    assert!(differ > 0);
    let best: Vec<u8> = std::fs::read(out.join("checkpoints/best.safetensors")).unwrap();
    let exported = study.path("exported.safetensors");
    run("models export {} --out {}", &[&out, &exported]).success();
    assert!(std::fs::read(&exported).unwrap() != best);
}

#[test]
fn the_mean_is_judged_beside_the_best_epoch_and_is_what_the_run_gives() {
    let study = Study::indexed();
    let out = study.path("run");
    run("train {} --out {} -q", &[&recipe(&study, 0.5), &out]).success();
    let averaged = read(&out.join("averaged.json"));
    assert_eq!(averaged["epochs"], 2);
    let lines = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let losses: Vec<f64> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["validation_loss"]
                .as_f64()
                .unwrap()
        })
        .collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(
        averaged["best"][1].as_f64().unwrap().to_bits(),
        best.to_bits()
    );
    let loss = averaged["validation_loss"].as_f64().unwrap();
    assert!(losses.iter().all(|other| other.to_bits() != loss.to_bits()));
    // The bundle predicts the validation fold as the mean was judged there.
    let judged = json(&run("evaluate {} --replicates 20 --json", &[&out]).success());
    let own = judged["weighted_log_loss"]["value"].as_f64().unwrap();
    assert!((own - loss).abs() < 1e-4, "{own} {loss}");
    // The table of experiments knows no epoch whose weights these were.
    let named = ["a", "b"].map(|name| format!("{name}={}", out.display()));
    let mut compare = common::falx();
    compare.args(["compare", "--replicates", "20", "--json", "-q"]);
    let table: Value =
        serde_json::from_slice(&compare.args(named).output().unwrap().stdout).unwrap();
    assert_eq!(table["entries"][0]["run"]["best_epoch"], Value::Null);
    let manifest = std::fs::read_to_string(out.join("bundle/bundle.toml")).unwrap();
    assert!(manifest.contains("mean of 2 epochs' weights"), "{manifest}");
}

#[test]
fn a_run_that_is_killed_while_it_averages_goes_on_to_the_same_bytes() {
    let study = Study::indexed();
    let path = recipe(&study, 0.5);
    let (whole, killed) = (study.path("whole"), study.path("killed"));
    run("train {} --out {} --threads 1 -q", &[&path, &whole]).success();
    let status = train_until("train 4/", &[], &path, &killed, "-KILL");
    assert_eq!(status.code(), None);
    assert!(!killed.join("averaged.json").exists());
    run("train {} --out {} --resume -q", &[&path, &killed]).success();
    assert_same_run(&killed, &whole);
}

#[test]
fn a_cross_validation_of_means_chooses_no_epoch() {
    let study = Study::indexed();
    let out = study.path("cv");
    run(
        "train {} --folds 0,2 --out {} -q",
        &[&recipe(&study, 0.5), &out],
    )
    .success();
    let reached = read(&out.join("cross-validation.json"));
    for fold in reached["folds"].as_array().unwrap() {
        assert!(fold["epoch"].is_null());
        assert_eq!(fold["averaged"], 2);
        let averaged = read(&out.join(format!("fold-{}/averaged.json", fold["fold"])));
        assert_eq!(averaged["validation_loss"], fold["weighted_log_loss"]);
    }
    let by = reached["out_of_fold"]["predicted_by"].as_str().unwrap();
    assert!(by.contains("none of which was chosen"), "{by}");
}

#[test]
fn a_run_that_ends_before_the_first_epoch_to_average_keeps_its_best() {
    let study = Study::indexed();
    let (path, out) = (recipe(&study, 0.5), study.path("run"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("epochs = 4", "epochs = 4\nsteps = 3")).unwrap();
    run("train {} --out {} -q", &[&path, &out]).success();
    assert!(!out.join("averaged.json").exists());
    let manifest = std::fs::read_to_string(out.join("bundle/bundle.toml")).unwrap();
    assert!(manifest.contains("which chose the epoch"), "{manifest}");
}
