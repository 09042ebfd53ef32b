//! `falx evaluate` and `falx compare` where whole studies have the truth, or were predicted.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::{json, run};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

const HEADER: &str =
    "image_id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n";

/// Three readers' votes for studies, as CQ500 has them: the majority is the truth of studies, and slices have none.
#[test]
fn where_only_studies_have_a_truth_studies_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    run(
        "phantom --patients 10 --matrix 64 --prevalence 0.4 --seed 3 --layout folders --out {} -q",
        &[&at("phantom")],
    )
    .success();
    // One study a patient, in folders of CQ500's names.
    let mut votes = "name".to_owned();
    for reader in 1..=3 {
        for finding in ["EDH", "IPH", "IVH", "SAH", "SDH", "ICH"] {
            let _ = write!(votes, ",R{reader}:{finding}");
        }
    }
    votes.push('\n');
    let mut patients: Vec<PathBuf> = std::fs::read_dir(at("phantom"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("masks"))
        .collect();
    patients.sort();
    assert_eq!(patients.len(), 10);
    for (i, patient) in patients.iter().enumerate() {
        let named = at("cq500").join(format!("CQ500CT{i} CQ500CT{i}"));
        std::fs::create_dir_all(named.parent().unwrap()).unwrap();
        std::fs::rename(patient, named).unwrap();
        // The third reader always says that nothing is there.
        let vote = |reader: usize| u8::from(i.is_multiple_of(2) && reader < 2);
        let all: Vec<String> = (0..18).map(|at| vote(at / 6).to_string()).collect();
        let _ = writeln!(votes, "CQ500-CT-{i},{}", all.join(","));
    }
    std::fs::write(at("cq500").join("reads.csv"), votes).unwrap();
    run("index {} --out {} -q", &[&at("cq500"), &at("i.parquet")]).success();
    let index = falx_data::index::Index::read(at("i.parquet")).unwrap();
    assert_eq!(index.study_labels.len(), 10);
    let mut text = HEADER.to_owned();
    for (i, row) in index.rows.iter().enumerate() {
        let p = (i * 37 % 100) as f64 / 100.0;
        let _ = writeln!(text, "{},{p},{p},{p},{p},{p},{p}", row.image_id);
    }
    std::fs::write(at("p.csv"), text).unwrap();
    let line = "evaluate {} --index {} --replicates 50 --aggregation mean";
    let judged = json(&run(&format!("{line} --json"), &[&at("p.csv"), &at("i.parquet")]).success());
    assert_eq!(judged["unit"], "study");
    assert_eq!(judged["labels"][5]["known"], 10);
    assert_eq!(judged["labels"][5]["positives"], 5);
    assert!(judged["study"].is_null());
    run(line, &[&at("p.csv"), &at("i.parquet")])
        .success()
        .stdout(contains("only whole studies have a truth").and(contains("by 3 readers")));
    let readers = &judged["readers"];
    assert_eq!(readers["studies"], 10);
    assert_eq!(readers["labels"].as_array().unwrap().len(), 6);
    let any = &readers["labels"][5];
    assert_eq!(any["votes"]["split"], 5, "{any}");
    assert_eq!(any["pairs"][0]["kappa"]["value"], 1.0);
    assert_eq!(any["model"]["majority"]["positives"], 5);
    let auc = &judged["labels"][5]["auc"]["value"];
    let against = any["model"]["majority"]["auc"]["value"].as_f64().unwrap();
    assert!((against - auc.as_f64().unwrap()).abs() < 1e-12);
    whole_studies(&at, &index, auc.as_f64().unwrap());
}

/// The same studies, predicted as wholes: by CQ500's names, by its folders', and by UID; slices and studies side by side.
fn whole_studies(at: &dyn Fn(&str) -> PathBuf, index: &falx_data::index::Index, auc: f64) {
    let mut of_study: BTreeMap<String, (String, Vec<f64>)> = BTreeMap::new();
    for (i, row) in index.rows.iter().enumerate() {
        let uid = row.study_uid.as_deref().unwrap().to_owned();
        let patient = row.patient.as_ref().unwrap().to_string();
        let (_, values) = of_study.entry(uid).or_insert((patient, Vec::new()));
        values.push((i * 37 % 100) as f64 / 100.0);
    }
    let table = |column: &str, name: &dyn Fn(&str, &str) -> String| {
        let mut text = HEADER.replace("image_id", column);
        for (uid, (patient, values)) in &of_study {
            let p = values.iter().sum::<f64>() / values.len() as f64;
            let _ = writeln!(text, "{},{p},{p},{p},{p},{p},{p}", name(uid, patient));
        }
        text
    };
    let forms = [
        table("study_uid", &|uid, _| uid.to_owned()),
        table("study_uid", &|_, patient| patient.to_owned()),
        table("image_id", &|_, patient| patient.replace('-', "")),
    ];
    for text in &forms {
        std::fs::write(at("s.csv"), text).unwrap();
        for truth in ["--index {}", "--index {} --labels {}"] {
            let line = format!("evaluate {{}} {truth} --replicates 20 --json");
            let votes = at("cq500").join("reads.csv");
            let files = [at("s.csv"), at("i.parquet"), votes];
            let given = &files[..2 + usize::from(truth.contains("labels"))];
            let files: Vec<&Path> = given.iter().map(PathBuf::as_path).collect();
            let judged = json(&run(&line, &files).success());
            assert_eq!(judged["unit"], "study");
            assert_eq!(judged["labels"][5]["positives"], 5);
            assert_eq!(judged["labels"][5]["auc"]["value"].as_f64(), Some(auc));
        }
    }
    run(
        "evaluate {} --index {} --replicates 20 --html {}",
        &[&at("s.csv"), &at("i.parquet"), &at("s.html")],
    )
    .success()
    .stdout(contains(
        "10 studies of 10 patients, each predicted as a whole",
    ));
    let compared = run(
        "compare {} {} --index {} --replicates 20 --aggregation mean --json",
        &[&at("p.csv"), &at("s.csv"), &at("i.parquet")],
    );
    let compared = json(&compared.success());
    assert_eq!(
        (&compared["unit"], &compared["slices"]),
        (&"study".into(), &10.into())
    );
    for difference in compared["differences"].as_array().unwrap() {
        let value = difference["difference"]["value"].as_f64().unwrap();
        assert!(value.abs() < 1e-12, "{difference}");
    }
    // Two names of one study are one study.
    let twice = forms[0].clone() + forms[1].lines().nth(1).unwrap() + "\n";
    std::fs::write(at("twice.csv"), twice).unwrap();
    run(
        "evaluate {} --index {}",
        &[&at("twice.csv"), &at("i.parquet")],
    )
    .code(3)
    .stderr(contains("two rows predict the study"));
    // Without an index the labels' own names of studies do.
    let mut labels = HEADER.replace("image_id", "study_uid");
    for (i, uid) in of_study.keys().enumerate() {
        let here = u8::from(i.is_multiple_of(2));
        let _ = writeln!(labels, "{uid},{here},{here},{here},{here},{here},{here}");
    }
    std::fs::write(at("l.csv"), labels).unwrap();
    std::fs::write(at("s.csv"), &forms[0]).unwrap();
    run(
        "evaluate {} --labels {} --replicates 20",
        &[&at("s.csv"), &at("l.csv")],
    )
    .success()
    .stdout(contains("10 studies of 10 patients").and(contains("every study counts as a patient")));
}
