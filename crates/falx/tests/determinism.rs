//! Results do not depend on the number of threads: phantom, index, split, batches (by way of the weights they train) and
//! predictions are the same byte for byte.

mod common;

use std::path::Path;

use common::{Study, files, results, run};

#[test]
fn one_thread_and_two_make_the_same_phantom() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    let line = "phantom --patients 3 --test-patients 1 --matrix 64 --seed 9 --defects -q --out {}";
    run(&format!("{line} --threads 1"), &[&one]).success();
    run(&format!("{line} --threads 2"), &[&two]).success();
    let (one, two) = (files(&one), files(&two));
    assert!(one.len() > 60, "{} files", one.len());
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        two.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &one {
        assert!(two[path] == *bytes, "{} differs", path.display());
    }
}

/// Everything on, mixtures among it: the loss takes what they make of the labels.
#[test]
fn one_thread_and_two_learn_the_same_from_full_augmentation() {
    let study = Study::indexed();
    let recipe = study.recipe(2);
    let text = std::fs::read_to_string(&recipe).unwrap();
    let full = "preset = \"full\"\nmixup = 0.4\ncutmix = 0.3";
    let mixed = text.replace("[augment]\n", &format!("[augment]\n{full}\n"));
    std::fs::write(&recipe, mixed).unwrap();
    let [one, two] = ["1", "2"].map(|threads| {
        let out = study.path(threads);
        let line = format!("train {{}} --out {{}} -q --threads {threads}");
        run(&line, &[&recipe, &out]).success();
        results(&out)
    });
    assert_eq!(one, two);
    let lines = &one[Path::new("metrics.jsonl")];
    assert!(!String::from_utf8_lossy(lines).contains("null"));
}

#[test]
fn one_thread_and_two_index_split_train_and_predict_the_same() {
    let study = Study::new();
    let recipe_of = |threads: &str| {
        let folder = study.path(threads);
        std::fs::create_dir(&folder).unwrap();
        let [index, split, run_folder, csv] =
            ["index.parquet", "split.parquet", "run", "held-back.csv"]
                .map(|name| folder.join(name));
        let with = |line: &str| format!("{line} -q --threads {threads}");
        run(
            &with("index {} --labels {} --out {}"),
            &[&study.images(), &study.labels(), &index],
        )
        .success();
        run(&with("split {} --folds 3 --out {}"), &[&index, &split]).success();
        let recipe = folder.join("recipe.toml");
        std::fs::copy(study.recipe(2), &recipe).unwrap();
        run(&with("train {} --out {}"), &[&recipe, &run_folder]).success();
        let held_back = study.path("phantom/stage_2_test");
        run(
            &with("predict {} --model {} --out {}"),
            &[&held_back, &run_folder, &csv],
        )
        .success();
        folder
    };
    let (one, two) = (results(&recipe_of("1")), results(&recipe_of("2")));
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        two.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &one {
        // The recipe that is kept in the run names the folder it lies in; the journal is no result but a record of what
        // was read when.
        if !path.ends_with("run/recipe.toml") && !path.ends_with("index.parquet.journal") {
            assert!(two[path] == *bytes, "{} differs", path.display());
        }
    }
    assert!(one.keys().any(|path| path.ends_with("best.safetensors")));
}
