//! `falx augment-preview`, from the outside.

mod common;

use common::{Study, json, run};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

#[test]
fn a_sheet_is_drawn_of_a_slice_an_index_or_a_phantom() {
    let study = Study::indexed();
    let [sheet, docs] = ["sheet.png", "docs"].map(|name| study.path(name));
    let line = "augment-preview {} --size 48 --draws 2 --out {} --json";
    let drawn = json(&run(line, &[&study.path("index.parquet"), &sheet]).success());
    let first = std::fs::read(&sheet).unwrap();
    assert!(first.starts_with(b"\x89PNG") && first.len() > 2000);
    let keys: Vec<_> = drawn["panels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["key"].clone())
        .collect();
    assert_eq!(keys[0], "original");
    assert!(keys.contains(&"mixup".into()) && !keys.contains(&"z_shift_mm".into()));
    run(line, &[&study.path("index.parquet"), &sheet]).success();
    assert_eq!(std::fs::read(&sheet).unwrap(), first, "the same every time");

    let slice = std::fs::read_dir(study.images())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    run(
        "augment-preview {} --augment {} --size 32 --out {}",
        &[&slice, &study.recipe(1), &sheet],
    )
    .success();
    let pages = run(
        "augment-preview --augment default --size 32 --docs {}",
        &[&docs],
    );
    pages.success().stdout(contains("noise_hu"));
    assert!(docs.join("rotate_deg.png").exists() && !docs.join("elastic.png").exists());
    let line = "augment-preview --augment flip,mixup --size 32 --out {}";
    let few = run(line, &[&sheet]).success();
    few.stdout(contains("mixup").and(contains("elastic").not()));
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let study = Study::new();
    let out = study.path("sheet.png");
    run("augment-preview", &[]).code(2);
    run(
        "augment-preview {} --out {}",
        &[&study.path("nowhere.dcm"), &out],
    )
    .code(3)
    .stderr(contains("nowhere.dcm"));
    run(
        "augment-preview --augment {} --out {}",
        &[&study.path("no.toml"), &out],
    )
    .code(3)
    .stderr(contains("no.toml"));
    run("augment-preview --augment default,cutmx --out {}", &[&out])
        .code(3)
        .stderr(contains("did you mean `cutmix`?"));
}
