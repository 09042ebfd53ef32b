//! What must hold for any input.

use falx_core::{ImageId, Prediction};
use proptest::prelude::*;

use super::{p, row};
use crate::kaggle::{read, write_submission};
use crate::predictions::{read_csv, write_csv};
use crate::*;

fn scored() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
    // A coarse grid makes ties common.
    prop::collection::vec((any::<bool>(), 0..12_u32), 1..80)
        .prop_map(|v| v.into_iter().map(|(y, s)| (y, f64::from(s) / 11.0)).unzip())
}

fn many() -> impl Strategy<Value = Vec<Prediction>> {
    let one = prop::array::uniform6(0.0..=1.0_f64);
    prop::collection::vec(one, 0..20).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(i, row)| Prediction {
                image_id: ImageId(format!("ID_{i:x}")),
                probabilities: row.map(p),
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn the_area_equals_the_counted_pairs((truth, score) in scored()) {
        let mut won = 0.0;
        let mut pairs = 0.0;
        for (i, &a) in truth.iter().enumerate() {
            for (j, &b) in truth.iter().enumerate() {
                if a && !b {
                    pairs += 1.0;
                    won += if score[i] > score[j] { 1.0 } else if score[i] == score[j] { 0.5 } else { 0.0 };
                }
            }
        }
        if let Ok(area) = auc(&truth, &score) {
            prop_assert!((area - won / pairs).abs() < 1e-12);
        } else {
            prop_assert_eq!(pairs, 0.0);
        }
    }

    #[test]
    fn turning_scores_or_classes_round_mirrors_the_area((truth, score) in scored()) {
        let turned: Vec<f64> = score.iter().map(|s| -s).collect();
        let swapped: Vec<bool> = truth.iter().map(|y| !y).collect();
        if let Ok(area) = auc(&truth, &score) {
            prop_assert!((auc(&truth, &turned).unwrap() - (1.0 - area)).abs() < 1e-12);
            prop_assert!((auc(&swapped, &score).unwrap() - (1.0 - area)).abs() < 1e-12);
            prop_assert!((auc(&swapped, &turned).unwrap() - area).abs() < 1e-12);
        }
    }

    #[test]
    fn the_loss_is_finite_and_least_for_the_truth(bits in prop::array::uniform6(0..2_u8), q in prop::array::uniform6(0.0..=1.0_f64)) {
        let truth = [row(bits)];
        let perfect = bits.map(|b| p(f64::from(b)));
        let loss = weighted_log_loss(&truth, &[q.map(p)]).unwrap();
        prop_assert!(loss.is_finite() && loss <= 34.6);
        prop_assert!(weighted_log_loss(&truth, &[perfect]).unwrap() <= loss + 1e-15);
        let turned = weighted_log_loss(&[row(bits.map(|b| 1 - b))], &[q.map(|x| p(1.0 - x))]).unwrap();
        prop_assert!((turned - loss).abs() < 1e-6 * loss.max(1.0) || loss > 20.0);
    }

    #[test]
    fn no_constant_beats_the_prevalence((truth, _) in scored(), constant in 0.0..=1.0_f64) {
        let share = truth.iter().filter(|y| **y).count() as f64 / truth.len() as f64;
        let of = |q: f64| label_log_loss(&truth, &vec![q; truth.len()]).unwrap();
        prop_assert!(of(share) <= of(constant) + 1e-12);
    }

    #[test]
    fn files_come_back_exactly(predictions in many()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.csv");
        write_csv(&predictions, &path).unwrap();
        if !predictions.is_empty() {
            prop_assert_eq!(&read_csv(&path).unwrap(), &predictions);
        }
        write_submission(&predictions, None, &path).unwrap();
        if !predictions.is_empty() {
            prop_assert_eq!(&read(&path).unwrap(), &predictions);
        }
    }
}
