//! `falx predict` for studies that are not whole, and for what it cannot answer.

mod common;

use std::io::Read as _;
use std::process::Stdio;

use assert_cmd::prelude::*;
use common::trained::{Trained, slices};
use common::{closed, falx, falx_of_a_reader, json, run, stderr};
use predicates::str::contains;
use serde_json::Value;

#[test]
fn a_slice_that_is_gone_a_gap_and_a_stranger_are_told_and_the_rest_is_answered() {
    let trained = Trained::new();
    let answer = trained.answer(&trained.study.images(), &[]);
    let study = &answer["studies"][0];
    let ids: Vec<&str> = slices(study)
        .map(|s| s["image_id"].as_str().unwrap())
        .collect();
    let folder = trained.study.path("half");
    std::fs::create_dir(&folder).unwrap();
    for (at, id) in ids.iter().enumerate() {
        let file = format!("{id}.dcm");
        let to = folder.join(&file);
        std::fs::copy(trained.study.images().join(&file), &to).unwrap();
        match at {
            // In the middle one is missing, and one is cut off.
            9 => std::fs::remove_file(&to).unwrap(),
            12 => std::fs::File::options()
                .write(true)
                .open(&to)
                .unwrap()
                .set_len(900)
                .unwrap(),
            _ => {}
        }
    }
    std::fs::write(folder.join("notes.txt"), "no slice").unwrap();
    let out = trained.study.path("half.json");
    let command = run(
        "predict {} --model {} --format json --out {} -q",
        &[&folder, &trained.model, &out],
    );
    command
        .code(1)
        .stdout(contains("slices are missing in its middle"))
        .stdout(contains("not read"));
    let half: Value = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    assert_eq!(half["studies"].as_array().unwrap().len(), 1);
    assert_eq!(slices(&half["studies"][0]).count(), ids.len() - 2);
    assert_eq!(half["studies"][0]["series"][0]["caveats"][0], "gap");
    assert_eq!(half["unreadable"].as_array().unwrap().len(), 1);
    for slice in slices(&half["studies"][0]) {
        let whole = slices(study)
            .find(|s| s["image_id"] == slice["image_id"])
            .unwrap();
        assert_eq!(whole["findings"], slice["findings"]);
    }
}

#[test]
fn what_does_not_go_together_or_is_not_there_is_said() {
    let trained = Trained::new();
    let (images, model) = (trained.study.images(), &trained.model);
    let out = trained.study.path("out.json");
    for (flags, word) in [
        ("--format json --level study", "--level"),
        ("--format kaggle --series all", "--series"),
        ("--format csv --sample {}", "--sample"),
        ("--series the,,chest", "best, all"),
    ] {
        let line = format!("predict {{}} --model {{}} --out {{}} {flags}");
        run(&line, &[&images, model, &out, &out])
            .code(2)
            .stderr(contains(word));
    }
    let to_screen = "predict {} --model {} --out - --format";
    run(&format!("{to_screen} json"), &[&images, model]).code(2);
    run(&format!("{to_screen} jsonl --json"), &[&images, model]).code(2);

    let form = "predict {} --model {} --format json --out {} -q";
    run(&format!("{form} --series 1.2.3"), &[&images, model, &out])
        .code(3)
        .stderr(contains("1.2.3"));
    let nowhere = trained.study.path("no/such/out.json");
    run(form, &[&images, model, &nowhere])
        .code(3)
        .stderr(contains("no/such"));
    assert!(!out.exists());
    let texts = trained.study.path("texts");
    std::fs::create_dir(&texts).unwrap();
    std::fs::write(texts.join("a.txt"), "no slice").unwrap();
    let said = stderr(&run(form, &[&texts, model, &out]).code(3));
    assert!(said.contains("texts"), "{said}");
    run("predict - --model {} --out {}", &[model, &out])
        .code(3)
        .stderr(contains("standard input"));

    // One changed byte of the network.
    let network = model.join("bundle/model.onnx");
    let mut bytes = std::fs::read(&network).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&network, bytes).unwrap();
    run(form, &[&images, model, &out])
        .code(3)
        .stderr(contains("SHA-256"));
}

#[test]
fn little_memory_changes_no_answer_and_too_little_is_named() {
    let trained = Trained::new();
    let images = trained.study.images();
    let answer = trained.answer(&images, &[]);
    assert_eq!(trained.answer(&images, &["--memory", "6"]), answer);
    let out = trained.study.path("out.json");
    let form = "predict {} --model {} --format json --out {} -q --memory 1";
    run(form, &[&images, &trained.model, &out])
        .code(3)
        .stderr(contains("the budget is 1 MiB"));
    assert!(!out.exists());
}

#[test]
fn a_picture_of_raw_values_is_refused_and_copies_of_a_slice_are_told() {
    let trained = Trained::new();
    let folder = trained.study.path("odd");
    std::fs::create_dir(&folder).unwrap();
    // A scanner's twelve bits in a picture of sixteen.
    let raw: Vec<u16> = (0..64 * 64).map(|at| at % 4096).collect();
    let picture: image::ImageBuffer<image::Luma<u16>, _> =
        image::ImageBuffer::from_raw(64, 64, raw).unwrap();
    picture.save(folder.join("raw.png")).unwrap();
    // Eight bits of the brain window, which is one of the model's three.
    let grey = image::ImageBuffer::from_fn(64, 64, |x, y| image::Luma([(4 * x.max(y)) as u8]));
    grey.save(folder.join("brain.png")).unwrap();
    let out = trained.study.path("odd.json");
    let form = "predict {} --model {} --format json --out {} -q";
    let paths = [folder.as_path(), &trained.model, &out];
    run(form, &paths)
        .code(1)
        .stdout(contains("raw_picture"))
        .stdout(contains("which hold one window only"));

    std::fs::remove_file(folder.join("raw.png")).unwrap();
    std::fs::remove_file(folder.join("brain.png")).unwrap();
    for file in std::fs::read_dir(trained.study.images()).unwrap() {
        let file = file.unwrap();
        for copy in ["a-", "b-"] {
            let name = format!("{copy}{}", file.file_name().display());
            std::fs::copy(file.path(), folder.join(name)).unwrap();
        }
    }
    run(form, &paths).success().stdout(contains("in one place"));
}

#[cfg(unix)]
#[test]
fn a_place_that_may_not_be_written_is_named() {
    let trained = Trained::new();
    let place = closed(&trained.study);
    for (format, out) in [
        ("json", "answer.json"),
        ("csv", "answer.csv"),
        ("dicom", "objects"),
    ] {
        let mut command = falx_of_a_reader(&trained.study);
        command.args(["predict", "-q", "--format", format, "--model"]);
        command
            .arg(&trained.model)
            .arg("--out")
            .arg(place.join(out));
        let done = command.arg(trained.study.images()).assert().code(3);
        assert!(
            stderr(&done).contains("closed"),
            "{format}: {}",
            stderr(&done)
        );
        assert!(!place.join(out).exists());
    }
}

#[test]
fn a_reader_of_lines_that_goes_away_is_no_bug() {
    let trained = Trained::new();
    let mut child = falx()
        .args([
            "predict", "--format", "jsonl", "--out", "-", "-q", "--model",
        ])
        .arg(&trained.model)
        .arg(trained.study.images())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(first[0], b'{');
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_ne!(done.status.code(), Some(70), "{said}");
    assert!(!said.contains("bug"), "{said}");
    assert_eq!(
        json(&run("models show {} --json", &[&trained.model]).success())["network"],
        "simple_cnn"
    );
}
