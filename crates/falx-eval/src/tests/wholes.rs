//! Series and studies: how slices become them, and truths that only they have.

use falx_core::{LabelRow, Probability, Silent};

use super::{case, cohort, p, row};
use crate::*;

fn options() -> EvaluateOptions {
    EvaluateOptions {
        replicates: 40,
        ..EvaluateOptions::default()
    }
}

#[test]
fn every_aggregation_is_what_it_says() {
    let slices = [0.1, 0.8, 0.4, 0.2];
    let of = |by: Aggregation| by.of(&slices).unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} {b}");
    close(of(Aggregation::Max), 0.8);
    close(of(Aggregation::TopMean), 1.4 / 3.0);
    close(of(Aggregation::Mean), 0.375);
    close(of(Aggregation::NoisyOr), 1.0 - 0.9 * 0.2 * 0.6 * 0.8);
    // 0.95 × 3 = 2.85: between the second highest and the highest.
    close(of(Aggregation::Quantile95), 0.4 + 0.85 * 0.4);
    let w = |d: f64| (-0.5 * d * d).exp();
    let at = |place: usize| {
        let (mut sum, mut total) = (0.0, 0.0);
        for (i, p) in slices.iter().enumerate() {
            let d = w(i.abs_diff(place) as f64);
            sum += d * p;
            total += d;
        }
        sum / total
    };
    close(
        of(Aggregation::SmoothedMax),
        (0..4).map(at).fold(0.0, f64::max),
    );
    for by in Aggregation::ALL {
        assert_eq!(by.of(&[]), None);
        close(by.of(&[0.3]).unwrap(), 0.3);
        assert_eq!(by.name().parse(), Ok(by));
    }
    assert_eq!(Aggregation::NoisyOr.of(&[1.0, 0.0]), Some(1.0));
    assert!("median".parse::<Aggregation>().is_err());
}

#[test]
fn studies_are_scored_under_every_aggregation_and_series_beside_them() {
    let mut cases = cohort(30);
    for (i, case) in cases.iter_mut().enumerate() {
        case.series = Some(format!("{}-{}", case.patient.as_str(), i % 10 / 5).into());
        case.order = Some((i % 5) as u32);
    }
    let options = EvaluateOptions {
        aggregation: Aggregation::Mean,
        ..options()
    };
    let e = evaluate(&cases, &options, &Silent).unwrap();
    assert_eq!(e.unit, UnitOfAnalysis::Slice);
    let study = e.study.as_ref().unwrap();
    assert_eq!((study.studies, study.aggregation), (60, Aggregation::Mean));
    let series = e.series.as_ref().unwrap();
    assert_eq!(series.series, 60);
    assert_eq!(series.weighted_log_loss, study.weighted_log_loss);
    let offered: Vec<Aggregation> = e.aggregations.iter().map(|a| a.aggregation).collect();
    assert_eq!(offered, Aggregation::ALL);
    let mean = e.aggregations[3];
    assert!((mean.weighted_log_loss - study.weighted_log_loss.value).abs() < 1e-12);
    assert_eq!(mean.auc_of_any, study.labels[5].auc.map(|a| a.value));

    // Without places there is nothing to smooth along.
    cases[7].order = None;
    let e = evaluate(&cases, &options, &Silent).unwrap();
    assert_eq!(e.aggregations.len(), 5);
    let reversed: Vec<Case> = cases.iter().rev().cloned().collect();
    assert_eq!(evaluate(&reversed, &options, &Silent).unwrap(), e);
}

#[test]
fn where_only_studies_have_a_truth_they_are_what_is_scored() {
    let mut cases = cohort(30);
    let mut studies: Vec<StudyReads> = Vec::new();
    for case in &mut cases {
        let study = case.study.clone().unwrap();
        let said = studies.iter_mut().find(|s| s.study == study);
        match said {
            Some(said) => {
                for (whole, slice) in said.truth.0.iter_mut().zip(case.truth.0) {
                    *whole = Some(*whole == Some(true) || slice == Some(true));
                }
            }
            None => studies.push(StudyReads {
                patient: case.patient.clone(),
                study,
                truth: case.truth,
                readers: Vec::new(),
            }),
        }
    }
    let by_slice = evaluate(&cases, &options(), &Silent).unwrap();
    for case in &mut cases {
        case.truth = LabelRow::default();
    }
    let input = EvaluationInput {
        studies: &studies,
        ..cases.as_slice().into()
    };
    let e = evaluate_input(&input, &options(), &Silent).unwrap();
    assert_eq!(e.unit, UnitOfAnalysis::Study);
    assert!(e.study.is_none() && e.series.is_none());
    assert_eq!((e.slices, e.patients), (300, 30));
    let study = by_slice.study.unwrap();
    assert_eq!(e.weighted_log_loss, study.weighted_log_loss);
    for (main, study) in e.labels.iter().zip(&study.labels) {
        assert!(main.locked_points.is_some() && study.locked_points.is_some());
        assert_eq!(main, study);
    }
    assert!(e.to_text().starts_with("Per study: 30 patients"), "{e}");
}

#[test]
fn a_baseline_may_differ_by_case_and_its_order_is_that_of_the_cases() {
    let mut cases = cohort(20);
    cases.swap(3, 150);
    cases[9].truth = LabelRow::default();
    let copy = BlindPrediction {
        name: "the same again".to_owned(),
        prediction: cases
            .iter()
            .map(|c| c.prediction.map(Probability::get))
            .collect(),
    };
    let input = EvaluationInput {
        blind: std::slice::from_ref(&copy),
        ..cases.as_slice().into()
    };
    let e = evaluate_input(&input, &options(), &Silent).unwrap();
    let last = e.baselines.last().unwrap();
    assert_eq!(
        (last.name.as_str(), last.prediction),
        ("the same again", None)
    );
    assert_eq!(last.weighted_log_loss, e.weighted_log_loss.value);
    let skill = last.skill.unwrap();
    assert_eq!(
        (skill.value, skill.low, skill.high),
        (0.0, Some(0.0), Some(0.0))
    );
}

#[test]
fn a_patient_is_not_on_both_sides() {
    let cases = cohort(6);
    let other = [
        case("other", "P900", [0; 6], 0.1),
        case("dev", "P003", [0; 6], 0.1),
    ];
    let input = |development| EvaluationInput {
        development: Some(development),
        ..cases.as_slice().into()
    };
    assert_eq!(
        evaluate_input(&input(&other), &options(), &Silent),
        Err(EvaluateError::SharedPatients { count: 1 })
    );
    let e = evaluate_input(&input(&other[..1]), &options(), &Silent).unwrap();
    let given = Development::Given {
        cases: 1,
        patients: 1,
    };
    assert_eq!(e.development, Some(given));
    let e = evaluate(&cases, &options(), &Silent).unwrap();
    assert_eq!(e.development, Some(Development::CrossFitted { folds: 5 }));
}

#[test]
fn a_label_that_no_slice_knows_comes_from_the_study() {
    let mut cases = vec![
        case("a", "P", [0; 6], 0.1),
        case("b", "Q", [0, 0, 0, 0, 1, 1], 0.7),
    ];
    for (case, study) in cases.iter_mut().zip(["S", "T"]) {
        case.study = Some(study.into());
    }
    cases[0].truth = LabelRow::default();
    let reads = [StudyReads {
        patient: "P".into(),
        study: "S".into(),
        truth: row([1, 0, 0, 0, 0, 1]),
        readers: Vec::new(),
    }];
    let input = EvaluationInput {
        studies: &reads,
        ..cases.as_slice().into()
    };
    let e = evaluate_input(&input, &options(), &Silent).unwrap();
    assert_eq!((e.unit, e.slices), (UnitOfAnalysis::Slice, 1));
    let study = e.study.unwrap();
    assert_eq!((study.studies, study.labels[5].positives), (2, 2));
    assert_eq!(study.labels[0].positives, 1);
    assert_eq!(cases[1].prediction[0], p(0.7));
}
