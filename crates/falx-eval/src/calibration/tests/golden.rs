//! scikit-learn, statsmodels, scipy and the papers' formulas, through `golden/make_calibration.py`.

use std::path::Path;

use serde_json::Value;

use super::{Sample, near};
use crate::calibration::*;
use crate::score::brier;
use crate::{Estimate, Resampling};

const EXACT: f64 = 1e-12;
/// What iterations in two programs leave between them.
const FITTED: f64 = 1e-9;

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn sample(case: &Value) -> Sample {
    Sample {
        truth: numbers(&case["truth"]).iter().map(|&y| y == 1.0).collect(),
        prediction: numbers(&case["prediction"]),
        cluster: numbers(&case["patient"])
            .iter()
            .map(|&c| c as u32)
            .collect(),
    }
}

fn cases() -> (Value, Vec<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/calibration.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(golden["cases"].as_array().unwrap().len(), 6);
    let grid = numbers(&golden["grid"]);
    (golden["cases"].clone(), grid)
}

fn same(estimate: Estimate, expected: &Value) {
    let expected = numbers(expected);
    near(estimate.value, expected[0], FITTED);
    near(estimate.low.unwrap(), expected[1], FITTED);
    near(estimate.high.unwrap(), expected[2], FITTED);
}

#[test]
fn briers_parts_agree() {
    for case in cases().0.as_array().unwrap() {
        let sample = sample(case);
        let found = brier(&sample.outcomes(), Binning::default()).unwrap();
        let found = serde_json::to_value(found).unwrap();
        for (part, expected) in case["brier"].as_object().unwrap() {
            near(
                found[part].as_f64().unwrap(),
                expected.as_f64().unwrap(),
                EXACT,
            );
        }
    }
}

#[test]
fn bins_and_errors_agree() {
    for case in cases().0.as_array().unwrap() {
        let sample = sample(case);
        let outcomes = sample.outcomes();
        let resampling = Resampling::new(outcomes.clusters(), 20, 1);
        let bins = reliability(&outcomes, Binning::default(), &resampling);
        let expected = case["equal_mass"].as_array().unwrap();
        assert_eq!(bins.len(), expected.len());
        for (bin, expected) in bins.iter().zip(expected) {
            let of = |key: &str| expected[key].as_f64().unwrap();
            assert_eq!(bin.count as f64, of("count"));
            near(bin.predicted, of("predicted"), EXACT);
            near(bin.observed.value, of("observed"), EXACT);
            let inside = |p: &f64| *p >= bin.low && *p <= bin.high;
            let members: Vec<f64> = sample.prediction.iter().copied().filter(inside).collect();
            let (low, high) = consistency(&members, 1.0).unwrap();
            let band = numbers(&expected["band"]);
            near(low, band[0], EXACT);
            near(high, band[1], EXACT);
            // Patients widen the band, never narrow it.
            assert!(bin.consistency_low <= low + EXACT && bin.consistency_high >= high - EXACT);
        }
        let uniform = reliability(&outcomes, Binning::EqualWidth(7), &resampling);
        let (observed, predicted) = (&case["uniform"]["observed"], &case["uniform"]["predicted"]);
        assert_eq!(uniform.len(), numbers(observed).len());
        for ((bin, y), p) in uniform
            .iter()
            .zip(numbers(observed))
            .zip(numbers(predicted))
        {
            near(bin.observed.value, y, EXACT);
            near(bin.predicted, p, EXACT);
        }
        let errors = expected_errors(&outcomes, Binning::default()).unwrap();
        let errors = serde_json::to_value(errors).unwrap();
        for (name, expected) in case["errors"].as_object().unwrap() {
            near(
                errors[name].as_f64().unwrap(),
                expected.as_f64().unwrap(),
                EXACT,
            );
        }
    }
}

#[test]
fn slopes_and_their_clustered_intervals_agree() {
    for case in cases().0.as_array().unwrap() {
        let sample = sample(case);
        let line = slope(&sample.outcomes()).unwrap();
        same(line.slope, &case["slope"]);
        same(line.intercept, &case["intercept"]);
        assert_eq!(line.clipped, 0);
        same(
            in_the_large(&sample.outcomes()).unwrap(),
            &case["in_the_large"],
        );
    }
}

#[test]
fn curves_agree() {
    let (cases, grid) = cases();
    for case in cases.as_array().unwrap() {
        let sample = sample(case);
        let outcomes = sample.outcomes();
        let number = |path: &str| case.pointer(path).unwrap().as_f64().unwrap();
        let temperature = Temperature::fit(&outcomes).unwrap().temperature;
        near(temperature, number("/temperature"), FITTED);
        for (targets, name) in [
            (PlattTargets::Smoothed, "platt_smoothed"),
            (PlattTargets::Observed, "platt_observed"),
        ] {
            let line = Platt::fit(&outcomes, targets).unwrap();
            near(line.slope, number(&format!("/{name}/slope")), FITTED);
            near(
                line.intercept,
                number(&format!("/{name}/intercept")),
                FITTED,
            );
        }
        let beta = Beta::fit(&outcomes).unwrap();
        near(beta.a, number("/beta/a"), FITTED);
        near(beta.b, number("/beta/b"), FITTED);
        near(beta.c, number("/beta/c"), FITTED);
        let isotonic = Isotonic::fit(&outcomes).unwrap();
        for (&p, expected) in grid.iter().zip(numbers(&case["isotonic"])) {
            near(isotonic.apply(p), expected, EXACT);
        }
    }
}

#[test]
fn the_prior_is_where_the_em_algorithm_ends() {
    for case in cases().0.as_array().unwrap() {
        let em = &case["em"];
        let of = |key: &str| em[key].as_f64().unwrap();
        let found = estimate_prior(&numbers(&case["prediction"]), of("old")).unwrap();
        near(found.prior, of("prior"), FITTED);
        near(found.likelihood_ratio, of("likelihood_ratio"), FITTED);
        near(found.p_value, of("p_value"), FITTED);
    }
}
