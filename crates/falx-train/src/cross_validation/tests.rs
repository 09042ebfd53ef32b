use super::result::{FoldResult, OutOfFold, Spread};
use super::*;

#[test]
fn folds_are_all_or_named_once_in_order() {
    assert_eq!("all".parse(), Ok(Folds::All));
    assert_eq!("3,0, 1,0".parse(), Ok(Folds::Some([0, 1, 3].into())));
    for wrong in ["", "some", "0,,1", "-1", "0;1"] {
        assert!(wrong.parse::<Folds>().is_err(), "{wrong}");
    }
}

#[test]
fn a_spread_is_the_mean_and_deviation_of_a_sample() {
    let spread = Spread::of(&[1.0, 2.0, 6.0]);
    assert!((spread.mean - 3.0).abs() < 1e-12);
    assert!((spread.standard_deviation - 7.0_f64.sqrt()).abs() < 1e-12);
}

#[test]
fn what_is_out_of_fold_counts_slices_not_folds() {
    let fold = |slices, loss| FoldResult {
        fold: 0,
        epoch: Some(1),
        averaged: None,
        epochs: 1,
        weighted_log_loss: loss,
        prevalence_baseline: 2.0 * loss,
        training_slices: 1,
        training_patients: 1,
        validation_slices: slices,
        validation_patients: 2,
    };
    let whole = OutOfFold::of(&[fold(30, 0.1), fold(10, 0.5)]);
    assert_eq!((whole.slices, whole.patients), (40, 4));
    assert!((whole.weighted_log_loss - 0.2).abs() < 1e-12);
    assert!((whole.prevalence_baseline - 0.4).abs() < 1e-12);
}
