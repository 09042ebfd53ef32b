//! A run that is stopped, or killed, goes on as if it had never been.

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Study, falx, results, run};
use predicates::str::contains;

const EPOCHS: u32 = 4;

/// Starts training and sends `signal` once standard error says that the second epoch has begun.
fn train_and_signal(recipe: &Path, out: &Path, signal: &str) -> std::process::ExitStatus {
    let mut child = falx()
        .args(["train", "--threads", "2", "--out"])
        .arg(out)
        .arg(recipe)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let second = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("train 2/"));
    assert!(second.is_some(), "the second epoch never began");
    send(&child, signal);
    // Reading on keeps the child from waiting for us.
    lines.map_while(Result::ok).for_each(drop);
    child.wait().unwrap()
}

fn send(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

fn undisturbed(study: &Study) -> std::path::PathBuf {
    let out = study.path("undisturbed");
    run("train {} --out {} -q", &[&study.recipe(EPOCHS), &out]).success();
    out
}

fn assert_same_run(a: &Path, b: &Path) {
    let (a, b) = (results(a), results(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (path, bytes) in &a {
        assert!(b[path] == *bytes, "{} differs", path.display());
    }
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
fn a_run_is_not_resumed_with_another_recipe() {
    let study = Study::indexed();
    let out = study.path("run");
    run("train {} --out {} -q", &[&study.recipe(1), &out]).success();
    run("train {} --out {} --resume", &[&study.recipe(2), &out])
        .code(3)
        .stderr(contains("recipe"));
}
