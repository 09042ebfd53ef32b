//! `falx evaluate` and `falx compare` on small tables.

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::{Study, json, run, stderr};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

const HEADER: &str =
    "image_id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n";

/// A folder with a truth, predictions that know something of it, and others that know less.
struct Desk(tempfile::TempDir);

/// Of these slices, from this one on; each second bleeds.
fn table(slices: std::ops::Range<usize>, value: impl Fn(usize) -> f64) -> String {
    let mut text = HEADER.to_owned();
    for slice in slices {
        let v = value(slice);
        let _ = writeln!(text, "ID_{slice:04x},{v},{v},{v},{v},{v},{v}");
    }
    text
}

fn bleeds(slice: usize) -> bool {
    slice * 7 % 10 < 4
}

fn knowing(slice: usize) -> f64 {
    let noise = (slice * 37 % 100) as f64 / 250.0;
    if bleeds(slice) {
        0.4 + noise
    } else {
        0.1 + noise
    }
}

fn guessing(slice: usize) -> f64 {
    (0.2 * knowing(slice) + 0.008 * (slice * 61 % 100) as f64).min(1.0)
}

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.put(
            "truth.csv",
            &table(0..120, |s| f64::from(u8::from(bleeds(s)))),
        );
        desk.put("knowing.csv", &table(0..80, knowing));
        desk.put("guessing.csv", &table(0..84, guessing));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs with paths by name: `@truth.csv` is the desk's.
    fn run(&self, line: &str) -> assert_cmd::assert::Assert {
        let mut command = common::falx();
        for word in line.split_whitespace() {
            let word = word.split_once('@').map_or_else(
                || word.into(),
                |(before, name)| format!("{before}{}", self.path(name).display()),
            );
            command.arg(word);
        }
        assert_cmd::prelude::OutputAssertExt::assert(&mut command)
    }
}

#[test]
fn thresholds_are_found_on_the_development_set_or_across_folds() {
    let desk = Desk::new();
    desk.put("development.csv", &table(90..120, knowing));
    let line = "evaluate @knowing.csv --labels @truth.csv --replicates 50 --json";
    let judged = json(&desk.run(line).success());
    assert_eq!(judged["development"]["how"], "cross_fitted");
    let points = &judged["labels"][5]["locked_points"]["points"];
    assert_eq!(points[1]["chosen_on"], "other_folds", "{points}");

    let judged = json(
        &desk
            .run(&format!("{line} --development @development.csv"))
            .success(),
    );
    assert_eq!(judged["development"]["how"], "given");
    assert_eq!(judged["development"]["cases"], 30);
    let points = &judged["labels"][5]["locked_points"]["points"];
    assert_eq!(points[1]["chosen_on"], "development", "{points}");
    assert!(judged["labels"][5]["recalibration"]["methods"][0]["after"].is_object());

    // The same slices, and so the same patients, on both sides.
    desk.run(&format!("{line} --development @knowing.csv"))
        .code(3)
        .stderr(contains("80 patients are both").and(contains("other patients")));
}

#[test]
fn predictions_of_other_slices_name_both_files_and_an_example_of_each() {
    let desk = Desk::new();
    desk.put("other.csv", &table(0..5, knowing).replace("ID_", "X_"));
    let said = stderr(&desk.run("evaluate @other.csv --labels @truth.csv").code(3));
    for part in [
        "other.csv",
        "truth.csv",
        "X_0000",
        "ID_0000",
        "none of the 5",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    desk.run("evaluate @knowing.csv")
        .code(3)
        .stderr(contains("--labels").and(contains("--index")));
}

#[test]
fn groups_come_from_any_table() {
    let desk = Desk::new();
    desk.put("groups.csv", "image_id,ward\nID_0000,stroke\n");
    let line = "evaluate @knowing.csv --labels @truth.csv --replicates 50 --groups";
    desk.run(&format!("{line} @groups.csv")).success();
    desk.put("bad.csv", "slice,ward\nID_0000,stroke\n");
    desk.run(&format!("{line} @bad.csv"))
        .code(3)
        .stderr(contains("bad.csv").and(contains("slice, ward")));
    desk.run("evaluate @knowing.csv --labels @truth.csv --aggregation median")
        .code(2)
        .stderr(contains("top-mean"));
}

#[test]
fn a_comparison_is_on_the_slices_that_all_have() {
    let desk = Desk::new();
    let line =
        "compare good=@knowing.csv @guessing.csv --labels @truth.csv --replicates 100 --seed 2";
    let text = desk.run(line).success();
    let text = String::from_utf8_lossy(&text.get_output().stdout).into_owned();
    insta::assert_snapshot!(text);
    let line = format!("{line} --reference guessing --json --html @page.html --csv @table.csv");
    let compared = json(&desk.run(&line).success());
    assert_eq!(compared["slices"], 80);
    assert_eq!(compared["reference"], "guessing");
    assert_eq!(compared["entries"][1]["left_out"], 4);
    assert_eq!(compared["differences"][0]["entry"], "good");
    assert_eq!(compared["differences"].as_array().unwrap().len(), 7);
    let read = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    assert!(read("page.html").contains("not measured here"));
    assert!(read("table.csv").starts_with("entry,level,label,score,value,low,high,p,p_holm\n"));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let desk = Desk::new();
    let refused = |line: &str, said: &str| {
        desk.run(line).code(3).stderr(contains(said));
    };
    refused("compare @knowing.csv --labels @truth.csv", "at least two");
    refused(
        "compare @knowing.csv @knowing.csv --labels @truth.csv",
        "NAME=",
    );
    refused(
        "compare @knowing.csv x=@no.csv --labels @truth.csv",
        "no.csv",
    );
    refused("compare @knowing.csv @guessing.csv", "--labels");
    desk.put("late.csv", &table(90..120, knowing));
    refused(
        "compare @knowing.csv @late.csv --labels @truth.csv",
        "no judged slice in common",
    );
}

/// All of stage 2's labels: what no skill scores is known from the competition.
#[test]
fn the_competitions_prevalence_and_one_half_score_what_they_must() {
    let Some(shared) = falx_fixtures::shared("data/rsna-labels") else {
        return;
    };
    let Some(listing) = parquet_in(&shared) else {
        panic!("no table of labels in {}", shared.display());
    };
    let desk = Desk(tempfile::tempdir().unwrap());
    run(
        "index {} --headers-only --out {} -q",
        &[&listing, &desk.path("index.parquet")],
    );
    let index = falx_data::index::Index::read(desk.path("index.parquet")).unwrap();
    let mut text = HEADER.to_owned();
    for row in &index.rows {
        let _ = writeln!(text, "{},0.5,0.5,0.5,0.5,0.5,0.5", row.image_id);
    }
    desk.put("half.csv", &text);
    let line = "evaluate @half.csv --index @index.parquet --replicates 0 --json -q";
    let judged = json(&desk.run(line).success());
    assert_eq!(judged["slices"], 752_803);
    let loss = |at: &serde_json::Value| format!("{:.4}", at.as_f64().unwrap());
    assert_eq!(loss(&judged["weighted_log_loss"]["value"]), "0.6931");
    assert_eq!(judged["verdict"], "worse_than_no_skill");
    let prevalence = &judged["baselines"][0];
    assert_eq!(prevalence["name"], "prevalence of these slices");
    assert_eq!(loss(&prevalence["weighted_log_loss"]), "0.2311");
}

fn parquet_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|e| e == "parquet"))
}

#[test]
fn runs_are_compared_on_their_locked_test_and_found_their_thresholds_on_the_validation_fold() {
    let study = Study::indexed();
    run(
        "split {} --folds 3 --test-fraction 0.25 --seed 2 --out {}",
        &[&study.path("index.parquet"), &study.path("split.parquet")],
    )
    .success();
    for (name, epochs) in [("one", 1), ("two", 2)] {
        let recipe = study.recipe_of_any(epochs);
        run("train {} --out {} -q", &[&recipe, &study.path(name)]).success();
    }
    let judged = json(&run("evaluate {} --replicates 50 --json", &[&study.path("two")]).success());
    assert_eq!(judged["development"]["how"], "given");
    let names: Vec<&str> = judged["baselines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[0], "prevalence of the training folds");
    assert!(judged["series"]["series"].as_u64().unwrap() > 0);
    let compared = json(
        &run(
            "compare {} {} --replicates 50 --json",
            &[&study.path("one"), &study.path("two")],
        )
        .success(),
    );
    assert_eq!(compared["slices"], judged["slices"]);
    let scores = |name: usize| {
        compared["entries"][name]["evaluation"]["weighted_log_loss"]["value"].as_f64()
    };
    assert_eq!(scores(1), judged["weighted_log_loss"]["value"].as_f64());
    let difference = compared["differences"][0]["difference"]["value"]
        .as_f64()
        .unwrap();
    assert!((difference - (scores(1).unwrap() - scores(0).unwrap())).abs() < 1e-12);
    experiments(&study, &compared);
}

/// What the table of experiments says of two runs is what their folders say.
fn experiments(study: &Study, compared: &serde_json::Value) {
    for (at, (name, epochs)) in [("one", 1), ("two", 2)].into_iter().enumerate() {
        let run = &compared["entries"][at]["run"];
        assert_eq!(run["network"], "simple_cnn");
        assert_eq!(run["judged_part"], "test");
        assert_eq!(run["judged"]["slices"], compared["slices"]);
        assert_eq!(run["sampling"], "any to 50 %");
        assert_eq!(run["augmentation"], "default");
        assert_eq!(run["timing"]["is_whole"], true);
        let lines = std::fs::read_to_string(study.path(name).join("metrics.jsonl")).unwrap();
        let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        let told = &run["epochs"][epochs - 1];
        for key in [
            "epoch",
            "training_loss",
            "validation_loss",
            "validation_baseline",
        ] {
            assert_eq!(told[key], last[key], "{key}");
        }
        // Half of the slices shown are positive, and `any` alone counts.
        let no_skill = run["training_baseline"].as_f64().unwrap();
        assert!(
            (no_skill - std::f64::consts::LN_2).abs() < 0.01,
            "{no_skill}"
        );
    }
    // The times of a run are no result: it is compared without them, too.
    std::fs::remove_file(study.path("one").join("timing.jsonl")).unwrap();
    let (page, table) = (study.path("page.html"), study.path("table.csv"));
    run(
        "compare {} {} --replicates 20 --html {} --table {}",
        &[&study.path("one"), &study.path("two"), &page, &table],
    )
    .success()
    .stdout(contains("not known").and(contains("locked test")));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Validation loss: one, two"));
    let table = std::fs::read_to_string(table).unwrap();
    assert_eq!(table.lines().count(), 3, "{table}");
}

/// Two wards; the second is judged blindly.
#[test]
fn groups_of_a_table_are_scored_apart_and_tables_lists_and_card_are_written() {
    let desk = Desk::new();
    let mut wards = "image_id,ward\n".to_owned();
    for slice in 0..80 {
        let _ = writeln!(wards, "ID_{slice:04x},{}", ["stroke", "trauma"][slice / 40]);
    }
    desk.put("wards.csv", &wards);
    let blindly = |s: usize| {
        if s < 40 {
            knowing(s)
        } else {
            (s * 61 % 100) as f64 / 100.0
        }
    };
    desk.put("half.csv", &table(0..80, blindly));
    let line = "evaluate @half.csv --labels @truth.csv --groups @wards.csv --replicates 50";
    let written = format!("{line} --tables @tables --model-card @card.md");
    desk.run(&written).success().stdout(
        contains("Widest gap")
            .and(contains("model card: "))
            .and(contains("\u{1b}").not()),
    );
    let judged = json(&desk.run(&format!("{line} --json")).success());
    let gaps = judged["subgroups"]["gaps"].as_array().unwrap();
    assert_eq!(gaps[0]["lowest"], "trauma", "{gaps:?}");
    let read = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    let head = read("tables/gaps.csv");
    assert!(
        head.starts_with("axis,label,metric,groups,lowest,"),
        "{head}"
    );
    assert_eq!(head.lines().count(), 1 + gaps.len());
    assert!(read("tables/subgroups.csv").contains("\nward,stroke,any,40,40,"));
    let stard = read("tables/stard_ai.md");
    assert!(stard.contains("groups by ward") && stard.contains("to be answered by the authors"));
    assert!(read("tables/claim.csv").contains("30,Methods: evaluation,"));
    assert!(read("tables/stard_ai.csv").starts_with("item,section,topic,answer\n"));
    assert!(read("tables/claim.md").starts_with("| item |"));
    assert!(read("card.md").starts_with("# Model card: "));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    desk.put("taken", "");
    let line = "evaluate @knowing.csv --labels @truth.csv --replicates 0";
    for (flag, says) in [
        ("--tables @taken", "cannot write the table"),
        (
            "--model-card @missing/card.md",
            "cannot write the model card",
        ),
        ("--html @missing/page.html", "cannot write the report"),
    ] {
        let name = flag.split_once('@').unwrap().1;
        desk.run(&format!("{line} {flag}"))
            .code(3)
            .stderr(contains(says).and(contains(name)));
    }
}
