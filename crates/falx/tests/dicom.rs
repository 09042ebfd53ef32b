//! `falx dicom` and `falx bench io`, from the outside.

mod common;

use common::{Study, json, run, stderr};
use predicates::str::contains;

/// Two files of the phantom, in order.
fn two(study: &Study) -> [std::path::PathBuf; 2] {
    let entries = std::fs::read_dir(study.images()).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    [files[0].clone(), files[1].clone()]
}

#[test]
fn show_says_what_files_hold_and_draws_them() {
    let study = Study::new();
    let [one, other] = two(&study);
    let picture = study.path("slice.png");
    run("dicom show {} --png {} --window 40/80", &[&one, &picture])
        .success()
        .stdout(contains("Explicit VR Little Endian"))
        .stdout(contains("64 x 64 pixels"))
        .stdout(contains("slice.png"));
    let png = std::fs::read(&picture).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 500);

    let folder = study.path("pictures");
    let shown = run("dicom show {} {} --png {} --json", &[&one, &other, &folder]).success();
    let files = json(&shown)["files"].as_array().unwrap().clone();
    assert_eq!(files.len(), 2);
    let frame = &files[1]["frames"][0];
    assert_eq!(frame["hu_sha256"].as_str().unwrap().len(), 64);
    assert!(frame["hu"]["max"].as_f64().unwrap() > 500.0);
    assert!(std::path::Path::new(files[1]["pictures"][0].as_str().unwrap()).exists());
    let text = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    assert!(!text.contains("patient"), "{text}");
}

#[test]
fn show_names_the_file_and_the_remedy() {
    let study = Study::new();
    let [one, _] = two(&study);
    let bytes = std::fs::read(&one).unwrap();
    let cut = study.path("cut.dcm");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    run("dicom show {} {}", &[&cut, &one])
        .code(1)
        .stdout(contains("truncated"))
        .stdout(contains("copy or export the file again"))
        .stdout(contains("64 x 64 pixels"));
    run("dicom show {}", &[&study.path("nowhere.dcm")])
        .code(3)
        .stderr(contains("nowhere.dcm"));
    run("dicom show {} {}", &[&study.path("nowhere.dcm"), &one])
        .code(1)
        .stdout(contains("nowhere.dcm: cannot be read"))
        .stdout(contains("64 x 64 pixels"));
    run("dicom show {} --frame 2", &[&one])
        .code(3)
        .stderr(contains("has 1 frames"));
    run(
        "dicom show {} --png {}",
        &[&one, &study.path("no/such/folder/x.png")],
    )
    .code(3)
    .stderr(contains("x.png cannot be written"));
    run("dicom show {} --window 40", &[&one]).code(2);
}

#[test]
fn check_tells_good_files_from_bad_ones_whatever_the_threads() {
    let study = Study::new();
    let images = study.images();
    run("dicom check {}", &[&images])
        .success()
        .stdout(contains(" 0 refused"))
        .stdout(contains("study 1, series 1: "));
    std::fs::write(images.join("notes.txt"), "nothing").unwrap();
    std::fs::write(images.join("ID_bad.dcm"), "nothing").unwrap();
    let one = run("dicom check {} --json --threads 1", &[&images]).code(1);
    let many = run("dicom check {} --json --threads 3", &[&images]).code(1);
    assert_eq!(one.get_output().stdout, many.get_output().stdout);
    let report = json(&one);
    assert_eq!(report["counts"]["not_dicom"], 1);
    assert_eq!(report["other_files"], 1);
    run("dicom check {}", &[&study.path("nowhere")]).code(3);
}

#[test]
fn bench_io_measures_every_part_and_names_a_missing_peer() {
    let study = Study::new();
    let [one, other] = two(&study);
    let line = "bench io {} {} --rounds 1 --size 32 --memory-files 1000 --json -q";
    let report = json(&run(line, &[&one, &other]).success());
    assert_eq!(report["files"], 2);
    for part in ["floor", "header", "resample", "windows"] {
        assert!(report["falx"]["parts"][part]["median"].is_f64(), "{part}");
    }
    assert!(report["falx"]["threads_ratio"].as_f64().unwrap() > 0.0);
    assert_eq!(report["memory"][0]["files"], 1000);
    let line = "bench io {} --peer python --python {}";
    let missing = run(line, &[&one, &study.path("no-python")]).code(3);
    assert!(stderr(&missing).contains("--python"));
}

#[test]
fn bench_loader_measures_both_ways_and_memory_and_names_a_missing_peer() {
    let study = Study::new();
    let [one, other] = two(&study);
    let line =
        "bench loader {} {} --rounds 1 --size 32 --batch 4 --images 16 --samples 1500 --json -q";
    let report = json(&run(line, &[&one, &other]).success());
    assert_eq!(
        (&report["files"], &report["images"]),
        (&2.into(), &16.into())
    );
    for way in ["dicom", "cache"] {
        for number in ["one_thread", "all_threads", "threads_ratio", "cpu_ms"] {
            assert!(
                report[way][number].as_f64().unwrap() > 0.0,
                "{way} {number}"
            );
        }
    }
    let sizes: Vec<_> = report["memory"].as_array().unwrap().iter().collect();
    assert_eq!(sizes.len(), 2, "1,000 slices and 1,500: {sizes:?}");
    assert_eq!(sizes[1]["samples"], 1500);
    let line = "bench loader {} --peer torch --python {}";
    let missing = run(line, &[&one, &study.path("no-python")]).code(3);
    assert!(stderr(&missing).contains("--python"));
}
