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

/// The loss that a case of the reference or of our golden file is of.
fn config(case: &Value) -> LossConfig {
    let number = |key: &str| case.get(key).and_then(Value::as_f64).map(|x| x as f32);
    let mut config = LossConfig {
        smoothing: number("smoothing").unwrap_or(0.0),
        gamma: number("gamma"),
        alpha: number("alpha"),
        gamma_positive: number("gamma_positive"),
        gamma_negative: number("gamma_negative"),
        margin: number("margin"),
        ..LossConfig::default()
    };
    if config.gamma.is_some() {
        config.name = LossName::Focal;
    } else if config.gamma_positive.is_some() {
        config.name = LossName::Asymmetric;
    }
    config.reduction = match case.get("reduce").and_then(Value::as_str) {
        None | Some("samples") => Reduction::Samples,
        Some("global") => Reduction::Global,
        Some("batch") => Reduction::Batch,
        other => panic!("{other:?}"),
    };
    config
}

/// The largest distance of a case's gradient from the reference's.
fn assert_reference(case: &Value) -> f64 {
    let is_probability = case["function"] == "clipped";
    let key = if is_probability {
        "probabilities"
    } else {
        "logits"
    };
    let given = rows(case, key).unwrap().concat();
    let shape = [given.len() / 6, 6];
    let values: Vec<f32> = given.iter().map(|&x| x as f32).collect();
    let (values, targets) = (Tensor::new(&shape, values).unwrap(), targets(case));
    let ours = if is_probability {
        clipped_log_loss(&values, &targets)
    } else {
        config(case).loss().unwrap().evaluate(&values, &targets)
    };
    let ours = ours.unwrap();
    let (name, value) = (
        case["name"].as_str().unwrap(),
        case["value"].as_f64().unwrap(),
    );
    assert!(
        (ours.value - value).abs() <= 1e-6 * value.max(1.0),
        "{name}: {} {value}",
        ours.value
    );
    let gradient = rows(case, "gradient").unwrap().concat();
    let scale = gradient.iter().map(|x| x.abs()).fold(1.0, f64::max);
    // Single precision holds nothing between .99999994 and 1, where the clip already acts.
    let held =
        |&(at, _): &(usize, _)| given[at] == 1.0 || (given[at] as f32) < 1.0 || !is_probability;
    let pairs = ours.gradient.data.iter().zip(gradient).enumerate();
    let distances = pairs
        .filter(held)
        .map(|(_, (ours, theirs))| (f64::from(*ours) - theirs).abs());
    let distance = distances.fold(0.0, f64::max);
    // A probability has fewer digits in single precision than its logit.
    let tolerance = if is_probability { 1e-6 } else { 1e-7 };
    assert!(distance < tolerance * scale, "{name}: {distance}");
    distance
}

/// All cases of the reference but the metric from logits, which is falx-eval's: value, and gradient by what goes in.
#[test]
fn value_and_gradient_are_the_references() {
    let Some(path) = falx_fixtures::shared("reference/loss/loss.json") else {
        return;
    };
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let ours = |case: &&Value| case["function"] != "clipped_sigmoid";
    let mut judged = 0;
    for case in cases.iter().filter(ours) {
        let distance = assert_reference(case);
        println!("{:<28} {distance:.1e}", case["name"].as_str().unwrap());
        judged += 1;
    }
    assert_eq!((judged, cases.len()), (19, 22));
}

/// Shares between 0 and 1, with unknown labels and sample weights: PyTorch's values (golden/make_soft_loss.py).
#[test]
fn soft_targets_have_the_value_and_the_gradient_of_pytorch() {
    let file: Value = serde_json::from_str(include_str!("../../golden/soft_loss.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
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
        Loss::default()
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
    let output = Loss::default()
        .evaluate(&logits, &Targets::new(vec![LabelRow::default()]))
        .unwrap();
    assert_eq!((output.value, output.gradient.data), (0.0, vec![0.0; 6]));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let loss = Loss::default();
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

/// Every loss's derivative is the slope of its value, also where a probability is all but 0 or 1.
#[test]
fn derivatives_are_slopes() {
    let config = |name| LossConfig {
        name,
        ..LossConfig::default()
    };
    let mut configs = vec![config(LossName::LogLoss), config(LossName::Focal)];
    for gamma in [0.0, 0.5, 1.0, 2.0] {
        configs.push(LossConfig {
            gamma: Some(gamma),
            alpha: Some(0.25),
            ..config(LossName::Focal)
        });
        for margin in [0.0, 0.05] {
            configs.push(LossConfig {
                gamma_positive: Some(gamma),
                gamma_negative: Some(gamma + 1.0),
                margin: Some(margin),
                smoothing: 0.1,
                ..config(LossName::Asymmetric)
            });
        }
    }
    for config in configs {
        let loss = config.loss().unwrap();
        for y in [0.0, 0.3, 1.0] {
            for logit in [-30.0, -4.0, -0.7, 0.0, 0.9, 5.0, 30.0] {
                let at = |z: f64| loss.element.of(z, y).0;
                let (value, slope) = loss.element.of(logit, y);
                let numeric = (at(logit + 1e-5) - at(logit - 1e-5)) / 2e-5;
                assert!(value.is_finite() && value >= 0.0, "{config:?} {y} {logit}");
                let distance = (slope - numeric).abs();
                assert!(
                    distance < 1e-6 * numeric.abs().max(1.0),
                    "{config:?} {y} {logit}: {slope} {numeric}"
                );
            }
        }
    }
}

#[test]
fn a_loss_without_sense_is_refused() {
    let refused = |text: &str| {
        let config: LossConfig = serde_json::from_str(text).unwrap();
        config.loss().unwrap_err().to_string()
    };
    assert!(refused(r#"{"gamma": 2}"#).contains("name the loss `focal`"));
    assert!(refused(r#"{"name": "focal", "margin": 0.1}"#).contains("asymmetric"));
    assert!(refused(r#"{"name": "focal", "gamma": -1}"#).contains("from 0 up"));
    assert!(refused(r#"{"smoothing": 1}"#).contains("below 1"));
    assert!(refused(r#"{"label_weights": [0, 0, 0, 0, 0, 0]}"#).contains("not all of them 0"));
    assert!(serde_json::from_str::<LossConfig>(r#"{"gama": 2}"#).is_err());
    let alpha: LossConfig = serde_json::from_str(r#"{"name": "focal", "alpha": 1}"#).unwrap();
    assert!(alpha.loss().is_ok());
}

/// Slices of a study come as N x T x 6.
#[test]
fn slices_of_studies_are_rows() {
    let flat = Tensor::new(&[4, 6], (0..24).map(|x| x as f32 / 9.0 - 1.0).collect()).unwrap();
    let mut studies = flat.clone();
    studies.shape = vec![2, 2, 6];
    let mut targets = Targets::new(vec![LabelRow([Some(true); 6]); 4]);
    targets.labels[3] = TargetRow::default();
    let loss = Loss::default();
    let (a, b) = (
        loss.evaluate(&flat, &targets).unwrap(),
        loss.evaluate(&studies, &targets).unwrap(),
    );
    assert_eq!((a.value, a.gradient.data), (b.value, b.gradient.data));
    assert_eq!(b.gradient.shape, [2, 2, 6]);
}
