mod runs;

use falx_core::{LABELS, LabelRow, PatientId, Silent};

use super::*;
use crate::interval::holm;
use crate::tests::{cohort, p};

fn options() -> EvaluateOptions {
    EvaluateOptions {
        replicates: 200,
        seed: 4,
        ..EvaluateOptions::default()
    }
}

fn entry(name: &str, cases: Vec<Case>) -> Entry {
    Entry {
        name: name.to_owned(),
        cases,
        train_prevalence: Some([0.1, 0.1, 0.1, 0.1, 0.1, 0.4]),
        blind: Vec::new(),
        studies: Vec::new(),
        run: None,
    }
}

/// The same cases, predicted with some of the knowledge lost.
fn blurred(mut cases: Vec<Case>) -> Vec<Case> {
    for (i, case) in cases.iter_mut().enumerate() {
        for (label, q) in case.prediction.iter_mut().enumerate() {
            let noise = ((i * 37 + label * 11) % 100) as f64 / 100.0;
            *q = p(0.4 * q.get() + 0.3 * noise);
        }
    }
    cases
}

fn run(entries: &[Entry]) -> Result<Comparison, CompareError> {
    compare(entries, None, &options(), &Silent)
}

#[test]
fn a_comparison_reads_as_tables() {
    let mut other = blurred(cohort(40));
    other.truncate(390);
    let c = run(&[entry("sharp", cohort(40)), entry("blurred", other)]).unwrap();
    assert_eq!((c.slices, c.patients), (390, 39));
    assert_eq!(c.entries[0].left_out, 10);
    insta::assert_snapshot!(c.to_text());
    let csv = c.to_csv();
    let columns = csv.lines().map(|line| line.split(',').count());
    assert!(columns.into_iter().all(|n| n == 9), "{csv}");
    assert!(csv.contains("blurred,slice,any,auc less sharp,-"));
    let json = serde_json::to_string(&c).unwrap();
    let back: Comparison = serde_json::from_str(&json).unwrap();
    assert_eq!(back.to_text(), c.to_text());
}

#[test]
fn the_worse_is_found_worse_and_the_same_is_found_the_same() {
    let sharp = cohort(60);
    let entries = [
        entry("sharp", sharp.clone()),
        entry("blurred", blurred(sharp.clone())),
        entry("again", sharp),
    ];
    let c = run(&entries).unwrap();
    let of = |name: &str| {
        let found = c.differences.iter().filter(|d| d.entry == name);
        found.cloned().collect::<Vec<_>>()
    };
    let (blurred, again) = (of("blurred"), of("again"));
    assert_eq!((blurred.len(), again.len()), (7, 7));
    let loss = blurred[0].difference.unwrap();
    assert!(loss.value > 0.0 && loss.low.unwrap() > 0.0);
    assert!(blurred[0].p_holm.unwrap() >= blurred[0].p.unwrap());
    let any = &blurred[6];
    assert_eq!(any.metric, Metric::Auc { label: Label::Any });
    assert!(any.difference.unwrap().high.unwrap() < 0.0 && any.p.unwrap() < 0.001);
    let by_formula = any.by_formula.unwrap();
    assert!((by_formula.value - any.difference.unwrap().value).abs() < 1e-12);
    assert_eq!(again[0].p, Some(1.0));
    assert_eq!(again[6].note, Some(NoDifference::Alike));
    assert_eq!(again[6].difference.unwrap().value, 0.0);
    assert_eq!(c.tests, 8);
    // The value is that of the two evaluations.
    let auc = |at: usize| c.entries[at].evaluation.labels[5].auc.unwrap().value;
    assert!((any.difference.unwrap().value - (auc(1) - auc(0))).abs() < 1e-12);

    let turned = compare(&entries, Some("blurred"), &options(), &Silent).unwrap();
    assert_eq!(turned.differences[0].entry, "sharp");
    let back = turned.differences[0].difference.unwrap();
    assert!((back.value + loss.value).abs() < 1e-12);
}

#[test]
fn the_page_stands_alone_and_says_who_is_no_better_than_no_skill() {
    let mut other = blurred(cohort(40));
    other.truncate(390);
    let c = run(&[entry("sharp <&>", cohort(40)), entry("blurred", other)]).unwrap();
    let page = crate::report::comparison_to_html(&c);
    for part in [
        "sharp &lt;&amp;&gt;",
        "WORSE THAN NO SKILL: blurred",
        "10 slices of sharp",
        "AUC of subdural",
        "0.39061",
        "not measured here",
        "not a medical device",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("NaN") && !page.contains("http"));
}

#[test]
fn threads_and_the_order_of_cases_change_nothing() {
    let (a, b) = (cohort(20), blurred(cohort(20)));
    let reversed = |cases: &[Case]| cases.iter().rev().cloned().collect::<Vec<_>>();
    let forwards = [entry("a", a.clone()), entry("b", b.clone())];
    let backwards = [entry("a", reversed(&a)), entry("b", b)];
    let on = |threads: usize, entries: &[Entry]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| run(entries)).unwrap()
    };
    let one = on(1, &forwards);
    assert_eq!(one, on(3, &forwards));
    assert_eq!(one, on(2, &backwards));
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_do() {
    let cases = cohort(5);
    let mut others = cases.clone();
    for case in &mut others {
        case.image_id = ImageId(format!("other-{}", case.image_id));
    }
    let mut truths = cases.clone();
    let turned = truths[3].truth.0[0] == Some(false);
    truths[3].truth.set(LABELS[0], turned);
    let mut patients = cases.clone();
    patients[3].patient = "somebody".into();
    let mut unknown = cases.clone();
    for case in &mut unknown {
        case.truth = LabelRow::default();
    }
    let a = || entry("a", cases.clone());
    let said = |entries: &[Entry]| run(entries).unwrap_err().to_string();
    let all = [
        said(&[a()]),
        said(&[a(), a()]),
        said(&[a(), entry("b", others)]),
        said(&[a(), entry("b", truths)]),
        said(&[a(), entry("b", patients)]),
        said(&[a(), entry("b", unknown)]),
        compare(
            &[a(), entry("b", cases.clone())],
            Some("c"),
            &options(),
            &Silent,
        )
        .unwrap_err()
        .to_string(),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn one_class_or_one_patient_has_no_test() {
    let mut cases = cohort(12);
    for case in &mut cases {
        case.truth.0[0] = Some(false);
        case.truth.0[1] = Some(case.patient.as_str() == "P003");
    }
    let c = run(&[entry("a", cases.clone()), entry("b", blurred(cases))]).unwrap();
    assert_eq!(c.differences[1].note, Some(NoDifference::OneClass));
    assert_eq!(c.differences[1].difference, None);
    assert_eq!(c.differences[2].note, Some(NoDifference::OnePatient));
    let only = c.differences[2].difference.unwrap();
    assert_eq!((only.low, only.high), (None, None));
    assert!(!c.to_text().contains("NaN"));
}

#[test]
fn statsmodels_and_numpy_agree() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/compare.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let numbers = |of: &serde_json::Value| -> Vec<f64> {
        let values = of.as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap()).collect()
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    for table in golden["holm"].as_array().unwrap() {
        let p: Vec<Option<f64>> = numbers(&table["p"]).into_iter().map(Some).collect();
        for (a, b) in holm(&p).into_iter().zip(numbers(&table["adjusted"])) {
            near(a.unwrap(), b);
        }
    }
    for series in golden["series"].as_array().unwrap() {
        let p = numbers(&series["p"]);
        for by in crate::Aggregation::ALL {
            near(
                by.of(&p).unwrap(),
                series["whole"][by.name()].as_f64().unwrap(),
            );
        }
    }
}

/// The cases without truths of their own, and what is true of their studies.
fn by_study(name: &str, cases: Vec<Case>, are_whole: bool) -> Entry {
    let mut studies: BTreeMap<(PatientId, String), (LabelRow, Vec<Case>)> = BTreeMap::new();
    for case in cases {
        let key = (
            case.patient.clone(),
            case.study.as_deref().unwrap().to_owned(),
        );
        let (truth, of_study) = studies
            .entry(key)
            .or_insert((LabelRow([Some(false); 6]), Vec::new()));
        for (whole, slice) in truth.0.iter_mut().zip(case.truth.0) {
            *whole = Some(*whole == Some(true) || slice == Some(true));
        }
        of_study.push(Case {
            truth: LabelRow::default(),
            ..case
        });
    }
    let reads = studies
        .iter()
        .map(|((patient, study), (truth, _))| StudyReads {
            patient: patient.clone(),
            study: study.as_str().into(),
            truth: *truth,
            readers: Vec::new(),
        });
    let reads = reads.collect();
    let highest = |of_study: Vec<Case>| {
        let mut first = of_study[0].clone();
        for other in of_study {
            for (p, q) in first.prediction.iter_mut().zip(other.prediction) {
                *p = if q > *p { q } else { *p };
            }
        }
        vec![first]
    };
    let cases = studies.into_values().flat_map(|(_, of_study)| {
        if are_whole {
            highest(of_study)
        } else {
            of_study
        }
    });
    Entry {
        cases: cases.collect(),
        studies: reads,
        train_prevalence: None,
        ..entry(name, Vec::new())
    }
}

#[test]
fn where_only_studies_have_a_truth_studies_are_compared() {
    let sharp = cohort(60);
    let entries = [
        by_study("slices", sharp.clone(), false),
        by_study("studies", sharp.clone(), true),
        by_study("blurred", blurred(sharp), true),
    ];
    let c = run(&entries).unwrap();
    assert_eq!(
        (c.unit, c.slices, c.patients),
        (UnitOfAnalysis::Study, 120, 60)
    );
    assert!(
        c.to_text()
            .contains("On the same 120 studies of 60 patients")
            || c.to_text().contains("120 studies")
    );
    // The highest of a study's slices is what the second entry predicts of it: they do not differ.
    let same: Vec<&Difference> = c
        .differences
        .iter()
        .filter(|d| d.entry == "studies")
        .collect();
    assert_eq!(same.len(), 7);
    assert!(
        same.iter().all(|d| d.difference.unwrap().value == 0.0),
        "{same:?}"
    );
    let loss = |i: usize| c.entries[i].evaluation.weighted_log_loss.value;
    assert_eq!(loss(0), loss(1));
    let worse = c.differences.iter().find(|d| d.entry == "blurred").unwrap();
    assert!((worse.difference.unwrap().value - (loss(2) - loss(0))).abs() < 1e-12);
    let html = crate::report::comparison_to_html(&c);
    assert!(html.contains("On the same 120 studies of 60 patients"));
    assert!(html.contains("studies cannot be told from slices"));
    assert!(html.contains("blurred is worse than slices"));

    // An entry whose slices have truths of their own meets them at the level that all have.
    let mut mixed = entries.clone();
    mixed[0] = entry("slices", cohort(60));
    let same = run(&mixed).unwrap();
    assert_eq!((same.unit, same.slices), (c.unit, c.slices));
    assert_eq!(same.differences, c.differences);
    assert_eq!(
        same.entries[0].evaluation.weighted_log_loss,
        c.entries[0].evaluation.weighted_log_loss
    );

    // Studies that one entry lacks count for nobody.
    let mut fewer = entries;
    fewer[1].cases.truncate(50);
    let c = run(&fewer).unwrap();
    assert_eq!((c.slices, c.entries[0].left_out), (50, 70));
    assert_eq!(c.entries[0].evaluation.labels[5].known, 50);
}
