use serde_json::json;

use super::numpy::compare;
use super::*;

#[test]
fn made_slices_have_the_data_sets_prevalence_and_scores_that_know_something() {
    let cases = scored(made(40_000, 1), 1);
    let (numbers, patients) = number(&cases);
    assert_eq!((numbers.len(), patients), (40_000, 1000));
    let evaluation = falx_eval::evaluate(
        &cases,
        &EvaluateOptions {
            replicates: 0,
            ..EvaluateOptions::default()
        },
        &Silent,
    )
    .unwrap();
    let any = &evaluation.labels[5];
    let share = any.positives as f64 / any.known as f64;
    assert!((share - 0.1434).abs() < 0.02, "{share}");
    let area = any.auc.as_ref().unwrap().value;
    assert!((0.9..0.96).contains(&area), "{area}");
}

#[test]
fn scores_that_differ_are_no_benchmark() {
    let ours =
        json!({ "weighted_log_loss": { "value": 0.5 }, "labels": [{ "auc": { "value": 0.75 } }] });
    let peer = |area: f64| json!({ "weighted_log_loss": 0.5, "labels": [[0.1, 0.1, area, 0.1]] });
    assert_eq!(compare(&ours, &peer(0.75)).unwrap(), (2, 0.0));
    let failed = compare(&ours, &peer(0.7501)).unwrap_err();
    assert!(
        failed
            .to_string()
            .starts_with("auc of epidural is 0.75 by falx and 0.7501 by the peer")
    );
}
