//! Every command once, on a small phantom and, where the reference material is at hand, on real slices.

mod common;

use common::{Study, falx, json, run};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

#[test]
fn help_teaches() {
    let help = run("--help", &[]).success();
    insta::assert_snapshot!(String::from_utf8_lossy(&help.get_output().stdout));
    for command in [
        "demo",
        "phantom",
        "index",
        "audit",
        "split",
        "plan",
        "train",
        "evaluate",
        "predict",
        "models list",
        "models show",
        "models average",
        "models export",
        "models import",
        "models fetch-pretrained",
        "dicom show",
        "dicom check",
        "bench io",
        "bench index",
        "bench loader",
        "bench evaluate",
        "lint-submission",
        "worklist-sim",
    ] {
        run(&format!("{command} --help"), &[])
            .success()
            .stdout(contains("Usage: falx"));
    }
}

#[test]
fn a_run_is_trained_evaluated_reported_and_its_submission_is_clean() {
    let study = Study::indexed();
    let [out, html, csv, submission] =
        ["run", "report.html", "predictions.csv", "submission.csv"].map(|name| study.path(name));
    let trained = json(&run("train {} --out {} --json", &[&study.recipe(2), &out]).success());
    assert_eq!(trained["finished"], true);
    assert_eq!(trained["epochs"].as_array().unwrap().len(), 2);

    let judged = json(
        &run(
            "evaluate {} --html {} --replicates 200 --json",
            &[&out, &html],
        )
        .success(),
    );
    assert!(judged["weighted_log_loss"]["value"].as_f64().unwrap() > 0.0);
    assert_eq!(judged["baselines"].as_array().unwrap().len(), 3);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("not a medical device") && page.contains("data:image/png;base64,"));

    let (held_back, sample) = (
        study.path("phantom/stage_2_test"),
        study.path("phantom/stage_2_sample_submission.csv"),
    );
    run(
        "predict {} --model {} --format kaggle --sample {} --out {}",
        &[&held_back, &out, &sample, &submission],
    )
    .success();
    let truth = study.path("phantom/truth/stage_2_test.csv");
    let lint = "lint-submission {} --sample {} --truth {}";
    run(lint, &[&submission, &sample, &truth])
        .success()
        .stdout(contains("would score"));
    let text = std::fs::read_to_string(&submission).unwrap();
    std::fs::write(&submission, text.replacen("_any,", "_every,", 1)).unwrap();
    run(lint, &[&submission, &sample, &truth]).code(1);

    run(
        "predict {} --model {} --out {}",
        &[&study.images(), &out.join("bundle"), &csv],
    )
    .success();
    run(
        "evaluate {} --labels {} --replicates 100",
        &[&csv, &study.labels()],
    )
    .success()
    .stdout(contains("every slice counts as a patient").or(contains("patients are unknown")));
    let with_index = [&*csv, &*study.labels(), &*study.path("index.parquet")];
    run(
        "evaluate {} --labels {} --index {} --replicates 100",
        &with_index,
    )
    .success()
    .stdout(contains("patients are unknown").not());
}

#[test]
fn predictions_are_shifted_to_the_prevalence_that_is_asked_for() {
    let study = Study::indexed();
    let out = study.path("run");
    run("train {} --out {} -q", &[&study.recipe(1), &out]).success();
    let bundle = std::fs::read_to_string(out.join("bundle/bundle.toml")).unwrap();
    let own = toml::from_str::<toml::Table>(&bundle).unwrap()["prevalence"][5]
        .as_float()
        .unwrap();
    let odds = |p: f64| p / (1.0 - p);
    let any = |share: Option<f64>| -> Vec<f64> {
        let csv = study.path("p.csv");
        let mut command = common::falx();
        command
            .args(["predict", "-q", "--model"])
            .arg(&out)
            .arg("--out")
            .arg(&csv);
        command.args(share.map(|share| format!("--prevalence={share}")));
        assert!(command.arg(study.images()).status().unwrap().success());
        let text = std::fs::read_to_string(csv).unwrap();
        let rows = text.lines().skip(1);
        rows.map(|row| row.rsplit(',').next().unwrap().parse().unwrap())
            .collect()
    };
    let as_trained = any(None);
    for (shifted, plain) in any(Some(0.07)).iter().zip(&as_trained) {
        let factor = odds(*shifted) / odds(*plain);
        let wanted = odds(0.07) / odds(own);
        assert!((factor / wanted - 1.0).abs() < 1e-4, "{factor} {wanted}");
    }
    let line = "predict {} --model {} --out {} --prevalence 0";
    run(line, &[&study.images(), &out, &study.path("q.csv")]).code(2);
}

#[test]
fn an_unreadable_slice_gets_the_prevalence_in_a_submission_and_is_named() {
    let study = Study::indexed();
    let (out, submission) = (study.path("run"), study.path("submission.csv"));
    run("train {} --out {} -q", &[&study.recipe(1), &out]).success();
    let held_back = study.path("phantom/stage_2_test");
    let victim = std::fs::read_dir(&held_back)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&victim, b"no DICOM").unwrap();
    let sample = study.path("phantom/stage_2_sample_submission.csv");
    let line = "predict {} --model {} --format kaggle --sample {} --out {} --json";
    let summary = json(&run(line, &[&held_back, &out, &sample, &submission]).code(1));
    assert_eq!(summary["given_the_prevalence"], 1);
    assert_eq!(summary["unreadable"][0]["path"], victim.to_str().unwrap());
    run("lint-submission {} --sample {}", &[&submission, &sample]).success();
}

#[test]
fn folders_are_indexed_by_sop_instance_uid() {
    let folder = tempfile::tempdir().unwrap();
    let [phantom, index] = ["phantom", "index.parquet"].map(|name| folder.path().join(name));
    run(
        "phantom --patients 2 --matrix 64 --layout folders --out {} -q",
        &[&phantom],
    )
    .success();
    let summary = json(
        &run(
            "index {} --labels {} --out {} --json",
            &[&phantom, &phantom.join("labels.csv"), &index],
        )
        .success(),
    );
    assert_eq!(summary["layout"], "folders");
    assert_eq!(summary["patients"], 2);
    assert_eq!(summary["files_without_label"], 0);
    assert_eq!(summary["labels_without_file"], 0);
}

#[test]
fn the_real_rsna_slices_are_indexed_as_they_are() {
    let Some(rsna) = falx_fixtures::shared("data/rsna-dicom") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("i.parquet");
    let (images, labels) = (rsna.join("stage_2_train"), rsna.join("stage_2_train.csv"));
    let summary = json(
        &run(
            "index {} --labels {} --out {} --json",
            &[&images, &labels, &index],
        )
        .success(),
    );
    assert_eq!(summary["rows"], 192);
    assert_eq!(summary["usable"], 192);
    assert_eq!(
        summary["positives"],
        serde_json::json!([9, 27, 12, 34, 24, 63])
    );
}

#[test]
fn an_audit_names_the_planted_defects_and_shows_them_on_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let [phantom, index, page] =
        ["phantom", "index.parquet", "audit.html"].map(|name| folder.path().join(name));
    run(
        "phantom --patients 12 --matrix 64 --prevalence 0.4 --seed 2 --defects --out {} -q",
        &[&phantom],
    )
    .success();
    let (images, labels) = (
        phantom.join("stage_2_train"),
        phantom.join("stage_2_train.csv"),
    );
    run(
        "index {} --labels {} --out {} -q",
        &[&images, &labels, &index],
    );
    let line = "audit {} --html {} --json";
    let audit = json(&run(line, &[&index, &page]).code(1));
    let names: Vec<&str> = audit["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["name"].as_str().unwrap())
        .collect();
    for name in [
        "refused.truncated",
        "defect.rsna_12bit_wrap_repaired",
        "defect.padding_clamped",
        "picture.two_ids",
        "series.duplicate_position",
        "labels.missing",
        "labels.without_file",
        "shortcut.metadata",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    assert!(!names.contains(&"series.not_a_head"));
    assert_eq!(audit["sources"][0]["dataset"], "stage_2_train");
    assert!(audit["shortcut"]["auc"]["value"].as_f64().unwrap() > 0.0);
    let text = std::fs::read_to_string(&page).unwrap();
    for part in names.iter().chain(&[
        "data:image/png;base64,",
        "refused: truncated",
        "Metadata as a shortcut",
        "not a medical device",
    ]) {
        assert!(text.contains(part), "{part} is not on the page");
    }
    assert!(!text.contains("http://") && !text.contains("https://"));

    // The page does not depend on threads; files that are gone are named, and nothing fails.
    run("audit {} --html {} --threads 1", &[&index, &page]).code(1);
    assert!(std::fs::read_to_string(&page).unwrap() == text);
    std::fs::remove_dir_all(&images).unwrap();
    run(line, &[&index, &page]).code(1);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("cannot be opened any more"));
    assert!(!text.contains("data:image/png"));
}

#[test]
fn a_closed_pipe_is_no_bug() {
    let mut child = falx()
        .args(["audit", "no-such-file.parquet", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    // The document cannot be written; that is neither a panic (70) nor another failure than the missing file (3).
    assert_eq!(child.wait().unwrap().code(), Some(3));
}
