//! `falx explain`, from the outside.

mod common;

use std::path::{Path, PathBuf};

use assert_cmd::prelude::*;
use common::{Study, TrainedOnce, files, json, run, stderr};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

/// A small phantom with a model that was trained for one epoch: what it says is beside the point.
struct Trained {
    study: Study,
    run: PathBuf,
}

impl Trained {
    fn new() -> Self {
        static RUN: TrainedOnce = TrainedOnce::new();
        let study = Study::indexed();
        let run = RUN.put(&study, |study| study.recipe_of_any(1));
        Self { study, run }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.study.path(name)
    }

    fn index(&self) -> PathBuf {
        self.path("index.parquet")
    }

    fn masks(&self) -> PathBuf {
        self.path("phantom/masks")
    }
}

#[test]
fn heat_maps_are_drawn_and_do_not_depend_on_threads() {
    let trained = Trained::new();
    let slices = sorted(&trained.study.images());
    let of = |count: usize, flags: &str, out: &Path| {
        let mut command = common::falx();
        command
            .arg("explain")
            .args(&slices[..count])
            .arg("--model")
            .arg(&trained.run);
        command
            .args(flags.split(' '))
            .arg("--out")
            .arg(out)
            .assert()
    };
    let explain = |flags: &str, out: &Path| of(16, flags, out);
    let [one, two] = ["one", "two"].map(|name| trained.path(name));
    let flags = "--method grad-cam --label any --at-least 0 --json --threads";
    let told = json(&explain(&format!("{flags} 1"), &one).success());
    assert_eq!((&told["slices"], &told["maps"]), (&16.into(), &16.into()));
    assert_eq!(told["method"], "grad-cam");
    assert!(
        told["layer"].as_str().unwrap().contains("blocks.3"),
        "{}",
        told["layer"]
    );
    let first = &told["series"][0];
    for file in ["page", "montage"] {
        assert!(one.join(first[file].as_str().unwrap()).is_file(), "{file}");
    }
    let page = std::fs::read_to_string(one.join(first["page"].as_str().unwrap())).unwrap();
    assert!(page.contains("not a medical device") && page.contains("data:image/png;base64,"));
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    let map = &first["slices"][0]["maps"][0];
    let picture = one.join("study-001").join(map["file"].as_str().unwrap());
    let picture = image::open(picture).unwrap();
    assert!(picture.width() > 1024 && picture.height() > 512);
    let contents = std::fs::read_to_string(one.join("index.html")).unwrap();
    assert!(contents.contains("study-001/study.html"));

    explain(&format!("{flags} 2"), &two).success();
    let (one, two) = (files(&one), files(&two));
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        two.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &one {
        assert!(two[path] == *bytes, "{} differs", path.display());
    }

    // Nothing is called: pages, and no maps.
    let none = trained.path("none");
    explain("--at-least 1", &none)
        .success()
        .stdout(contains("no label reaches 1").and(contains("--at-least 0")));
    let page = std::fs::read_to_string(none.join("study-001/study.html")).unwrap();
    assert!(page.contains("No slice is called"));
    assert!(none.join("study-001/series-1-montage.png").is_file());

    for method in [
        "layer-cam --layer last",
        "integrated-gradients",
        "xrai",
        "occlusion --runtime rten",
    ] {
        let out = trained.path("other");
        let told = of(
            1,
            &format!("--label any --at-least 0 --json --method {method}"),
            &out,
        );
        let mut told = json(&told.success());
        let slice = told["series"][0]["slices"][0].take();
        assert!(slice["maps"][0]["peak"].is_array(), "{method}: {slice}");
        std::fs::remove_dir_all(out).unwrap();
    }
}

/// A network of one epoch has blind maps; what is tested is that all numbers are there, and are the same for any threads.
#[test]
fn maps_are_judged_by_masks_beside_baselines() {
    let trained = Trained::new();
    let (index, masks, out) = (trained.index(), trained.masks(), trained.path("judged"));
    let line = "explain {} --model {} --masks {} --replicates 50 --sanity-slices 3 --out {}";
    let paths: [&Path; 4] = [&index, &trained.run, &masks, &out];
    let judged = run(
        &format!("{line} --judge=grad-cam,layer-cam --label subdural,any --json --threads 1"),
        &paths,
    );
    let found = json(&judged);
    let labels = found["labels"].as_array().unwrap();
    assert_eq!(labels.len(), 2);
    for label in labels {
        let scores = label["scores"].as_array().unwrap();
        let names: Vec<_> = scores.iter().map(|s| s["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["grad-cam", "layer-cam", "brightest blob", "centre prior"]
        );
        for score in scores {
            for number in ["pointing", "iou", "average_precision"] {
                let value = score[number]["value"].as_f64().unwrap();
                assert!((0.0..=1.0).contains(&value), "{number} {value}");
            }
        }
        let more = scores[0]["more_than"].as_array().unwrap();
        let gain = more[1]["average_precision"]["value"].as_f64().unwrap();
        let of = |at: usize| scores[at]["average_precision"]["value"].as_f64().unwrap();
        assert!((gain - (of(0) - of(3))).abs() < 1e-9, "{gain}");
        assert!(label["marked"].as_f64().unwrap() > 0.001);
    }
    // On these pixels, clots are brighter than the brain: whoever knows no network finds more than nobody.
    let blob = &labels[1]["scores"][2]["average_precision"]["value"];
    assert!(blob.as_f64() > labels[1]["marked"].as_f64(), "{blob}");
    assert_eq!(found["sanity"].as_array().unwrap().len(), 2);
    assert_eq!(found["sanity"][0]["slices"], 3);
    let page = std::fs::read_to_string(out.join("judge.html")).unwrap();
    assert!(page.contains("Grad-CAM − brightest blob") && page.contains("not a medical device"));
    let written = std::fs::read(out.join("judge.json")).unwrap();
    let line = format!("{line} --judge=grad-cam,layer-cam --label subdural,any --threads 2");
    let text = run(&line, &paths);
    // The model learnt from these very patients, and the judgement says so.
    assert_eq!(found["trained_on_these"], true);
    let said = String::from_utf8_lossy(&text.get_output().stdout).into_owned();
    assert!(
        said.contains("AP") && said.contains("sanity check of Grad-CAM"),
        "{said}"
    );
    assert_eq!(std::fs::read(out.join("judge.json")).unwrap(), written);
    // Whether there is a warning decides the exit code.
    let warned = !found["warnings"].as_array().unwrap().is_empty();
    assert_eq!(text.get_output().status.code(), Some(i32::from(warned)));
    assert_eq!(said.contains("warning: "), warned);
}

/// The same recipe with shuffled labels answers nobody, and says whether a method's maps depend on what labels say.
#[test]
fn maps_are_compared_with_those_of_shuffled_labels() {
    let trained = Trained::new();
    let (index, masks, out) = (trained.index(), trained.masks(), trained.path("judged"));
    let (recipe, shuffled) = (trained.study.recipe_of_any(1), trained.path("shuffled"));
    run(
        "train {} --out {} --set data.shuffle_labels=true",
        &[&recipe, &shuffled],
    )
    .code(3)
    .stderr(contains("needs training.swa"));
    run(
        "train {} --out {} --set data.shuffle_labels=true --set training.swa.start=0",
        &[&recipe, &shuffled],
    )
    .success();
    for line in [
        "predict {} --model {} --out {}",
        "explain {} --model {} --out {}",
    ] {
        run(line, &[&index, &shuffled, &out])
            .code(3)
            .stderr(contains("learnt from shuffled labels"));
    }
    let line = "explain {} --model {} --masks {} --out {} --judge=grad-cam --label any --replicates 20 --sanity-slices 2";
    let paths: [&Path; 4] = [&index, &trained.run, &masks, &out];
    let compared = format!("{line} --json --shuffled {}", shuffled.display());
    let found = json(&run(&compared, &paths));
    let rank = found["sanity"][0]["shuffled"]["spearman"].as_f64().unwrap();
    assert!((-1.0..1.0).contains(&rank), "{rank}");
    let page = std::fs::read_to_string(out.join("judge.html")).unwrap();
    assert!(page.contains("learnt from shuffled labels"));
    let own = format!("{line} --shuffled {}", trained.run.display());
    run(&own, &paths)
        .code(3)
        .stderr(contains("its labels were not shuffled"));
}

#[test]
fn bad_input_is_named() {
    let trained = Trained::new();
    let (index, out) = (trained.index(), trained.path("heat"));
    let model = &trained.run;
    let nowhere = trained.path("nowhere");
    run("explain {} --model {} --out {}", &[&nowhere, model, &out])
        .code(3)
        .stderr(contains("nowhere"));
    run("explain {} --model {} --out {}", &[&index, &nowhere, &out])
        .code(3)
        .stderr(contains("nowhere"));
    let cam = "explain {} --model {} --method cam --out {}";
    run(cam, &[&index, model, &out])
        .code(3)
        .stderr(contains("use --method grad-cam"));
    run(
        "explain {} --model {} --method grad-cam --layer blocks.9.relu --out {}",
        &[&index, model, &out],
    )
    .code(3)
    .stderr(contains("blocks.9.relu"));
    for usage in [
        "--method gradcam",
        "--label bleeding",
        "--at-least 2",
        "--judge=no",
    ] {
        let line = format!("explain {{}} --model {{}} --out {{}} {usage}");
        run(&line, &[&index, model, &out]).code(2);
    }
    run(
        "explain {} --model {} --judge --out {}",
        &[&index, model, &out],
    )
    .code(3)
    .stderr(contains("has a mask").and(contains("--masks")));

    let damaged = trained.path("damaged");
    copy(&model.join("bundle"), &damaged);
    let onnx = damaged.join("model.onnx");
    let mut bytes = std::fs::read(&onnx).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&onnx, bytes).unwrap();
    run("explain {} --model {} --out {}", &[&index, &damaged, &out])
        .code(3)
        .stderr(contains("model.onnx").and(contains("SHA-256")));
    assert!(!out.exists(), "nothing was done");

    // Where a file is, no folder can be made; a mode would not stop root.
    let file = trained.path("a-file");
    std::fs::write(&file, b"x").unwrap();
    let failed = run(
        "explain {} --model {} --out {}",
        &[&index, model, &file.join("heat")],
    );
    let said = stderr(&failed.code(3));
    assert!(
        said.contains("a-file") && said.contains("choose a folder"),
        "{said}"
    );
}

/// The files of a folder, always in one order.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
