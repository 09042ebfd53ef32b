use serde_json::Value;

use super::*;

fn list(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn of(truth: &[bool], score: &[f64], range: RocRange) -> PartialArea {
    let own: Vec<u32> = (0..truth.len() as u32).collect();
    partial_auc(&Outcomes::new(truth, score, &own).unwrap(), range).unwrap()
}

#[test]
fn partial_areas_agree_with_scikit_learn() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../golden/intervals.json")).unwrap();
    let mut checked = 0;
    for case in golden["partial"].as_array().unwrap() {
        let truth: Vec<bool> = list(&case["truth"]).iter().map(|&t| t == 1.0).collect();
        let score = list(&case["score"]);
        for (key, range) in [
            (
                "false_positive",
                RocRange::Specificity as fn(f64) -> RocRange,
            ),
            ("false_negative", RocRange::Sensitivity),
        ] {
            for row in case[key].as_array().unwrap() {
                let [width, theirs] = list(row)[..] else {
                    panic!("{row}")
                };
                let ours = of(&truth, &score, range(1.0 - width)).standardised;
                assert!(
                    (ours - theirs).abs() < 1e-12,
                    "{key} {width}: {ours} {theirs}"
                );
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 20);
}

#[test]
fn partial_areas_agree_with_proc() {
    let golden: Value = serde_json::from_str(include_str!("../../../golden/proc.json")).unwrap();
    let truth: Vec<bool> = list(&golden["truth"]).iter().map(|&t| t == 1.0).collect();
    for name in ["s100b", "wfns", "ndka"] {
        let theirs = &golden[name];
        let score = list(&theirs["score"]);
        for (key, range) in [
            ("partial_specificity", RocRange::Specificity(0.9)),
            ("partial_sensitivity", RocRange::Sensitivity(0.9)),
        ] {
            let ours = of(&truth, &score, range);
            let theirs = theirs[key].as_array().unwrap();
            assert!((ours.area - theirs[0].as_f64().unwrap()).abs() < 1e-12);
            // Below the diagonal pROC gives no corrected area.
            match theirs[1].as_f64() {
                Some(theirs) => assert!((ours.standardised - theirs).abs() < 1e-12),
                None => assert!(ours.standardised < 0.5),
            }
        }
    }
}

#[test]
fn the_whole_range_is_the_whole_area() {
    let truth = [true, false, true, false, true, false];
    let score = [0.9, 0.9, 0.4, 0.4, 0.7, 0.1];
    let whole = crate::auc(&truth, &score).unwrap();
    for range in [RocRange::Specificity(0.0), RocRange::Sensitivity(0.0)] {
        let found = of(&truth, &score, range);
        assert!((found.area - whole).abs() < 1e-15);
        assert!((found.standardised - whole).abs() < 1e-15);
    }
}

#[test]
fn no_range_and_no_class_have_reasons() {
    let outcomes = |truth| Outcomes::new(truth, &[0.1, 0.2], &[0, 1]).unwrap();
    for bound in [1.0, -0.1, f64::NAN] {
        let found = partial_auc(&outcomes(&[true, false]), RocRange::Sensitivity(bound));
        assert!(matches!(found, Err(PartialAreaError::Bound(_))));
    }
    let found = partial_auc(&outcomes(&[false; 2]), RocRange::Specificity(0.9));
    assert_eq!(
        found,
        Err(PartialAreaError::Undefined(Undefined::NoPositives))
    );
}
