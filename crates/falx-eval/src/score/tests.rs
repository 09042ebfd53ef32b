use super::*;
use crate::Outcomes;
use crate::calibration::Binning;

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-15, "{a} is not {b}");
}

#[test]
fn the_brier_score_by_hand() {
    // Errors .1, .2, .4, .3 squared: .01 + .04 + .16 + .09 = .30.
    let (truth, p) = ([true, true, false, false], [0.9, 0.8, 0.4, 0.3]);
    let outcomes = Outcomes::new(&truth, &p, &[0, 1, 2, 3]).unwrap();
    let found = brier(&outcomes, Binning::EqualMass(2)).unwrap();
    near(found.score, 0.075);
    near(found.uncertainty, 0.25);
    near(found.skill.unwrap(), 0.7);
    // Two bins: .35 against 0, .85 against 1.
    near(
        found.reliability,
        f64::midpoint(0.35_f64.powi(2), 0.15_f64.powi(2)),
    );
    near(found.resolution, 0.25);
    near(found.within_bin_variance, 0.0025);
    near(found.within_bin_covariance, 0.0);
    near(found.reliability_debiased.unwrap(), found.reliability);
}

#[test]
fn one_class_has_a_score_and_no_skill() {
    let outcomes = Outcomes::new(&[false], &[0.25], &[0]).unwrap();
    let found = brier(&outcomes, Binning::default()).unwrap();
    near(found.score, 0.0625);
    assert_eq!((found.skill, found.reliability_debiased), (None, None));
}
