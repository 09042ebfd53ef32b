use falx_core::{LabelRow, TargetRow};
use serde_json::Value;

use super::*;

fn rows(case: &Value, key: &str) -> Option<Vec<Vec<f64>>> {
    let rows = case.get(key)?.as_array()?;
    let row = |row: &Value| {
        row.as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect()
    };
    Some(rows.iter().map(row).collect())
}

fn targets(case: &Value) -> Targets {
    let labels = rows(case, "labels").unwrap();
    let mask = rows(case, "mask");
    let weights = case.get("sample_weights").and_then(Value::as_array);
    Targets {
        labels: (0..labels.len())
            .map(|n| {
                let known = |c: usize| mask.as_ref().is_none_or(|mask| mask[n][c] == 1.0);
                TargetRow(std::array::from_fn(|c| {
                    known(c).then(|| Probability::new(labels[n][c]).unwrap())
                }))
            })
            .collect(),
        weights: weights.map_or(Vec::new(), |w| {
            w.iter().map(|x| x.as_f64().unwrap() as f32).collect()
        }),
    }
}

fn assert_reference(case: &Value) {
    let logits = rows(case, "logits").unwrap();
    let shape = [logits.len(), 6];
    let logits = Tensor::new(&shape, logits.concat().iter().map(|&x| x as f32).collect()).unwrap();
    let ours = WeightedLogLoss::default()
        .evaluate(&logits, &targets(case))
        .unwrap();
    let value = case["value"].as_f64().unwrap();
    assert!(
        (ours.value - value).abs() <= 1e-6 * value.max(1.0),
        "{}: {} {value}",
        case["name"],
        ours.value
    );
    let gradient = rows(case, "gradient").unwrap().concat();
    for (ours, theirs) in ours.gradient.data.iter().zip(gradient) {
        assert!(
            (f64::from(*ours) - theirs).abs() < 1e-7,
            "{}: {ours} {theirs}",
            case["name"]
        );
    }
}

/// All cases of the reference that this loss defines: without focal factors, smoothing or another reduction.
#[test]
fn value_and_gradient_are_the_references() {
    let Some(path) = falx_fixtures::shared("reference/loss/loss.json") else {
        return;
    };
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut judged = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let other = ["gamma", "alpha", "smoothing", "reduce"]
            .iter()
            .any(|key| case.get(key).is_some());
        if other || !["wll", "general"].contains(&case["function"].as_str().unwrap()) {
            continue;
        }
        assert_reference(case);
        judged.push(case["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(judged.len(), 9, "{judged:?}");
}

/// Shares between 0 and 1, with unknown labels and sample weights: PyTorch's values (golden/make_soft_loss.py).
#[test]
fn soft_targets_have_the_value_and_the_gradient_of_pytorch() {
    let file: Value = serde_json::from_str(include_str!("../../golden/soft_loss.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        assert_reference(case);
    }
}

#[test]
fn a_soft_target_costs_least_where_it_is_met() {
    let share = Probability::new(0.3).unwrap();
    let targets = Targets {
        labels: vec![TargetRow([Some(share); 6])],
        weights: Vec::new(),
    };
    let at = |probability: f64| {
        let logit = (probability / (1.0 - probability)).ln() as f32;
        WeightedLogLoss::default()
            .evaluate(&Tensor::filled(&[1, 6], logit), &targets)
            .unwrap()
    };
    let met = at(0.3);
    assert!(met.gradient.data.iter().all(|slope| slope.abs() < 1e-7));
    // The entropy of the share.
    let entropy = -(0.3_f64 * 0.3_f64.ln() + 0.7 * 0.7_f64.ln());
    assert!((met.value - entropy).abs() < 1e-7);
    assert!(at(0.2).value > met.value && at(0.4).value > met.value);
}

#[test]
fn nothing_known_costs_nothing() {
    let logits = Tensor::filled(&[1, 6], 3.0);
    let output = WeightedLogLoss::default()
        .evaluate(&logits, &Targets::new(vec![LabelRow::default()]))
        .unwrap();
    assert_eq!((output.value, output.gradient.data), (0.0, vec![0.0; 6]));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let loss = WeightedLogLoss::default();
    let logits = Tensor::filled(&[2, 6], 0.0);
    let mut targets = Targets::new(vec![LabelRow::default()]);
    assert!(matches!(
        loss.evaluate(&logits, &targets),
        Err(LossError::Shape { .. })
    ));
    targets.labels.push(TargetRow::default());
    targets.weights = vec![1.0];
    assert!(matches!(
        loss.evaluate(&logits, &targets),
        Err(LossError::Weights { .. })
    ));
    targets.weights = vec![1.0, -1.0];
    assert!(matches!(
        loss.evaluate(&logits, &targets),
        Err(LossError::WeightValue(_))
    ));
}
