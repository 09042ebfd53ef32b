//! A run that is stopped, or killed, goes on as if it had never been.

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use common::{Study, assert_same_run, falx, json, run, send, train_until};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

const EPOCHS: u32 = 4;

/// Starts training and sends `signal` once standard error says that the second epoch has begun.
fn train_and_signal(recipe: &Path, out: &Path, signal: &str) -> std::process::ExitStatus {
    train_until("train 2/", &[], recipe, out, signal)
}

fn undisturbed(study: &Study) -> std::path::PathBuf {
    let out = study.path("undisturbed");
    run("train {} --out {} -q", &[&study.recipe(EPOCHS), &out]).success();
    out
}

#[test]
fn ctrl_c_leaves_a_checkpoint_from_which_the_run_goes_on_exactly() {
    let study = Study::indexed();
    let (recipe, out) = (study.recipe(EPOCHS), study.path("stopped"));
    let status = train_and_signal(&recipe, &out, "-INT");
    assert_eq!(status.code(), Some(1));
    let page = std::fs::read_to_string(out.join("training.html")).unwrap();
    assert!(page.contains("Training was stopped; --resume goes on"));
    run("evaluate {}", &[&out])
        .code(3)
        .stderr(contains("--resume"));
    run("train {} --out {} -q", &[&recipe, &out])
        .code(3)
        .stderr(contains("--resume"));
    run("train {} --out {} --resume -q", &[&recipe, &out]).success();
    assert_same_run(&out, &undisturbed(&study));
}

#[test]
fn ctrl_c_in_other_work_is_told_and_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = falx()
        .args(["phantom", "--patients", "200", "--out"])
        .arg(folder.path().join("phantom"))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().is_some());
    send(&child, "-INT");
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said:?}");
    assert!(
        said.iter().any(|line| line.starts_with("error:")),
        "{said:?}"
    );
}

#[test]
fn a_killed_run_goes_on_to_the_same_end() {
    let study = Study::indexed();
    let (recipe, out) = (study.recipe(EPOCHS), study.path("killed"));
    assert_eq!(train_and_signal(&recipe, &out, "-KILL").code(), None);
    run("train {} --out {} --resume -q", &[&recipe, &out]).success();
    assert_same_run(&out, &undisturbed(&study));
}

#[test]
fn two_processes_do_not_train_in_one_folder() {
    let study = Study::indexed();
    let (recipe, out) = (study.recipe(EPOCHS), study.path("run"));
    let mut first = falx()
        .args(["train", "--out"])
        .arg(&out)
        .arg(&recipe)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    let said = lines.by_ref().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line.starts_with("train 1/")));
    run("train {} --out {} --resume -q", &[&recipe, &out])
        .code(3)
        .stderr(contains("another falx"));
    send(&first, "-KILL");
    first.wait().unwrap();
    run("train {} --out {} --resume -q", &[&recipe, &out]).success();
    assert_same_run(&out, &undisturbed(&study));
}

#[test]
fn a_run_is_not_resumed_with_another_recipe() {
    let study = Study::indexed();
    let out = study.path("run");
    run("train {} --out {} -q", &[&study.recipe(1), &out]).success();
    run("train {} --out {} --resume", &[&study.recipe(2), &out])
        .code(3)
        .stderr(contains("recipe"));
}

/// Everything that a checkpoint must hold beside weights: an average, gradients over several batches, phases, a plateau.
const ELABORATE: &str = "\
    [network]\nname = \"simple_cnn\"\nwidth = 8\nhead = \"dense\"\ncoherence = \"maximum\"\n\
    [loss]\nname = \"focal\"\nsmoothing = 0.02\n\
    [optimizer]\nname = \"sgd\"\n\
    [schedule]\nname = \"plateau\"\npatience = 0\nthreshold = 0.5\n\
    [[phases]]\nepochs = 1\nfrozen = [\"backbone\"]\nrate = 3.0\n\
    [[phases]]\nfrozen = [\"blocks.0\"]\n\
    [[groups]]\nmodule = \"head\"\nrate = 2.0\n";

#[test]
fn an_elaborate_run_that_is_killed_goes_on_to_the_same_end() {
    let study = Study::indexed();
    let recipe = study.recipe(EPOCHS);
    let text = std::fs::read_to_string(&recipe).unwrap()
        + "accumulate = 3\nema = { decay = 0.9 }\n"
        + ELABORATE;
    std::fs::write(&recipe, text).unwrap();
    let (killed, whole) = (study.path("killed"), study.path("whole"));
    assert_eq!(train_and_signal(&recipe, &killed, "-KILL").code(), None);
    run("train {} --out {} --resume -q", &[&recipe, &killed]).success();
    run("train {} --out {} -q", &[&recipe, &whole]).success();
    assert_same_run(&killed, &whole);
    let stopped = study.path("stopped");
    assert_eq!(train_and_signal(&recipe, &stopped, "-INT").code(), Some(1));
    run("train {} --out {} --resume -q", &[&recipe, &stopped]).success();
    assert_same_run(&stopped, &whole);
}

#[test]
fn a_run_starts_from_the_weights_of_another() {
    let study = Study::indexed();
    let (recipe, first) = (study.recipe(1), study.path("first"));
    run("train {} --out {} -q", &[&recipe, &first]).success();
    let with = |lines: &str| {
        let text = std::fs::read_to_string(study.recipe(1)).unwrap() + lines;
        std::fs::write(&recipe, text).unwrap();
    };
    with("[network]\nweights = \"first/checkpoints/best.safetensors\"\n");
    let second = study.path("second");
    run("train {} --out {} -q", &[&recipe, &second]).success();
    let page = study.path("second.html");
    run("evaluate {} --html {} -q", &[&second, &page]).success();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("The backbone's from best.safetensors")
            || page.contains("The backbone&#39;s from best.safetensors")
    );
    assert!(
        !page.contains(&*study.folder.path().to_string_lossy()),
        "a folder is told"
    );
    with("[network]\nwidth = 16\nweights = \"first/checkpoints/best.safetensors\"\n");
    let third = study.path("third");
    run("train {} --out {} -q", &[&recipe, &third])
        .code(3)
        .stderr(contains("best.safetensors"));
    assert!(!third.exists());
    with("[network]\nweights = \"nowhere.safetensors\"\n");
    run("train {} --out {} -q", &[&recipe, &third])
        .code(3)
        .stderr(contains("nowhere.safetensors"));
    with("[network]\nweights = \"pretrained:vgg16\"\n");
    run("train {} --out {} -q", &[&recipe, &third])
        .code(3)
        .stderr(contains("efficientnet_lite0"));
    assert!(!third.exists());
}

#[test]
fn a_fold_that_is_not_there_is_named_with_those_that_are() {
    let study = Study::indexed();
    let out = study.path("run");
    run("train {} --out {} --fold 3 -q", &[&study.recipe(1), &out])
        .code(3)
        .stderr(contains("folds 0 to 2").and(contains("--fold")));
    assert!(!out.exists());
}

#[test]
fn limits_end_a_run_before_its_epochs() {
    let study = Study::indexed();
    let recipe = study.recipe(12);
    let text = std::fs::read_to_string(&recipe).unwrap();
    let epochs = |lines: &str, name: &str| {
        std::fs::write(&recipe, format!("{text}{lines}")).unwrap();
        let out = study.path(name);
        run("train {} --out {} -q", &[&recipe, &out]).success();
        let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
        metrics.lines().count()
    };
    assert_eq!(epochs("steps = 3\n", "steps"), 1);
    assert_eq!(epochs("minutes = 1e-6\n", "minutes"), 1);
    // With a rate far too high not every epoch is better than all before it.
    assert!(epochs("learning_rate = 3.0\npatience = 1\n", "patience") < 12);
}

#[test]
fn a_label_that_no_slice_has_is_refused_before_the_first_step() {
    let study = Study::indexed();
    let labels = std::fs::read_to_string(study.labels()).unwrap();
    let without = labels
        .lines()
        .map(|line| match line.rsplit_once("_epidural,") {
            Some((id, _)) => format!("{id}_epidural,0\n"),
            None => format!("{line}\n"),
        });
    std::fs::write(study.path("labels.csv"), without.collect::<String>()).unwrap();
    let index = study.path("index.parquet");
    run(
        "index {} --labels {} --out {} -q",
        &[
            &study.images(),
            &study.path("labels.csv"),
            &study.path("second.parquet"),
        ],
    )
    .success();
    std::fs::rename(study.path("second.parquet"), &index).unwrap();
    run(
        "split {} --folds 3 --out {}",
        &[&index, &study.path("split.parquet")],
    )
    .success();
    let out = study.path("run");
    run("train {} --out {} -q", &[&study.recipe(1), &out])
        .code(3)
        .stderr(contains("epidural").and(contains("label_weights")));
    assert!(!out.exists());
}

#[test]
fn the_schema_of_recipes_is_printed_without_a_recipe_and_is_the_committed_one() {
    let printed = json(&run("train --schema", &[]).success());
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recipe.schema.json");
    let committed = std::fs::read_to_string(committed).unwrap();
    let committed: serde_json::Value = serde_json::from_str(&committed).unwrap();
    assert_eq!(printed, committed);
    run("train --schema recipe.toml", &[]).code(2);
    run("train", &[]).code(2).stderr(contains("--out"));
}
