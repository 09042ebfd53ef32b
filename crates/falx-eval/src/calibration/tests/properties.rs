//! What must hold for any input, and what simulation must show.

use proptest::prelude::*;

use super::{Sample, near, right, sigmoid};
use crate::Resampling;
use crate::calibration::*;
use crate::log_loss;
use crate::score::brier;

fn cases() -> impl Strategy<Value = Sample> {
    // A coarse grid makes ties common.
    prop::collection::vec((any::<bool>(), 0..=30_u32, 0..12_u32), 2..150).prop_map(|cases| Sample {
        truth: cases.iter().map(|c| c.0).collect(),
        prediction: cases.iter().map(|c| f64::from(c.1) / 30.0).collect(),
        cluster: cases.iter().map(|c| c.2).collect(),
    })
}

proptest! {
    #[test]
    fn briers_parts_add_up(sample in cases(), bins in 1..20_usize) {
        for binning in [Binning::EqualMass(bins), Binning::EqualWidth(bins)] {
            let b = brier(&sample.outcomes(), binning).unwrap();
            let sum = b.reliability - b.resolution + b.uncertainty + b.within_bin_variance - b.within_bin_covariance;
            prop_assert!((sum - b.score).abs() < 1e-12);
        }
    }

    #[test]
    fn isotonic_curves_rise_and_keep_the_mean(sample in cases()) {
        if let Ok(curve) = Isotonic::fit(&sample.outcomes()) {
            let mut before = 0.0;
            for i in 0..=1000 {
                let value = curve.apply(f64::from(i) / 1000.0);
                prop_assert!(value >= before && value <= 1.0);
                before = value;
            }
            let fitted: f64 = sample.prediction.iter().map(|&p| curve.apply(p)).sum();
            let positives = sample.outcomes().positives() as f64;
            prop_assert!((fitted - positives).abs() < 1e-9);
        }
    }

    #[test]
    fn no_fitted_curve_is_worse_than_none_where_it_was_fitted(sample in cases()) {
        let sample = sample.mapped(|p| p.clamp(0.01, 0.99));
        let loss = |map: &dyn Fn(f64) -> f64| -> f64 {
            sample.outcomes().iter().map(|(y, p, _)| log_loss(y, map(p))).sum()
        };
        let none = loss(&|p| p);
        if let Ok(curve) = Temperature::fit(&sample.outcomes()) {
            prop_assert!(loss(&|p| curve.apply(p)) <= none + 1e-9);
        }
        if let Ok(curve) = Platt::fit(&sample.outcomes(), PlattTargets::Observed) {
            prop_assert!(loss(&|p| curve.apply(p)) <= none + 1e-9);
        }
        if let Ok(curve) = Beta::fit(&sample.outcomes()) {
            prop_assert!(curve.a >= 0.0 && curve.b >= 0.0);
            prop_assert!(loss(&|p| curve.apply(p)) <= none + 1e-9);
        }
        if let Ok(curve) = Isotonic::fit(&sample.outcomes()) {
            prop_assert!(loss(&|p| curve.apply(p)) <= none + 1e-9);
        }
    }

    #[test]
    fn a_prior_shift_is_undone_by_its_inverse(p in 0.0..=1.0_f64, from in 0.001..0.999_f64, to in 0.001..0.999_f64) {
        let shift = PriorShift::new(from, to).unwrap();
        // Where the odds move far, digits of the smaller probability are lost on the way.
        let odds = (to / (1.0 - to)) / (from / (1.0 - from));
        let tolerance = 1e-12 + 1e-15 * odds.max(1.0 / odds);
        prop_assert!((shift.inverse().apply(shift.apply(p)) - p).abs() < tolerance);
        prop_assert!((known_prior(p, from, from).unwrap() - p).abs() < 1e-15);
        // The prior itself is what a prediction without knowledge becomes.
        prop_assert!((known_prior(from, from, to).unwrap() - to).abs() < 1e-12);
    }

    #[test]
    fn curves_without_effect_change_nothing(p in 1e-14..=(1.0 - 1e-14)) {
        let line = Platt { slope: 1.0, intercept: 0.0 };
        let beta = Beta { a: 1.0, b: 1.0, c: 0.0 };
        let temperature = Temperature { temperature: 1.0 };
        for value in [line.apply(p), beta.apply(p), temperature.apply(p)] {
            prop_assert!((value - p).abs() <= 1e-14);
        }
    }

    #[test]
    fn curves_travel_as_json(sample in cases()) {
        for method in Method::ALL {
            if let Ok(curve) = method.fit(&sample.outcomes()) {
                let text = serde_json::to_string(&curve).unwrap();
                let back: Recalibrator = serde_json::from_str(&text).unwrap();
                for i in 0..=20 {
                    let p = f64::from(i) / 20.0;
                    prop_assert!((back.apply(p) - curve.apply(p)).abs() < 1e-12);
                }
            }
        }
    }
}

#[test]
fn right_predictions_have_a_slope_of_one_as_often_as_the_interval_says() {
    const DRAWS: u32 = 1000;
    let mut covered = [0_u32; 3];
    for draw in 0..DRAWS {
        let sample = right(u64::from(draw), 100, 0.5);
        let line = slope(&sample.outcomes()).unwrap();
        let large = in_the_large(&sample.outcomes()).unwrap();
        let found = [(line.slope, 1.0), (line.intercept, 0.0), (large, 0.0)];
        for (count, (estimate, truth)) in covered.iter_mut().zip(found) {
            let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
            *count += u32::from(low <= truth && truth <= high);
        }
    }
    // 95 % of 1,000, give or take three standard deviations of the count.
    for count in covered {
        assert!((929..=971).contains(&count), "{covered:?} of {DRAWS}");
    }
}

#[test]
fn bands_hold_right_predictions_with_and_without_clusters() {
    for (shared, most) in [(0.0, 0.985), (0.6, 0.985)] {
        let (mut inside, mut bins) = (0_u32, 0_u32);
        for draw in 0..300 {
            let sample = right(1000 + draw, 150, shared);
            let resampling = Resampling::new(150, 0, 1);
            for bin in reliability(&sample.outcomes(), Binning::default(), &resampling) {
                bins += 1;
                let seen = bin.observed.value;
                inside += u32::from(seen >= bin.consistency_low && seen <= bin.consistency_high);
            }
        }
        let share = f64::from(inside) / f64::from(bins);
        assert!(share >= 0.935 && share <= most, "{share} for {shared}");
    }
}

#[test]
fn the_debiased_error_of_right_predictions_is_nearer_to_nothing() {
    let (mut plain, mut debiased) = (0.0, 0.0);
    for draw in 0..200 {
        let sample = right(5000 + draw, 60, 0.3);
        let errors = expected_errors(&sample.outcomes(), Binning::default()).unwrap();
        plain += errors.expected_error / 200.0;
        debiased += errors.expected_error_debiased.unwrap() / 200.0;
    }
    // Theory: the plain error is .798 deviations, one step of debiasing leaves .467, and a little more for being at least 0.
    assert!(
        plain > 0.03 && debiased < 0.65 * plain,
        "{plain} and {debiased}"
    );
}

#[test]
fn recalibration_repairs_other_patients() {
    let wrong = |p: f64| sigmoid(0.5 + 2.0 * logit(p));
    let (development, test) = (
        right(11, 1500, 0.3).mapped(wrong),
        right(12, 1500, 0.3).mapped(wrong),
    );
    let found = recalibrate(&development.outcomes(), &test.outcomes()).unwrap();
    let crossed = recalibrate_cross_fitted(&test.outcomes(), 5, 1).unwrap();
    assert!(!found.few && !crossed.few);
    for all in [&found, &crossed] {
        let before = all.before;
        assert!(before.slope.unwrap().value < 0.6);
        for row in &all.methods {
            let after = row.after.unwrap();
            assert!(after.log_loss < before.log_loss, "{}", row.method);
            if row.method == Method::Platt || row.method == Method::Beta {
                near(after.slope.unwrap().value, 1.0, 0.15);
                assert!(after.expected_error < 0.5 * before.expected_error);
            }
        }
    }
    assert_eq!(
        crossed,
        recalibrate_cross_fitted(&test.outcomes(), 5, 1).unwrap()
    );
    assert_ne!(
        crossed,
        recalibrate_cross_fitted(&test.outcomes(), 5, 2).unwrap()
    );
}

#[test]
fn a_shifted_prior_is_found_again() {
    // Right predictions for one prevalence, of cases from which half of the positives are left out.
    let sample = right(13, 4000, 0.0);
    let old = sample.prediction.iter().sum::<f64>() / sample.prediction.len() as f64;
    let mut kept = Vec::new();
    let (mut positives, mut turn) = (0.0, 0_u32);
    for (positive, p, _) in sample.outcomes().iter() {
        turn += u32::from(positive);
        if !positive || turn % 2 == 0 {
            positives += f64::from(u8::from(positive));
            kept.push(p);
        }
    }
    let new = positives / kept.len() as f64;
    let found = estimate_prior(&kept, old).unwrap();
    // Three standard errors, which are .008 here.
    near(found.prior, new, 0.025);
    assert!(old - new > 0.08 && found.p_value < 1e-6);
}
