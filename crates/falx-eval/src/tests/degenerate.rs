//! Inputs at the edge.

use falx_core::{LabelRow, Silent};

use super::{case, cohort};
use crate::*;

fn options() -> EvaluateOptions {
    EvaluateOptions {
        replicates: 50,
        ..EvaluateOptions::default()
    }
}

#[test]
fn nothing_to_score_is_said() {
    assert_eq!(
        evaluate(&[], &options(), &Silent),
        Err(EvaluateError::Empty)
    );
    let mut blank = case("a", "P", [0; 6], 0.5);
    blank.truth = LabelRow::default();
    assert_eq!(
        evaluate(&[blank], &options(), &Silent),
        Err(EvaluateError::NoLabels { slices: 1 })
    );
}

#[test]
fn a_slice_given_twice_is_refused() {
    let twice = [case("a", "P", [0; 6], 0.5), case("a", "P", [0; 6], 0.4)];
    let error = evaluate(&twice, &options(), &Silent).unwrap_err();
    assert!(matches!(
        error,
        EvaluateError::RepeatedSlices { count: 1, .. }
    ));
}

#[test]
fn a_prevalence_that_is_no_share_is_refused() {
    for wrong in [f64::NAN, -0.1, 1.5] {
        let options = EvaluateOptions {
            train_prevalence: Some([0.1, wrong, 0.1, 0.1, 0.1, 0.1]),
            ..options()
        };
        let error = evaluate(&cohort(3), &options, &Silent).unwrap_err();
        assert!(matches!(error, EvaluateError::Prevalence { .. }));
    }
}

#[test]
fn one_class_only_has_a_reason_and_no_number() {
    let cases: Vec<Case> = (0..30)
        .map(|i| case(&format!("{i}"), &format!("P{i}"), [0; 6], 0.1))
        .collect();
    let e = evaluate(&cases, &options(), &Silent).unwrap();
    for score in &e.labels {
        assert_eq!(score.auc, None);
        assert_eq!(score.undefined, Some(Undefined::NoPositives));
        assert!(score.roc.is_empty() && score.operating_points.is_empty());
    }
    // Predicting a prevalence of zero is perfect here; a skill against it would be a division by nothing.
    assert_eq!(e.baselines[0].skill, None);
    let text = e.to_text();
    assert!(text.contains("no positive case"), "{text}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert!(
        !serde_json::to_string(&e)
            .unwrap()
            .contains("null,null,null")
    );
}

#[test]
fn one_patient_has_no_interval() {
    let cases: Vec<Case> = cohort(1);
    let e = evaluate(&cases, &options(), &Silent).unwrap();
    assert_eq!(
        (e.weighted_log_loss.low, e.weighted_log_loss.high),
        (None, None)
    );
    assert!(e.warnings.iter().any(|w| w.contains("one patient")));
    assert_ne!(e.verdict, Verdict::Skill, "no interval, no claim");
}

#[test]
fn few_positives_get_a_warning_and_fewer_digits() {
    let mut cases = cohort(40);
    for case in &mut cases {
        case.truth.0[0] = Some(false);
    }
    for case in cases.iter_mut().take(30).step_by(10) {
        case.truth.0[0] = Some(true);
        case.truth.0[5] = Some(true);
    }
    let e = evaluate(&cases, &options(), &Silent).unwrap();
    assert!(e.labels[0].few && !e.labels[5].few);
    assert!(
        e.warnings.iter().any(|w| w
            == "epidural: only 3 positive cases of 3 patients: an indication, not a measurement.")
    );
    assert!(
        e.to_text()
            .lines()
            .any(|l| l.starts_with("epidural") && l.contains('~'))
    );
}

#[test]
fn unknown_labels_are_left_out_and_counted() {
    let mut cases = cohort(12);
    cases[0].truth = LabelRow::default();
    cases[1].truth.0[2] = None;
    let e = evaluate(&cases, &options(), &Silent).unwrap();
    assert_eq!(e.slices, 119);
    assert_eq!(e.labels[2].known, 118);
    assert!(
        e.warnings
            .iter()
            .any(|w| w.starts_with("1 slice without any known label"))
    );
    assert!(
        e.warnings
            .iter()
            .any(|w| w.starts_with("1 slice with only some labels"))
    );
}

#[test]
fn zero_prevalence_in_training_is_warned_of() {
    let options = EvaluateOptions {
        train_prevalence: Some([0.0, 0.1, 0.1, 0.1, 0.1, 0.4]),
        ..options()
    };
    let e = evaluate(&cohort(12), &options, &Silent).unwrap();
    assert!(
        e.warnings
            .iter()
            .any(|w| w.contains("no positive slice of epidural"))
    );
}

#[test]
fn a_hundred_thousand_slices_are_scored() {
    let cases = cohort(10_000);
    let options = EvaluateOptions {
        replicates: 4,
        ..EvaluateOptions::default()
    };
    let e = evaluate(&cases, &options, &Silent).unwrap();
    assert_eq!((e.slices, e.patients), (100_000, 10_000));
    assert!(
        e.labels
            .iter()
            .all(|s| s.roc.len() <= 202 && s.calibration.bins.len() <= 10)
    );
}

#[test]
fn a_perfect_area_is_not_taken_for_certainty() {
    let cases: Vec<Case> = (0..60)
        .map(|i| {
            let positive = u8::from(i % 2 == 0);
            let (image, patient) = (format!("{i}"), format!("P{i}"));
            case(
                &image,
                &patient,
                [positive; 6],
                0.2 + 0.6 * f64::from(positive),
            )
        })
        .collect();
    let e = evaluate(&cases, &options(), &Silent).unwrap();
    assert_eq!(e.labels[5].auc.map(|a| a.value), Some(1.0));
    assert!(
        e.warnings
            .iter()
            .any(|w| w.starts_with("An AUC of exactly 1"))
    );
    let blurred = evaluate(&cohort(40), &options(), &Silent).unwrap();
    assert!(
        !blurred
            .warnings
            .iter()
            .any(|w| w.starts_with("An AUC of exactly 1"))
    );
}

#[test]
fn an_area_by_cluster_knows_that_copies_are_no_evidence() {
    let truth: Vec<bool> = (0..40).map(|i| i % 2 == 0).collect();
    let score: Vec<f64> = (0..40)
        .map(|i| f64::from(i * 7 % 10) + f64::from(u8::from(i % 2 == 0)))
        .collect();
    let own: Vec<u32> = (0..40).collect();
    let single = crate::auc_by_cluster(&truth, &score, &own, 500, 3).unwrap();
    assert_eq!(Ok(single.value), crate::auc(&truth, &score));
    assert!(single.low.unwrap() < single.value && single.value < single.high.unwrap());
    // Every case four times, in one cluster with its copies: nothing more is known.
    let four = |values: &[f64]| values.repeat(4);
    let copies = crate::auc_by_cluster(&truth.repeat(4), &four(&score), &own.repeat(4), 500, 3);
    assert_eq!(copies, Ok(single));
    let none = crate::auc_by_cluster(&[true], &[0.5], &[0], 10, 0);
    assert_eq!(none, Err(crate::Undefined::NoNegatives));
    // One cluster cannot tell how clusters differ.
    let one = crate::auc_by_cluster(&truth, &score, &[0; 40], 10, 0).unwrap();
    assert_eq!((one.low, one.high), (None, None));
}
