//! Results do not depend on the number of threads: phantom, index, split, batches (by way of the weights they train) and
//! predictions are the same byte for byte.

mod common;

use common::{Study, files, run};

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
    let (one, two) = (files(&recipe_of("1")), files(&recipe_of("2")));
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
