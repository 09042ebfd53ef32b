//! ROC curves at fixed specificities.

use serde_json::Value;

use crate::operating::{RocBandPoint, roc_band};
use crate::{Outcomes, Resampling};

fn band(
    truth: &[bool],
    score: &[f64],
    patient: &[u32],
    at: &[f64],
    replicates: u32,
) -> Vec<RocBandPoint> {
    let outcomes = Outcomes::new(truth, score, patient).unwrap();
    let resampling = Resampling::new(outcomes.clusters(), replicates, 3);
    roc_band(&outcomes, at, &resampling)
}

fn values(band: &[RocBandPoint]) -> Vec<f64> {
    band.iter().map(|p| p.sensitivity.value).collect()
}

#[test]
fn proc_agrees_on_sensitivities_and_on_their_intervals() {
    let golden: Value = serde_json::from_str(include_str!("../../../golden/proc.json")).unwrap();
    let list = |of: &Value| -> Vec<f64> {
        let numbers = of.as_array().unwrap().iter();
        numbers.map(|x| x.as_f64().unwrap()).collect()
    };
    let truth: Vec<bool> = list(&golden["truth"]).iter().map(|t| *t > 0.5).collect();
    let own: Vec<u32> = (0..truth.len() as u32).collect();
    for name in ["s100b", "wfns", "ndka"] {
        let theirs = &golden[format!("{name}_band").as_str()];
        let score = list(&golden[name]["score"]);
        let found = band(&truth, &score, &own, &list(&theirs["specificity"]), 20_000);
        for (i, p) in found.iter().enumerate() {
            let near = |a: f64, of: &str, within: f64| {
                let b = list(&theirs[of])[i];
                assert!(
                    (a - b).abs() < within,
                    "{name} at {}: {of} {a}, {b}",
                    p.specificity
                );
            };
            near(p.sensitivity.value, "sensitivity", 1e-12);
            // Both are draws, and 41 positives give shares in steps of about 0.013: an end may lie on the next one.
            near(p.sensitivity.low.unwrap(), "low", 0.016);
            near(p.sensitivity.high.unwrap(), "high", 0.016);
        }
    }
}

#[test]
fn a_curve_is_read_as_it_is_drawn() {
    // From the top: +, -, + and - tied, -, +: corners (0, 0), (0, 1/3), (1/3, 1/3), (2/3, 2/3), (1, 2/3), (1, 1).
    let truth = [true, false, true, false, false, true];
    let score = [0.9, 0.8, 0.5, 0.5, 0.3, 0.1];
    let own = [0, 1, 2, 3, 4, 5];
    let at = [1.0, 0.9, 2.0 / 3.0, 0.5, 1.0 / 3.0, 0.1, 0.0];
    let third = 1.0 / 3.0;
    let expected = [third, third, third, 0.5, 2.0 * third, 2.0 * third, 1.0];
    let found = values(&band(&truth, &score, &own, &at, 0));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-9, "{found:?}");
    }
    assert_eq!(found.len(), at.len());
}

#[test]
fn the_upper_end_of_a_vertical_piece_counts_whatever_rounding_does() {
    // A specificity of 1 - i / 10 means i false alarms of 10, though 0.1 * 3 is no number of the machine's.
    let truth: Vec<bool> = (0..20).map(|i| i % 2 == 1).collect();
    let score: Vec<f64> = (0..20).map(|i| -f64::from(i)).collect();
    let own: Vec<u32> = (0..20).collect();
    let at: Vec<f64> = (0..=10).map(|i| 1.0 - f64::from(i) / 10.0).collect();
    let found = values(&band(&truth, &score, &own, &at, 0));
    for (i, value) in found.iter().enumerate() {
        assert!((value - i as f64 / 10.0).abs() < 1e-9, "{found:?}");
    }
}

#[test]
fn without_two_classes_there_is_no_band_and_with_one_patient_no_interval() {
    let score = [0.9, 0.4, 0.6, 0.1];
    let of = |truth: [bool; 4], patient: [u32; 4]| band(&truth, &score, &patient, &[0.9, 0.5], 50);
    assert!(of([false; 4], [0, 1, 2, 3]).is_empty());
    assert!(of([true; 4], [0, 1, 2, 3]).is_empty());
    let single = of([true, true, false, false], [0, 0, 1, 2]);
    assert_eq!(single.len(), 2);
    assert!(single.iter().all(|p| p.sensitivity.low.is_none()));
    let spread = of([true, true, false, false], [0, 3, 1, 2]);
    assert!(spread.iter().all(|p| p.sensitivity.low.is_some()));
}

#[test]
fn slices_of_a_patient_stay_together() {
    // Eight copies of each case: as one patient's slices they say no more than one case does.
    let (mut truth, mut score) = (Vec::new(), Vec::new());
    for i in 0..40_u32 {
        truth.push(i % 3 == 0);
        score.push(f64::from((i * 29) % 41) + if i % 3 == 0 { 9.0 } else { 0.0 });
    }
    let copied = |times: usize| -> (Vec<bool>, Vec<f64>, Vec<u32>) {
        let at = |i: usize| i / times;
        let n = truth.len() * times;
        (
            (0..n).map(|i| truth[at(i)]).collect(),
            (0..n).map(|i| score[at(i)]).collect(),
            (0..n).map(|i| at(i) as u32).collect(),
        )
    };
    let of = |times| {
        let (truth, score, patient) = copied(times);
        band(&truth, &score, &patient, &[0.9, 0.7, 0.4], 500)
    };
    for (one, eight) in of(1).iter().zip(of(8)) {
        let ends = |p: &RocBandPoint| [p.sensitivity.low.unwrap(), p.sensitivity.high.unwrap()];
        for (a, b) in ends(one).into_iter().zip(ends(&eight)) {
            assert!((a - b).abs() < 1e-9, "{one:?} {eight:?}");
        }
    }
}
