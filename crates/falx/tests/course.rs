//! What `falx train` tells while it goes on, what it leaves when it cannot go on, and what it finds out before.

mod common;

use std::path::{Path, PathBuf};

use common::{Study, files, json, results, run, stderr};
use falx_core::{Probability, TargetRow};
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Parameters, Targets, Tensor, weights};
use falx_train::{Recipe, read_scalars};
use predicates::str::contains;
use serde_json::Value;

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The recipe with lines changed.
fn recipe(study: &Study, epochs: u32, from: &str, to: &str) -> PathBuf {
    let path = study.recipe(epochs);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    std::fs::write(&path, text.replace(from, to)).unwrap();
    path
}

#[test]
fn a_run_tells_of_every_step_and_epoch_and_its_page_ends_with_it() {
    let study = Study::indexed();
    let out = study.path("run");
    run("train {} --out {} -q", &[&study.recipe(2), &out]).success();
    let told = read_scalars(&out.join("tensorboard")).unwrap();
    let of = |tag: &str| -> Vec<(u64, f32)> {
        let with = told.iter().filter(|told| told.tag == tag);
        with.map(|told| (told.step, told.value)).collect()
    };
    let epochs = lines(&out.join("metrics.jsonl"));
    let step = |epoch: &Value| epoch["step"].as_u64().unwrap();
    let last = step(epochs.last().unwrap());
    let steps: Vec<u64> = of("train/loss").iter().map(|point| point.0).collect();
    assert_eq!(steps, (1..=last).collect::<Vec<_>>());
    let expected: Vec<(u64, f32)> = epochs
        .iter()
        .map(|epoch| {
            (
                step(epoch),
                epoch["validation_loss"].as_f64().unwrap() as f32,
            )
        })
        .collect();
    assert_eq!(of("validation/weighted_log_loss"), expected);
    let timing = lines(&out.join("timing.jsonl"));
    assert_eq!(timing.len(), 2);
    assert!(timing[1]["images_per_second"].as_f64().unwrap() > 0.0);
    let page = std::fs::read_to_string(out.join("training.html")).unwrap();
    assert!(page.contains("Training has finished.") && !page.contains("http-equiv"));
    for words in [
        "weighted log loss on the validation fold",
        "on slices as shown: resampled, augmented, dropout on",
        "no skill",
        "positive_any_share",
        "not a medical device",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn the_last_epoch_shows_slices_as_they_are() {
    let study = Study::indexed();
    let recipe = study.recipe(2);
    let losses = |name: &str, set: &str| {
        let out = study.path(name);
        run(&format!("train {{}} --out {{}} -q{set}"), &[&recipe, &out]).success();
        let lines = lines(&out.join("metrics.jsonl")).into_iter();
        let losses = lines.map(|line| line["training_loss"].clone());
        losses.collect::<Vec<_>>()
    };
    let augmented = losses("augmented", "");
    let closed = losses("closed", " --set training.no_augment_epochs=1");
    assert_eq!(augmented.len(), 2);
    assert_eq!(augmented[0], closed[0]);
    assert_ne!(augmented[1], closed[1]);
}

/// The network's parameters, pictures and labels that a failed step left.
fn left_behind(run: &Path) -> (Parameters, Tensor, Targets) {
    let kept = weights::read(&run.join("failed-batch.safetensors")).unwrap();
    let of_batch = |name: &str| {
        let found = kept.tensors.iter().find(|(kept, _)| kept == name);
        found.unwrap().1.clone()
    };
    let rows = of_batch("labels").data;
    let share = |share: f32| (!share.is_nan()).then(|| Probability::new(share.into()).unwrap());
    let rows = rows.as_chunks::<6>().0;
    let targets = Targets {
        labels: rows.iter().map(|row| TargetRow(row.map(share))).collect(),
        weights: of_batch("weights").data,
    };
    let network = kept.tensors.iter().filter_map(|(name, tensor)| {
        Some((name.strip_prefix("network.")?.to_owned(), tensor.clone()))
    });
    (network.collect(), of_batch("images"), targets)
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_leaves_what_does_it_again() {
    let study = Study::indexed();
    let path = recipe(&study, 2, "batch = 16", "batch = 16\nlearning_rate = 1e30");
    let out = study.path("run");
    let words = stderr(&run("train {} --out {} -q", &[&path, &out]).code(3));
    assert!(
        words.contains("is not finite") && words.contains("learning_rate"),
        "{words}"
    );
    assert!(words.contains("failed-batch.json"), "{words}");
    let described = std::fs::read(out.join("failed-batch.json")).unwrap();
    let described: Value = serde_json::from_slice(&described).unwrap();
    assert_eq!(
        (&described["epoch"], &described["seed"]),
        (&1.into(), &3.into())
    );
    assert_eq!(described["ids"].as_array().unwrap().len(), 16);
    assert!(described["learning_rate"].as_f64().unwrap() > 9e29);
    assert!(described["augment"].is_object(), "{described}");
    assert!(described["broken_slice"].is_null(), "{described}");
    let page = std::fs::read_to_string(out.join("training.html")).unwrap();
    assert!(page.contains("ended with an error"));

    let (mut parameters, images, targets) = left_behind(&out);
    let recipe = Recipe::read(&out.join("recipe.toml")).unwrap();
    let graph = zoo::build(&NetworkConfig {
        name: recipe.network.name.clone(),
        channels: recipe.input.channels(),
        size: recipe.input.size,
        dropout: recipe.network.dropout,
        width: recipe.network.width,
        ..NetworkConfig::default()
    })
    .unwrap();
    let step = described["step"].as_u64().unwrap();
    let again = falx_nn::flex_engine(recipe.seed)
        .gradients(&graph, &mut parameters, &images, &targets, step)
        .unwrap();
    let is_finite = match described["not_finite"].as_str().unwrap() {
        "loss" => again.loss.is_finite(),
        _ => again.gradients.norm().is_finite(),
    };
    assert!(!is_finite, "{described}: {}", again.loss);
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_the_last_checkpoint_stays() {
    let study = Study::indexed();
    let (path, out) = (study.recipe(3), study.path("run"));
    // A run that has come as far as its first checkpoint: of one epoch, then of more.
    let started = |limit: &str, resume: &str| {
        let line = format!(
            "trap '' XFSZ; ulimit -f {limit}; exec '{}' train '{}' --out '{}' -q {resume}",
            env!("CARGO_BIN_EXE_falx"),
            path.display(),
            out.display()
        );
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &line]);
        command
    };
    let mut child = started("unlimited", "").spawn().unwrap();
    let metrics = out.join("metrics.jsonl");
    while child.try_wait().unwrap().is_none() {
        if metrics.exists() && has_checkpoint(&out) {
            child.kill().unwrap();
        }
        std::thread::yield_now();
    }
    let kept = checkpoint(&out);
    assert!(!kept.is_empty());
    // Files may grow to 40 KiB, less than the weights, as if the disk were full.
    let output = started("40", "--resume").output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(
        words.contains("no room") && words.contains("--resume"),
        "{words}"
    );
    assert!(words.contains("safetensors"), "{words}");
    assert!(checkpoint(&out) == kept, "the checkpoint was touched");
    assert!(!out.join("checkpoints/writing").exists());
    run("train {} --out {} --resume -q", &[&path, &out]).success();
    let whole = study.path("whole");
    run("train {} --out {} -q", &[&path, &whole]).success();
    assert!(results(&out) == results(&whole));
}

/// The files of the newest checkpoint.
fn checkpoint(run: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let all = files(&run.join("checkpoints")).into_iter();
    all.filter(|(path, _)| path.to_string_lossy().starts_with("step-"))
        .collect()
}

fn has_checkpoint(run: &Path) -> bool {
    let entries = std::fs::read_dir(run.join("checkpoints"))
        .into_iter()
        .flatten();
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("step-"))
}

#[test]
fn a_learning_rate_is_found_the_same_with_any_threads_and_no_run_is_touched() {
    let study = Study::indexed();
    let path = study.recipe(1);
    let found = ["1", "2"].map(|threads| {
        let out = study.path(threads);
        let line = format!(
            "train {{}} --find-lr --find-steps 40 --out {{}} --json -q --threads {threads}"
        );
        let done = json(&run(&line, &[&path, &out]).success());
        (done, files(&out))
    });
    let [(said, one), (_, two)] = &found;
    assert!(one == two);
    let names: Vec<String> = one.keys().map(|path| path.display().to_string()).collect();
    assert_eq!(names, ["learning_rate.html", "learning_rate.json"]);
    let written: Value = serde_json::from_slice(&one[Path::new("learning_rate.json")]).unwrap();
    assert_eq!(&written, said);
    let rate = said["suggestion"].as_f64().unwrap();
    assert!((1e-6..0.5).contains(&rate), "{rate}");
    assert_eq!(said["points"][0]["rate"], 1e-7);
    let page = String::from_utf8_lossy(&one[Path::new("learning_rate.html")]);
    assert!(page.contains("falls steepest") && page.contains("<svg"));

    let trained = study.path("run");
    run("train {} --out {} -q", &[&path, &trained]).success();
    let before = files(&trained);
    for flag in ["--find-lr", "--find-batch"] {
        run(&format!("train {{}} {flag} --out {{}}"), &[&path, &trained])
            .code(3)
            .stderr(contains("holds a run"));
        run(
            &format!("train {{}} {flag} --resume --out {{}}"),
            &[&path, &trained],
        )
        .code(2);
    }
    assert!(files(&trained) == before);
}

#[test]
fn a_batch_is_found_within_the_memory() {
    let study = Study::indexed();
    let path = study.recipe(1);
    let out = study.path("look");
    let done = json(&run("train {} --find-batch --out {} --json -q", &[&path, &out]).success());
    assert!(done["suggestion"].as_u64().unwrap().is_power_of_two());
    let written: Value =
        serde_json::from_slice(&std::fs::read(out.join("batch_size.json")).unwrap()).unwrap();
    assert_eq!(written["points"], done["points"]);
    let none = "train {} --find-batch --memory 16 --out {} --json -q";
    let done = json(&run(none, &[&path, &out]).code(1));
    assert!(done["suggestion"].is_null(), "{done}");
    assert_eq!(done["ended"], "memory");
}
