//! Whole evaluations.

use falx_core::Silent;

use super::{case, cohort, p};
use crate::*;

fn options(replicates: u32) -> EvaluateOptions {
    EvaluateOptions {
        replicates,
        seed: 11,
        train_prevalence: Some([0.1, 0.1, 0.1, 0.1, 0.1, 0.4]),
        ..EvaluateOptions::default()
    }
}

#[test]
fn an_evaluation_reads_as_a_table() {
    let evaluation = evaluate(&cohort(40), &options(200), &Silent).unwrap();
    insta::assert_snapshot!(evaluation.to_text());
}

#[test]
fn threads_and_the_order_of_cases_change_nothing() {
    let cases = cohort(20);
    let mut reversed = cases.clone();
    reversed.reverse();
    let run = |threads: usize, cases: &[Case]| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let evaluation = pool
            .install(|| evaluate(cases, &options(100), &Silent))
            .unwrap();
        serde_json::to_string(&evaluation).unwrap()
    };
    let one = run(1, &cases);
    assert_eq!(one, run(2, &cases));
    assert_eq!(one, run(2, &reversed));
}

#[test]
fn the_seed_moves_the_interval_and_not_the_value() {
    let cases = cohort(20);
    let run = |seed| {
        evaluate(
            &cases,
            &EvaluateOptions {
                seed,
                ..options(100)
            },
            &Silent,
        )
        .unwrap()
    };
    let (a, b) = (run(1).weighted_log_loss, run(2).weighted_log_loss);
    assert_eq!(a.value, b.value);
    assert_ne!(a.low, b.low);
    for e in [a, b] {
        assert!(e.low.unwrap() < e.value && e.value < e.high.unwrap());
    }
}

#[test]
fn the_evaluation_agrees_with_the_plain_functions() {
    let cases = cohort(15);
    let e = evaluate(&cases, &options(0), &Silent).unwrap();
    let truth: Vec<_> = cases.iter().map(|c| c.truth).collect();
    let prediction: Vec<_> = cases.iter().map(|c| c.prediction).collect();
    let loss = weighted_log_loss(&truth, &prediction).unwrap();
    assert!((e.weighted_log_loss.value - loss).abs() < 1e-12);
    assert_eq!(e.weighted_log_loss.low, None);
    for (i, score) in e.labels.iter().enumerate() {
        let bits: Vec<bool> = truth.iter().map(|t| t.0[i].unwrap()).collect();
        let values: Vec<f64> = prediction.iter().map(|q| q[i].get()).collect();
        assert_eq!(score.auc.map(|a| a.value), auc(&bits, &values).ok());
        let counted: u64 = score.calibration.bins.iter().map(|b| b.count).sum();
        assert_eq!(counted, cases.len() as u64);
        for point in &score.operating_points {
            let hits = bits
                .iter()
                .zip(&values)
                .filter(|(y, v)| **y && **v >= point.threshold);
            assert_eq!(hits.count() as u64, point.true_positives);
        }
    }
    let weighted: f64 = e
        .labels
        .iter()
        .map(|s| s.label.loss_weight() * s.log_loss.unwrap().value)
        .sum();
    assert!((weighted - loss).abs() < 1e-12);
}

#[test]
fn a_study_is_the_highest_of_its_slices() {
    let mut cases = vec![
        case("a", "P", [0; 6], 0.1),
        case("b", "P", [0, 0, 0, 0, 1, 1], 0.7),
        case("c", "Q", [0; 6], 0.2),
        case("d", "Q", [0; 6], 0.3),
    ];
    for (case, study) in cases.iter_mut().zip(["S", "S", "T", "T"]) {
        case.study = Some(study.into());
    }
    let study = evaluate(&cases, &options(0), &Silent)
        .unwrap()
        .study
        .unwrap();
    assert_eq!((study.studies, study.patients), (2, 2));
    let any = &study.labels[5];
    assert_eq!(any.positives, 1);
    let by_hand = (-(0.7_f64.ln()) - 0.7_f64.ln()) / 2.0;
    assert!((any.log_loss.unwrap().value - by_hand).abs() < 1e-15);
    assert_eq!(any.auc.unwrap().value, 1.0);
}

#[test]
fn worse_than_prevalence_is_said_in_words() {
    let mut cases = cohort(20);
    for case in &mut cases {
        case.prediction = case.prediction.map(|q| p(1.0 - q.get()));
    }
    let e = evaluate(&cases, &options(50), &Silent).unwrap();
    assert_eq!(e.verdict, Verdict::WorseThanNoSkill);
    assert!(e.baselines[0].skill.unwrap().value < 0.0);
    assert!(e.warnings[0].starts_with("WORSE THAN NO SKILL"));
    assert!(e.to_text().contains("WORSE THAN NO SKILL"));
}

#[test]
fn an_evaluation_survives_json() {
    let e = evaluate(&cohort(12), &options(20), &Silent).unwrap();
    let text = serde_json::to_string(&e).unwrap();
    let back: Evaluation = serde_json::from_str(&text).unwrap();
    assert_eq!(back.to_text(), e.to_text());
    // serde_json reads floats to within a unit in the last place.
    let (a, b) = (&back.labels[5].roc, &e.labels[5].roc);
    assert_eq!(a.len(), b.len());
    assert!(
        a.iter()
            .zip(b)
            .all(|(p, q)| (p.0 - q.0).abs() + (p.1 - q.1).abs() < 1e-15)
    );
}
