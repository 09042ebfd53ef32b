//! Confusions, thresholds and decision curves: by hand, against other software, and what must always hold.

mod band;
mod folds;
mod properties;

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::{Outcomes, Resampling};

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/operating.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(of: &Value) -> Vec<f64> {
    let values = of.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn bits(of: &Value) -> Vec<bool> {
    numbers(of).into_iter().map(|v| v == 1.0).collect()
}

fn near(a: f64, b: f64, what: &str) {
    assert!(
        (a - b).abs() <= 1e-12 * b.abs().max(1.0),
        "{what}: {a} is not {b}"
    );
}

/// Each case a patient of its own.
fn alone(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}

fn resampling(clusters: usize) -> Resampling {
    Resampling::new(clusters, 200, 3)
}

fn name(measure: Measure) -> String {
    serde_json::to_value(measure)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn scikit_learn_agrees_on_confusions() {
    let golden = golden();
    let cases = golden["confusions"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let (truth, score) = (bits(&case["truth"]), numbers(&case["score"]));
        let cluster = alone(truth.len());
        let outcomes = Outcomes::new(&truth, &score, &cluster).unwrap();
        let threshold = case["threshold"].as_f64().unwrap();
        let c = Confusion::at(&outcomes, threshold);
        let counts = [
            c.true_positives,
            c.false_positives,
            c.true_negatives,
            c.false_negatives,
        ];
        assert_eq!(counts.map(|n| n as f64).to_vec(), numbers(&case["counts"]));
        for measure in MEASURES {
            let name = name(measure);
            near(
                c.measure(measure).unwrap(),
                case[&name].as_f64().unwrap(),
                &name,
            );
        }
        let test = CountsByCluster::at(&outcomes, threshold);
        let judged = &performances(&[test], &resampling(truth.len()))[0];
        let sensitivity = judged.sensitivity.unwrap();
        let wilson = numbers(&case["wilson_sensitivity"]);
        near(sensitivity.low.unwrap(), wilson[0], "Wilson's lower end");
        near(sensitivity.high.unwrap(), wilson[1], "Wilson's upper end");
        assert!(judged.undefined.is_empty());
    }
}

#[test]
fn scikit_learns_roc_curve_gives_the_same_thresholds() {
    let golden = golden();
    let case = &golden["thresholds"];
    let (truth, score) = (bits(&case["truth"]), numbers(&case["score"]));
    let cluster = alone(truth.len());
    let outcomes = Outcomes::new(&truth, &score, &cluster).unwrap();
    let cost = |prevalence| Rule::Cost {
        missed: 20.0,
        prevalence,
    };
    for (name, rule) in [
        ("sensitivity_90", Rule::Sensitivity { at_least: 0.9 }),
        ("sensitivity_95", Rule::Sensitivity { at_least: 0.95 }),
        ("specificity_90", Rule::Specificity { at_least: 0.9 }),
        ("youden", Rule::Youden),
        ("cost_20", cost(None)),
        ("cost_20_at_2_percent", cost(Some(0.02))),
        ("alarms_10", Rule::AlarmBudget { at_most: 0.1 }),
    ] {
        assert_eq!(
            rule.choose(&outcomes),
            Ok(case[name].as_f64().unwrap()),
            "{name}"
        );
    }
}

#[test]
fn dcurves_agrees_on_decision_curves() {
    let golden = golden();
    let case = &golden["decision"];
    let (truth, score) = (bits(&case["truth"]), numbers(&case["score"]));
    let cluster = alone(truth.len());
    let outcomes = Outcomes::new(&truth, &score, &cluster).unwrap();
    let curves = case["curves"].as_array().unwrap();
    assert_eq!(curves.len(), 2);
    for expected in curves {
        let prevalence = expected["prevalence"].as_f64();
        let draws = resampling(truth.len());
        let curve = decision_curve(&outcomes, &thresholds(), prevalence, &draws).unwrap();
        assert_eq!(curve.points.len(), 99);
        let model = numbers(&expected["model"]);
        let (all, spared) = (
            numbers(&expected["all"]),
            numbers(&expected["spared_per_100"]),
        );
        for (i, point) in curve.points.iter().enumerate() {
            near(point.net_benefit.value, model[i], "net benefit");
            near(point.treat_all, all[i], "treat all");
            near(point.spared_per_100, spared[i], "spared");
            near(
                point.standardised.unwrap(),
                model[i] / curve.prevalence,
                "standardised",
            );
            let (low, high) = (
                point.net_benefit.low.unwrap(),
                point.net_benefit.high.unwrap(),
            );
            assert!(low <= point.net_benefit.value && point.net_benefit.value <= high);
        }
    }
}

#[test]
fn ratios_without_bounds_have_a_reason_and_no_number() {
    let c = Confusion {
        true_positives: 5,
        false_positives: 0,
        true_negatives: 7,
        false_negatives: 0,
    };
    let measure = |m| c.measure(m);
    assert_eq!(
        measure(Measure::PositiveLikelihoodRatio),
        Err(NoValue::NoFalseAlarms)
    );
    assert_eq!(measure(Measure::NegativeLikelihoodRatio), Ok(0.0));
    assert_eq!(
        measure(Measure::DiagnosticOddsRatio),
        Err(NoValue::NoFalseAlarms)
    );
    assert_eq!(measure(Measure::Matthews), Ok(1.0));
    let nothing = Confusion::default();
    for measure in MEASURES {
        assert!(nothing.measure(measure).is_err());
    }
    let none_called = Confusion {
        true_negatives: 3,
        false_negatives: 2,
        ..nothing
    };
    assert_eq!(
        none_called.measure(Measure::PositivePredictiveValue),
        Err(NoValue::NoneCalled)
    );
    assert_eq!(
        none_called.measure(Measure::Matthews),
        Err(NoValue::NoneCalled)
    );
    assert_eq!(none_called.measure(Measure::F1), Ok(0.0));
}

#[test]
fn predictive_values_move_with_prevalence_by_bayes() {
    let c = Confusion {
        true_positives: 90,
        false_positives: 20,
        true_negatives: 80,
        false_negatives: 10,
    };
    // At the test set's own prevalence: what was counted. At 1 %: .009 / (.009 + .198).
    let (positive, negative) = c.predictive_values_at(0.5);
    near(positive.unwrap(), 90.0 / 110.0, "own");
    near(negative.unwrap(), 80.0 / 90.0, "own");
    let (positive, negative) = c.predictive_values_at(0.01);
    near(positive.unwrap(), 0.009 / 0.207, "rare");
    near(negative.unwrap(), 0.792 / 0.793, "rare");
    assert_eq!(c.predictive_values_at(0.0).0, Ok(0.0));
}

/// Patients with a few cases each: (truth, prediction, cluster).
fn cohort(patients: u32, shift: f64) -> (Vec<bool>, Vec<f64>, Vec<u32>) {
    use rand::RngExt;
    let mut cases = (Vec::new(), Vec::new(), Vec::new());
    for patient in 0..patients {
        let mut rng = falx_core::random::stream(7, "cohort of points", &[u64::from(patient)]);
        let ill = rng.random::<f64>() < 0.3;
        let level: f64 = rng.random();
        for _ in 0..4 {
            let truth = ill && rng.random::<f64>() < 0.5;
            let signal = if truth { 0.35 } else { 0.0 };
            cases.0.push(truth);
            cases
                .1
                .push((0.3 * level + 0.35 * rng.random::<f64>() + signal + shift).clamp(0.0, 1.0));
            cases.2.push(patient);
        }
    }
    cases
}

#[test]
fn a_locked_threshold_comes_from_the_development_set_alone() {
    let (truth, score, cluster) = cohort(60, 0.0);
    let development = Outcomes::new(&truth, &score, &cluster).unwrap();
    let (other, higher, whose) = cohort(80, 0.1);
    let test = Outcomes::new(&other, &higher, &whose).unwrap();
    let locked = locked_points(&RULES, &development, &test, &resampling(80));
    assert_eq!(locked.points.len(), RULES.len());
    for point in &locked.points {
        assert_eq!(Ok(point.threshold), point.rule.choose(&development));
        assert_eq!(point.test.confusion, Confusion::at(&test, point.threshold));
        let on = point.development.as_ref().unwrap();
        assert_eq!(on.confusion, Confusion::at(&development, point.threshold));
        assert!(on.sensitivity.unwrap().low.is_none());
        let fixed = matches!(point.rule, Rule::Fixed { .. });
        assert_eq!(point.chosen_on == ChosenOn::Fixed, fixed);
        let sensitivity = point.test.sensitivity.unwrap();
        assert!(sensitivity.low.unwrap() <= sensitivity.value);
        assert!(sensitivity.value <= sensitivity.high.unwrap());
    }
    let at_90 = locked.of(&Rule::Sensitivity { at_least: 0.9 }).unwrap();
    assert!(
        at_90
            .development
            .as_ref()
            .unwrap()
            .sensitivity
            .unwrap()
            .value
            >= 0.9
    );
}

#[test]
fn rules_that_cannot_be_kept_say_why() {
    let cluster = alone(4);
    let score = [0.9, 0.9, 0.2, 0.1];
    let truth = [true, false, false, false];
    let mixed = Outcomes::new(&truth, &score, &cluster).unwrap();
    let choose = |rule: Rule, outcomes: &Outcomes| rule.choose(outcomes);
    assert_eq!(
        choose(Rule::Specificity { at_least: 0.9 }, &mixed),
        Err(NoThreshold::OutOfReach)
    );
    assert_eq!(
        choose(Rule::AlarmBudget { at_most: 0.25 }, &mixed),
        Err(NoThreshold::OutOfReach)
    );
    let negatives = Outcomes::new(&[false; 4], &score, &cluster).unwrap();
    assert_eq!(
        choose(Rule::Youden, &negatives),
        Err(NoThreshold::NoPositives)
    );
    assert_eq!(
        choose(Rule::AlarmBudget { at_most: 0.5 }, &negatives),
        Ok(0.9)
    );
    let nobody = Outcomes::new(&[], &[], &[]).unwrap();
    assert_eq!(choose(Rule::Youden, &nobody), Err(NoThreshold::NoCases));
    for wrong in [f64::NAN, -0.1, 1.1] {
        let rule = Rule::Sensitivity { at_least: wrong };
        assert!(matches!(
            rule.choose(&mixed),
            Err(NoThreshold::Number { .. })
        ));
    }
    let locked = cross_fitted_points(&[Rule::Youden], &mixed, 5, &resampling(4));
    assert!(matches!(
        locked.missing[0].reason,
        NoThreshold::Folds {
            patients: 4,
            folds: 5
        }
    ));
}

#[test]
fn all_found_is_no_certainty() {
    // Five patients with eight positive slices each, all found: over patients Clopper–Pearson's lower end is 47.8 %.
    let truth = [true; 40];
    let cluster: Vec<u32> = (0..40).map(|i| i / 8).collect();
    let outcomes = Outcomes::new(&truth, &[0.9; 40], &cluster).unwrap();
    let test = CountsByCluster::at(&outcomes, 0.5);
    let judged = &performances(&[test], &resampling(5))[0];
    let sensitivity = judged.sensitivity.unwrap();
    assert_eq!((sensitivity.value, sensitivity.high), (1.0, Some(1.0)));
    assert!((sensitivity.low.unwrap() - 0.025_f64.powf(0.2)).abs() < 1e-12);
    assert_eq!(judged.patients, 5);
}

#[test]
fn predictions_that_are_no_probabilities_have_no_decision_curve() {
    let cluster = alone(2);
    let logits = Outcomes::new(&[true, false], &[3.0, -1.0], &cluster).unwrap();
    let curve = |o: &Outcomes, at: &[f64]| decision_curve(o, at, None, &resampling(2));
    assert_eq!(
        curve(&logits, &[0.1]),
        Err(NoCurve::NoProbability { value: 3.0 })
    );
    let one = Outcomes::new(&[true, true], &[0.3, 0.1], &cluster).unwrap();
    assert_eq!(curve(&one, &[0.1]), Err(NoCurve::OneClass));
    let fine = Outcomes::new(&[true, false], &[0.3, 0.1], &cluster).unwrap();
    assert_eq!(curve(&fine, &[0.2, 0.1]), Err(NoCurve::Order));
    assert_eq!(
        curve(&fine, &[1.0]),
        Err(NoCurve::OutOfRange { value: 1.0 })
    );
}
