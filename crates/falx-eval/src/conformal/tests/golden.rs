//! Against MAPIE, and the papers' formulas in `NumPy`.

use std::path::Path;

use serde_json::Value;

use super::super::*;
use crate::{Estimate, Outcomes, Resampling};

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/conformal.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(of: &Value) -> Vec<f64> {
    let values = of.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn bools(of: &Value) -> Vec<bool> {
    numbers(of).into_iter().map(|v| v == 1.0).collect()
}

fn clusters(of: &Value) -> Vec<u32> {
    numbers(of).into_iter().map(|v| v as u32).collect()
}

fn near(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    let room = 1e-12 * expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= room,
        "{found} is not {expected}"
    );
}

#[test]
fn with_one_case_a_patient_the_sets_are_those_of_mapie() {
    let golden = golden();
    let cases = golden["single"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let (truth, prediction) = (bools(&case["truth"]), numbers(&case["prediction"]));
        let cluster: Vec<u32> = (0..truth.len() as u32).collect();
        let outcomes = Outcomes::new(&truth, &prediction, &cluster).unwrap();
        for clustering in [
            Clustering::Pooled,
            Clustering::Cases,
            Clustering::SubsampledOnce { seed: 3 },
        ] {
            let options = ConformalOptions {
                alpha: case["alpha"].as_f64().unwrap(),
                condition: Condition::Marginal,
                clustering,
            };
            let model = fit(&outcomes, &options).unwrap();
            let expected = case["marginal"].as_array().unwrap();
            for (&p, expected) in numbers(&case["judged"]).iter().zip(expected) {
                let expected = bools(expected);
                let set = PredictionSet::new(expected[0], expected[1]);
                assert_eq!(model.set(p), set, "{p} under {options:?}");
            }
        }
    }
}

#[test]
fn quantiles_and_controlled_thresholds_of_clustered_cases_follow_their_formulas() {
    let golden = golden();
    let cases = golden["clustered"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let (truth, prediction) = (bools(&case["truth"]), numbers(&case["prediction"]));
        let cluster = clusters(&case["cluster"]);
        let outcomes = Outcomes::new(&truth, &prediction, &cluster).unwrap();
        let alpha = case["alpha"].as_f64().unwrap();
        let quantiles = |condition| {
            let options = ConformalOptions {
                alpha,
                condition,
                clustering: Clustering::Pooled,
            };
            fit(&outcomes, &options).unwrap().quantiles
        };
        let same = |found: Option<f64>, expected: &Value| match found {
            Some(found) => near(found, expected),
            None => assert!(expected.is_null(), "no quantile, but {expected}"),
        };
        let by_class = quantiles(Condition::ByClass);
        same(by_class.no, &case["no"]);
        same(by_class.yes, &case["yes"]);
        same(quantiles(Condition::Marginal).yes, &case["marginal"]);

        let control = Detections::of_cases(&outcomes)
            .unwrap()
            .control(alpha)
            .unwrap();
        same(control.threshold, &case["control"]["threshold"]);
        near(control.risk, &case["control"]["risk"]);
        assert!(control.threshold.is_none() || control.bound <= alpha + 1e-12);
    }
}

#[test]
fn areas_under_risk_and_coverage_follow_their_formula_with_and_without_ties() {
    let golden = golden();
    let cases = golden["selective"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (truth, prediction) = (bools(&case["truth"]), numbers(&case["prediction"]));
        // Ties of p and 1 - p are ties only to the last digit; the script rounds them likewise.
        let likelier: Vec<f64> = prediction
            .iter()
            .map(|&p| (p.max(1.0 - p) * 1e12).round() / 1e12)
            .collect();
        let cluster = clusters(&case["cluster"]);
        let resampling = Resampling::new(1 + *cluster.iter().max().unwrap() as usize, 20, 5);
        for (name, loss) in [
            ("error", SelectiveLoss::Error),
            ("log_loss", SelectiveLoss::LogLoss),
        ] {
            let losses: Vec<f64> = truth
                .iter()
                .zip(&prediction)
                .map(|(&truth, &p)| match loss {
                    SelectiveLoss::Error => f64::from(u8::from((p >= 0.5) != truth)),
                    SelectiveLoss::LogLoss => crate::log_loss(truth, p),
                })
                .collect();
            let found = selective_risk_of(&likelier, &losses, &cluster, loss, &resampling);
            let expected = &case[name];
            let value = |e: Option<Estimate>| e.unwrap().value;
            near(value(found.full_risk), &expected["full_risk"]);
            near(value(found.area), &expected["area"]);
            near(value(found.oracle_area), &expected["oracle_area"]);
            for (at, expected) in found.at.iter().zip(expected["at"].as_array().unwrap()) {
                near(value(at.risk), expected);
            }
            let excess = value(found.area) - value(found.oracle_area);
            assert!((value(found.excess_area) - excess).abs() < 1e-15 && excess >= -1e-12);
        }
    }
}
