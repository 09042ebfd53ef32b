//! By hand, at the edges, and what must hold for any input.

use falx_core::{LABELS, LabelRow};
use proptest::prelude::*;

use super::super::*;
use crate::{Outcomes, Resampling};

fn resampling(clusters: usize) -> Resampling {
    Resampling::new(clusters, 100, 7)
}

fn cohort() -> impl Strategy<Value = (Vec<bool>, Vec<f64>, Vec<u32>)> {
    let case = (any::<bool>(), 0..=20_u32, 0..12_u32);
    prop::collection::vec(case, 1..90).prop_map(|cases| {
        let truth = cases.iter().map(|c| c.0).collect();
        let prediction = cases.iter().map(|c| f64::from(c.1) / 20.0).collect();
        (truth, prediction, cases.iter().map(|c| c.2).collect())
    })
}

#[test]
fn a_quantile_by_hand() {
    // Patient 0 has scores .1 and .3 (half a patient each), patients 1 and 2 have .2 and .4; one patient more is at infinity.
    let truth = [false; 4];
    let outcomes = Outcomes::new(&truth, &[0.1, 0.3, 0.2, 0.4], &[0, 0, 1, 2]).unwrap();
    let quantile = |alpha: f64| {
        let options = ConformalOptions {
            alpha,
            ..ConformalOptions::default()
        };
        fit(&outcomes, &options).unwrap().quantiles.no
    };
    assert_eq!(quantile(0.5), Some(0.3));
    assert_eq!(quantile(0.625), Some(0.2));
    assert_eq!(quantile(0.25), Some(0.4));
    assert_eq!(
        quantile(0.24),
        None,
        "three patients cannot promise more than 75 %"
    );
}

#[test]
fn a_controlled_threshold_by_hand() {
    // Nine patients with one haemorrhage each: (losses + 1)/10 <= .3 allows two to be missed.
    let truth = [true; 9];
    let prediction = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    let cluster = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    let outcomes = Outcomes::new(&truth, &prediction, &cluster).unwrap();
    let detections = Detections::of_cases(&outcomes).unwrap();
    let control = detections.control(0.3).unwrap();
    assert_eq!(control.threshold, Some(0.3));
    assert!((control.bound - 0.3).abs() < 1e-15 && (control.risk - 2.0 / 9.0).abs() < 1e-15);
    let all = detections.control(0.05).unwrap();
    assert_eq!(all.threshold, None);
    assert!(all.calls(0.0));
}

#[test]
fn a_study_of_three_subtypes_loses_a_third_for_each() {
    let mut truth = LabelRow([Some(false); 6]);
    for label in &LABELS[..3] {
        truth.set(*label, true);
    }
    let prediction = [0.9, 0.1, 0.1, 0.6, 0.1, 0.9];
    let detections =
        Detections::of_subtypes(&[truth; 2], &[prediction, [0.9; 6]], &[0, 1]).unwrap();
    let control = RiskControl {
        misses: Misses::Subtypes,
        alpha: 0.1,
        threshold: Some(0.5),
        patients: 0,
        risk: 0.0,
        bound: 0.0,
    };
    let found = detections.realised(&control, &resampling(2));
    assert!(
        (found.risk.unwrap().value - 1.0 / 3.0).abs() < 1e-15,
        "2/3 and 0"
    );
    assert!((found.false_alarms.unwrap().value - 3.0 / 4.0).abs() < 1e-15);
    assert_eq!(found.patients, 2);
}

#[test]
fn a_broken_promise_is_said() {
    let truth: Vec<bool> = (0..80).map(|i| i % 2 == 0).collect();
    let cluster: Vec<u32> = (0..80).map(|i| i / 2).collect();
    let good: Vec<f64> = truth.iter().map(|&t| if t { 0.9 } else { 0.1 }).collect();
    let bad: Vec<f64> = good.iter().map(|p| 1.0 - p).collect();
    let development = Outcomes::new(&truth, &good, &cluster).unwrap();
    let test = Outcomes::new(&truth, &bad, &cluster).unwrap();
    let options = ConformalOptions::default();
    let found = evaluate(Some(&development), &test, &options, 5, &resampling(40)).unwrap();
    assert_eq!(found.coverage.positives.promise, Promise::Broken);
    assert!(found.coverage.notes[0].contains("less than the promised 90.0 %"));
    let kept = evaluate(None, &development, &options, 5, &resampling(40)).unwrap();
    assert_eq!(kept.coverage.positives.promise, Promise::Kept);
    assert_eq!(kept.folds, Some(5));
    let detections = |o: &Outcomes<'_>| Detections::of_cases(o).unwrap();
    let (known, new) = (detections(&development), detections(&test));
    let risk = evaluate_risk_control(Some(&known), &new, 0.1, 5, &resampling(40)).unwrap();
    assert_eq!(risk.realised.promise, Promise::Broken);
    assert_eq!(risk.realised.risk.unwrap().value, 1.0);
}

#[test]
fn impossible_requests_are_refused() {
    let outcomes = Outcomes::new(&[true], &[0.5], &[0]).unwrap();
    let at = |alpha| ConformalOptions {
        alpha,
        ..ConformalOptions::default()
    };
    for alpha in [0.0, 1.0, f64::NAN] {
        assert!(matches!(
            fit(&outcomes, &at(alpha)),
            Err(ConformalError::Level(_))
        ));
    }
    let nothing = Outcomes::new(&[], &[], &[]).unwrap();
    assert_eq!(fit(&nothing, &at(0.1)), Err(ConformalError::NoCases));
    let logits = Outcomes::new(&[true], &[3.2], &[0]).unwrap();
    assert!(
        fit(&logits, &at(0.1))
            .unwrap_err()
            .to_string()
            .contains("3.2")
    );
    assert_eq!(
        evaluate(None, &outcomes, &at(0.1), 5, &resampling(1)),
        Err(ConformalError::Folds {
            patients: 1,
            folds: 5
        })
    );
}

#[test]
fn a_model_travels_as_json() {
    let outcomes = Outcomes::new(&[true, false], &[0.7, 0.3], &[0, 1]).unwrap();
    let model = fit(&outcomes, &ConformalOptions::default()).unwrap();
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(
        serde_json::from_str::<ConformalModel>(&text).unwrap(),
        model
    );
    assert_eq!(
        model.set(0.99),
        PredictionSet::Both,
        "one patient rules nothing out"
    );
}

#[test]
fn confidence_is_the_distance_to_certainty() {
    assert_eq!(confidence(0.2, 0.2), 0.0);
    assert_eq!(confidence(1.0, 0.2), 1.0);
    assert_eq!(confidence(0.0, 0.2), 1.0);
    assert!((confidence(0.6, 0.2) - 0.5).abs() < 1e-15);
}

proptest! {
    #[test]
    fn the_order_of_cases_changes_nothing((truth, prediction, cluster) in cohort(), turn in 0..90_usize) {
        let turned = |v: &mut Vec<f64>| { let n = v.len(); v.rotate_left(turn % n); };
        let mut index: Vec<f64> = (0..truth.len()).map(|i| i as f64).collect();
        turned(&mut index);
        let order: Vec<usize> = index.iter().map(|&i| i as usize).collect();
        let t: Vec<bool> = order.iter().map(|&i| truth[i]).collect();
        let p: Vec<f64> = order.iter().map(|&i| prediction[i]).collect();
        let c: Vec<u32> = order.iter().map(|&i| cluster[i]).collect();
        let a = Outcomes::new(&truth, &prediction, &cluster).unwrap();
        let b = Outcomes::new(&t, &p, &c).unwrap();
        for clustering in [Clustering::Pooled, Clustering::SubsampledOnce { seed: 2 }, Clustering::Subsampled { draws: 7, seed: 2 }] {
            let options = ConformalOptions { alpha: 0.3, condition: Condition::ByClass, clustering };
            prop_assert_eq!(fit(&a, &options), fit(&b, &options));
        }
        let control = |o: &Outcomes<'_>| Detections::of_cases(o).unwrap().control(0.3).unwrap();
        prop_assert_eq!(control(&a).threshold, control(&b).threshold);
        let risk = |o: &Outcomes<'_>| selective_risk(o, 0.5, SelectiveLoss::Error, &resampling(12)).area.map(|e| e.value);
        let (x, y) = (risk(&a).unwrap(), risk(&b).unwrap());
        prop_assert!((x - y).abs() < 1e-12);
    }

    #[test]
    fn a_lower_error_rate_gives_larger_sets((truth, prediction, cluster) in cohort(), p in 0.0..=1.0_f64) {
        let outcomes = Outcomes::new(&truth, &prediction, &cluster).unwrap();
        let set = |alpha| {
            let options = ConformalOptions { alpha, ..ConformalOptions::default() };
            fit(&outcomes, &options).unwrap().set(p)
        };
        for truth in [false, true] {
            prop_assert!(!set(0.4).contains(truth) || set(0.1).contains(truth));
        }
        let detections = Detections::of_cases(&outcomes).unwrap();
        let strict = detections.control(0.1).unwrap();
        let loose = detections.control(0.4).unwrap();
        prop_assert!(!loose.calls(p) || strict.calls(p));
    }

    #[test]
    fn weighing_patients_is_repeating_their_cases((truth, prediction, cluster) in cohort()) {
        // Every patient twice, as two resamples of one: the areas must be those of the doubled cases.
        let twice = |v: &[f64]| [v, v].concat();
        let losses: Vec<f64> = truth.iter().zip(&prediction).map(|(&t, &p)| f64::from(u8::from((p >= 0.5) != t))).collect();
        let confidence: Vec<f64> = prediction.iter().map(|&p| (p - 0.5).abs()).collect();
        let both: Vec<u32> = [cluster.clone(), cluster.iter().map(|c| c + 12).collect()].concat();
        let doubled = selective_risk_of(&twice(&confidence), &twice(&losses), &both, SelectiveLoss::Error, &resampling(24));
        let by_hand = {
            let mut order: Vec<(f64, f64)> = twice(&confidence).into_iter().zip(twice(&losses)).collect();
            order.sort_by(|a, b| b.0.total_cmp(&a.0));
            let spread: Vec<f64> = order.chunk_by(|a, b| a.0 == b.0).flat_map(|ties| {
                let mean = ties.iter().map(|t| t.1).sum::<f64>() / ties.len() as f64;
                vec![mean; ties.len()]
            }).collect();
            let mut lost = 0.0;
            let risks: Vec<f64> = (1..).zip(&spread).map(|(k, l)| { lost += l; lost / f64::from(k) }).collect();
            risks.iter().sum::<f64>() / risks.len() as f64
        };
        prop_assert!((doubled.area.unwrap().value - by_hand).abs() < 1e-12);
    }

    #[test]
    fn folds_share_no_patient_and_differ_by_one_at_most((truth, prediction, cluster) in cohort(), folds in 2..6_u32) {
        let outcomes = Outcomes::new(&truth, &prediction, &cluster).unwrap();
        let fold = patient_folds(&outcomes, folds, 3);
        prop_assert_eq!(fold.len(), outcomes.clusters());
        let mut present = cluster.clone();
        present.sort_unstable();
        present.dedup();
        let size = |f: u32| present.iter().filter(|&&c| fold[c as usize] == f).count();
        let sizes: Vec<usize> = (0..folds).map(size).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
    }
}
