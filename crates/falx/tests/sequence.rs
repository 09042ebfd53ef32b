//! The second stage: a network over the slices of each series, trained, killed, resumed, used.

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::{Study, assert_same_run, falx, run, train_until};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

const SEQUENCE: &str = "\
    [sequence]\nhidden = 8\nviews = 1\nepochs = 4\nbatch = 2\nlearning_rate = 0.01\n";

/// A recipe of both stages.
fn recipe(study: &Study, more: &str) -> PathBuf {
    let path = study.recipe(1);
    let text = std::fs::read_to_string(&path).unwrap();
    let path = study.path("two-stages.toml");
    std::fs::write(&path, text + SEQUENCE + more).unwrap();
    path
}

fn rows(path: &Path) -> Vec<(String, [f64; 6])> {
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let mut fields = line.split(',');
        let id = fields.next().unwrap().to_owned();
        let values: Vec<f64> = fields.map(|field| field.parse().unwrap()).collect();
        (id, values.try_into().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn both_stages_end_in_one_bundle_that_says_what_training_measured() {
    let study = Study::indexed();
    let (recipe, out) = (recipe(&study, ""), study.path("run"));
    run("train {} --out {} -q", &[&recipe, &out])
        .success()
        .stdout(contains("over series"));
    let metrics = std::fs::read_to_string(out.join("sequence/metrics.jsonl")).unwrap();
    let losses = metrics.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["validation_loss"].as_f64().unwrap()
    });
    let best = losses.fold(f64::INFINITY, f64::min);
    // The bundle's loss was measured from its predictions, by the run-time.
    let manifest: toml::Table =
        toml::from_str(&std::fs::read_to_string(out.join("bundle/bundle.toml")).unwrap()).unwrap();
    let told = manifest["metrics"]["weighted_log_loss"].as_float().unwrap();
    assert!((told - best).abs() < 1e-4, "{told} {best}");
    let card = std::fs::read_to_string(out.join("bundle/MODEL_CARD.md")).unwrap();
    assert!(card.contains("over series (`gru`)"), "{card}");
    let page = study.path("report.html");
    run("evaluate {} --html {} -q", &[&out, &page]).success();
    let page = std::fs::read_to_string(page).unwrap();
    for said in [
        "simple_cnn + gru",
        "validation loss over series",
        "shown every slice alike",
    ] {
        assert!(page.contains(said), "{said}");
    }

    // The same of files that nobody has indexed, for any run-time, whatever the threads.
    let ours = rows(&out.join("predictions-validation.csv"));
    for (runtime, threads) in [("falx", "1"), ("rten", "3")] {
        let csv = study.path("p.csv");
        let mut command = falx();
        command.args(["predict", "--runtime", runtime, "--threads", threads, "-q"]);
        command.arg("--model").arg(&out).arg("--out").arg(&csv);
        assert!(command.arg(study.images()).status().unwrap().success());
        let all: std::collections::BTreeMap<_, _> = rows(&csv).into_iter().collect();
        for (id, row) in &ours {
            for (a, b) in row.iter().zip(&all[id]) {
                assert!((a - b).abs() < 1e-4, "{id} {runtime}: {a} {b}");
            }
        }
    }

    let changed = out.join("bundle/sequence.onnx");
    let mut bytes = std::fs::read(&changed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&changed, bytes).unwrap();
    let csv = study.path("q.csv");
    run(
        "predict {} --model {} --out {}",
        &[&study.images(), &out, &csv],
    )
    .code(3)
    .stderr(contains("sequence.onnx"));
}

#[test]
fn a_second_stage_that_is_killed_goes_on_to_the_same_end() {
    let study = Study::indexed();
    let (recipe, whole) = (recipe(&study, ""), study.path("whole"));
    run("train {} --out {} -q", &[&recipe, &whole]).success();
    for (name, begun, signal) in [
        ("embedding", "embed", "-KILL"),
        ("killed", "series 2/", "-KILL"),
        ("stopped", "series 3/", "-INT"),
    ] {
        let out = study.path(name);
        train_until(begun, &[], &recipe, &out, signal);
        run("evaluate {}", &[&out])
            .code(3)
            .stderr(contains("--resume"));
        run("train {} --out {} --resume -q", &[&recipe, &out]).success();
        assert_same_run(&out, &whole);
    }
}

#[test]
fn a_finished_run_of_slices_lends_its_network_to_a_second_stage() {
    let study = Study::indexed();
    let (alone, both) = (study.path("alone"), study.path("both"));
    let two_stages = recipe(&study, "");
    run("train {} --out {} -q", &[&study.recipe(1), &alone]).success();
    run("train {} --out {} -q", &[&two_stages, &both]).success();
    let lent = study.path("lent");
    run(
        "train {} --slices {} --out {} -q",
        &[&two_stages, &alone, &lent],
    )
    .success();
    assert_same_run(&lent, &both);

    // Another first stage is another network.
    let other = study.path("other");
    let line = "train {} --slices {} --out {} --set seed=9 -q";
    run(line, &[&two_stages, &alone, &other])
        .code(3)
        .stderr(contains("first stage"));
    assert!(!other.exists());
}

#[test]
fn a_cross_validation_lends_each_fold_s_network_and_tells_the_second_stage_s_epochs() {
    let study = Study::indexed();
    let (alone, both) = (study.path("alone"), study.path("both"));
    let one_stage = study.recipe_of_any(1);
    let text = std::fs::read_to_string(&one_stage).unwrap();
    let two_stages = study.path("two-stages.toml");
    std::fs::write(&two_stages, text + SEQUENCE).unwrap();
    run("train {} --folds 0,1 --out {} -q", &[&one_stage, &alone]).success();
    let line = "train {} --folds 0,1 --slices {} --out {} -q";
    run(line, &[&two_stages, &alone, &both])
        .success()
        .stdout(contains("simple_cnn + gru"));
    let text = std::fs::read_to_string(both.join("cross-validation.json")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["folds"][0]["epochs"], 4);
    assert!(both.join("bundle/sequence-1.onnx").is_file());
    run("evaluate {} -q", &[&both]).success();
}

#[test]
fn what_a_start_has_left_is_no_part_of_a_new_run() {
    let study = Study::indexed();
    let out = study.path("run");
    run("train {} --out {} -q", &[&recipe(&study, ""), &out]).success();
    std::fs::remove_file(out.join("run.lock")).unwrap();
    run("train {} --out {} -q", &[&recipe(&study, ""), &out])
        .code(3)
        .stderr(contains("no run.lock"));
}

#[test]
fn predictions_are_smoothed_where_the_recipe_asks() {
    let study = Study::indexed();
    let (plain, smoothed) = (study.path("plain"), study.path("smoothed"));
    run("train {} --out {} -q", &[&recipe(&study, ""), &plain]).success();
    let smooth = recipe(&study, "[prediction]\nsmooth_mm = 6.0\n");
    // Smoothing comes after all training, so the first stage may be another run's.
    run(
        "train {} --slices {} --out {} -q",
        &[&smooth, &plain, &smoothed],
    )
    .success();
    let rough = |path: &Path| {
        let rows = rows(&path.join("predictions-validation.csv"));
        rows.windows(2)
            .map(|two| (two[0].1[5] - two[1].1[5]).abs())
            .sum::<f64>()
    };
    let (a, b) = (rough(&plain), rough(&smoothed));
    assert!(b < 0.9 * a, "{b} is not smoother than {a}");
}

#[test]
fn what_cannot_be_is_refused_before_the_first_step() {
    let study = Study::indexed();
    let out = study.path("run");
    for (more, said) in [
        ("heads = 3\nmodel = \"transformer\"\n", "heads"),
        ("model = \"gruu\"\n", "gru"),
        ("hiddn = 8\n", "hidden"),
        ("views = 2\n", "views"),
    ] {
        let path = study.path("bad.toml");
        let text = std::fs::read_to_string(study.recipe(1)).unwrap();
        let text = text.replace("[augment]\n", "");
        std::fs::write(&path, format!("{text}[sequence]\n{more}")).unwrap();
        run("train {} --out {} -q", &[&path, &out])
            .code(3)
            .stderr(contains(said));
        assert!(!out.exists());
    }
}

#[test]
fn slices_that_stand_alone_have_no_second_stage() {
    let study = Study::indexed();
    // Pictures know no series: the layout has one folder of them.
    let (images, out) = (study.path("pictures"), study.path("run"));
    std::fs::create_dir(&images).unwrap();
    let mut labels =
        "image_id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n"
            .to_owned();
    for at in 0..24_u8 {
        let path = images.join(format!("p{at}.png"));
        image::GrayImage::from_fn(32, 32, |x, y| image::Luma([(x * 5 + y * 3) as u8 ^ at]))
            .save(&path)
            .unwrap();
        let any = at % 2;
        writeln!(labels, "p{at}{}", format!(",{any}").repeat(6)).unwrap();
    }
    std::fs::write(study.path("pictures.csv"), labels).unwrap();
    run(
        "index {} --layout images --labels {} --out {} -q",
        &[
            &images,
            &study.path("pictures.csv"),
            &study.path("index.parquet"),
        ],
    )
    .success();
    run(
        "split {} --folds 3 --out {}",
        &[&study.path("index.parquet"), &study.path("split.parquet")],
    )
    .success();
    run("train {} --out {} -q", &[&recipe(&study, ""), &out])
        .code(3)
        .stderr(contains("[sequence]").and(contains("alone")));
    assert!(!out.exists());
}
