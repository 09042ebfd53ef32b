use falx_core::{Label, Silent};

use crate::tests::cohort;
use crate::{Case, EvaluateOptions, Evaluation, EvaluationInput, evaluate, evaluate_input};

fn options() -> EvaluateOptions {
    EvaluateOptions {
        replicates: 60,
        ..EvaluateOptions::default()
    }
}

fn of(cases: &[Case]) -> Evaluation {
    evaluate(cases, &options(), &Silent).unwrap()
}

#[test]
fn without_a_development_set_folds_of_patients_judge_each_other() {
    let e = of(&cohort(40));
    let abstention = e.abstention.unwrap();
    let study = abstention.study.unwrap();
    for (level, cases) in [(&abstention.main, 400), (&study, 80)] {
        assert_eq!(level.labels.len(), 6);
        for label in &level.labels {
            let sets = label.sets.as_ref().unwrap();
            assert_eq!((sets.folds, &label.undefined), (Some(5), &None));
            assert_eq!(sets.coverage.all.cases, cases);
            assert_eq!(sets.coverage.promised, 0.9);
        }
        let missed = level.missed.as_ref().unwrap();
        assert_eq!((missed.folds, missed.control.alpha), (Some(5), 0.1));
        assert!(missed.control.bound <= 0.1);
        assert!(level.missed_subtypes.is_some());
    }
}

/// Selective risk judges each patient as the locked point does, so that with every case kept both count the same errors.
#[test]
fn with_every_case_kept_the_errors_are_the_locked_points() {
    let e = of(&cohort(40));
    let abstention = e.abstention.unwrap();
    let levels = [
        (&abstention.main, &e.labels),
        (
            abstention.study.as_ref().unwrap(),
            &e.study.as_ref().unwrap().labels,
        ),
    ];
    for (level, labels) in levels {
        let selective = level.selective.as_ref().unwrap();
        let points = labels[5].locked_points.as_ref().unwrap();
        let point = points.of(&crate::operating::HEADLINE_RULE).unwrap();
        let c = point.test.confusion;
        let wrong = c.false_negatives + c.false_positives;
        let full = selective.risk.full_risk.unwrap().value;
        assert!((full - wrong as f64 / selective.risk.cases as f64).abs() < 1e-12);
        assert_eq!(selective.threshold, point.threshold);
        assert!(!point.fold_thresholds.is_empty());
    }
}

#[test]
fn a_development_set_gives_the_model_and_is_not_judged() {
    let all = cohort(60);
    let (development, judged) = all.split_at(200);
    let input = EvaluationInput {
        development: Some(development),
        ..judged.into()
    };
    let e = evaluate_input(&input, &options(), &Silent).unwrap();
    let level = e.abstention.unwrap().main;
    let sets = level.sets(Label::Any).unwrap();
    let counted = sets.model.cases;
    assert_eq!((sets.folds, counted.no + counted.yes), (None, 200));
    assert_eq!(sets.coverage.all.cases, 400);
    assert_eq!(level.missed.as_ref().unwrap().folds, None);
    let few = of(judged);
    assert_ne!(
        few.abstention.unwrap().main.sets(Label::Any).unwrap().model,
        sets.model
    );
}

#[test]
fn too_few_patients_are_said_and_nothing_is_made_up() {
    let e = of(&cohort(3));
    let level = e.abstention.unwrap().main;
    let any = &level.labels[5];
    assert!(any.sets.is_none());
    let why = any.undefined.as_ref().unwrap();
    assert!(
        why.starts_with("3 patients cannot be dealt into 5 folds"),
        "{why}"
    );
    assert!(level.missed.is_none() && level.missed_subtypes.is_none() && level.selective.is_none());
    assert!(e.worklist.is_none(), "no locked threshold, no work list");
}

#[test]
fn a_label_that_nobody_knows_is_left_out() {
    let mut cases = cohort(20);
    for case in &mut cases {
        case.truth.0[0] = None;
    }
    let level = of(&cases).abstention.unwrap().main;
    let labels: Vec<Label> = level.labels.iter().map(|l| l.label).collect();
    assert_eq!(labels, falx_core::LABELS[1..]);
}

#[test]
fn the_work_list_has_the_studies_rates_and_is_absent_without_studies() {
    let mut cases = cohort(40);
    for case in &mut cases {
        // Half of the studies without a haemorrhage, so that specificity means something.
        if case.study.as_ref().is_some_and(|s| s.ends_with('1')) {
            case.truth.0 = [Some(false); 6];
        }
    }
    let e = of(&cases);
    let gain = e.worklist.as_ref().unwrap();
    let any = &e.study.as_ref().unwrap().labels[5];
    let points = any.locked_points.as_ref().unwrap();
    let test = &points.of(&crate::operating::HEADLINE_RULE).unwrap().test;
    assert_eq!(gain.assumed.sensitivity, test.sensitivity.unwrap().value);
    assert_eq!(gain.assumed.specificity, test.specificity.unwrap().value);
    assert_eq!(
        gain.assumed.prevalence,
        any.positives as f64 / any.known as f64
    );
    assert_eq!(gain.assumed.seed, e.seed);
    assert!(gain.notes.iter().any(|n| n.contains("80 studies")));
    assert!(
        e.to_text()
            .contains("On a simulated work list, what it flags first:")
    );

    for case in &mut cases {
        case.study = None;
    }
    let e = of(&cases);
    assert!(e.worklist.is_none() && e.abstention.as_ref().unwrap().study.is_none());
    assert!(!e.to_text().contains("work list"));
    assert!(e.to_text().contains("negative slices"));
}

#[test]
fn an_older_evaluation_without_these_is_read() {
    let mut json = serde_json::to_value(of(&cohort(12))).unwrap();
    let object = json.as_object_mut().unwrap();
    assert!(object.remove("abstention").is_some() && object.remove("worklist").is_some());
    let back: Evaluation = serde_json::from_value(json).unwrap();
    assert!(back.abstention.is_none() && back.worklist.is_none());
    assert!(!back.to_text().contains("Abstaining"));
}
