//! Values from outside: by hand, another library, the reference pack, and the competition's own counts.

use std::path::Path;

use falx_core::{LABELS, LabelRow, Probability};
use serde_json::Value;

use super::{p, row};
use crate::*;

fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

#[test]
fn the_weighted_loss_by_hand() {
    // One row: any right with .8 (weight 2), epidural wrong with .9, the other four right with .1 for "no".
    let truth = [row([1, 0, 0, 0, 0, 1])];
    let prediction = [[0.1, 0.1, 0.1, 0.1, 0.1, 0.8].map(p)];
    let by_hand = (-(0.1_f64.ln()) - 4.0 * 0.9_f64.ln() - 2.0 * 0.8_f64.ln()) / 7.0;
    near(
        weighted_log_loss(&truth, &prediction).unwrap(),
        by_hand,
        1e-15,
    );
}

#[test]
fn the_clip_bounds_the_worst_loss() {
    near(log_loss(true, 0.0), 34.538776394910684, 1e-12);
    near(log_loss(false, 1.0), 34.538776394910684, 0.05);
    assert!(log_loss(true, 1.0) < 1e-14);
}

#[test]
fn areas_by_hand() {
    // Pairs: .9 beats .8 and .3; .5 beats .3, loses to .8: three of four.
    let truth = [true, false, true, false];
    let score = [0.9, 0.8, 0.5, 0.3];
    assert_eq!(auc(&truth, &score), Ok(0.75));
    // Precision 1/1 at the first positive, 2/3 at the second.
    near(average_precision(&truth, &score).unwrap(), 5.0 / 6.0, 1e-15);
    assert_eq!(auc(&truth, &[0.5; 4]), Ok(0.5));
    assert_eq!(average_precision(&truth, &[0.5; 4]), Ok(0.5));
    assert_eq!(auc(&[true], &[0.5]), Err(Undefined::NoNegatives));
    assert_eq!(auc(&[false], &[0.5]), Err(Undefined::NoPositives));
    assert_eq!(auc(&[], &[]), Err(Undefined::NoCases));
    assert_eq!(average_precision(&[true], &[0.5]), Ok(1.0));
}

#[test]
fn scikit_learn_agrees() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/scores.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let numbers = |key: &str| -> Vec<f64> {
            let values = case[key].as_array().unwrap().iter();
            values.map(|v| v.as_f64().unwrap()).collect()
        };
        let truth: Vec<bool> = numbers("truth").into_iter().map(|v| v == 1.0).collect();
        let score = numbers("score");
        let expected = |key: &str| case[key].as_f64().unwrap();
        near(
            label_log_loss(&truth, &score).unwrap(),
            expected("log_loss"),
            1e-13,
        );
        near(auc(&truth, &score).unwrap(), expected("auc"), 1e-13);
        let ap = average_precision(&truth, &score).unwrap();
        near(ap, expected("average_precision"), 1e-13);
    }
}

#[test]
fn the_reference_losses_agree() {
    let Some(path) = falx_fixtures::shared("reference/loss/loss.json") else {
        return;
    };
    let reference: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let rows = |v: &Value| -> Vec<[f64; 6]> {
        let rows = v.as_array().unwrap().iter();
        rows.map(|r| std::array::from_fn(|i| r[i].as_f64().unwrap()))
            .collect()
    };
    let mut checked = 0;
    for case in reference["cases"].as_array().unwrap() {
        let masked = case["name"] == "mask_samples";
        let prediction: Vec<[Probability; 6]> = match case["function"].as_str().unwrap() {
            "clipped" => rows(&case["probabilities"])
                .iter()
                .map(|r| r.map(p))
                .collect(),
            "clipped_sigmoid" => sigmoid(&rows(&case["logits"])),
            _ if masked => sigmoid(&rows(&case["logits"])),
            _ => continue,
        };
        let mut truth: Vec<LabelRow> = rows(&case["labels"])
            .iter()
            .map(|r| LabelRow(r.map(|y| Some(y == 1.0))))
            .collect();
        if masked {
            for (row, mask) in truth.iter_mut().zip(rows(&case["mask"])) {
                for (value, known) in row.0.iter_mut().zip(mask) {
                    *value = value.filter(|_| known == 1.0);
                }
            }
        }
        let loss = weighted_log_loss(&truth, &prediction).unwrap();
        near(loss, case["value"].as_f64().unwrap(), 1e-9);
        checked += 1;
    }
    assert_eq!(checked, 6, "five clipped cases and the masked one");
}

fn sigmoid(logits: &[[f64; 6]]) -> Vec<[Probability; 6]> {
    logits
        .iter()
        .map(|r| r.map(Probability::from_logit))
        .collect()
}

#[test]
fn predicting_the_competitions_prevalence_scores_its_known_loss() {
    const SLICES: f64 = 752_803.0;
    const POSITIVES: [f64; 6] = [3145.0, 36118.0, 26205.0, 35675.0, 47166.0, 107_933.0];
    let constant = |prediction: &dyn Fn(f64) -> f64| -> f64 {
        LABELS
            .into_iter()
            .zip(POSITIVES)
            .map(|(label, positives)| {
                let q = prediction(positives / SLICES);
                let sum = positives * log_loss(true, q) + (SLICES - positives) * log_loss(false, q);
                label.loss_weight() * sum / SLICES
            })
            .sum()
    };
    near(constant(&|share| share), 0.2311, 5e-5);
    near(constant(&|_| 0.5), std::f64::consts::LN_2, 1e-12);
}
