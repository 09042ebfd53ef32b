//! Inputs that have no answer, or nearly none.

use super::{Sample, near, right};
use crate::calibration::*;
use crate::score::brier;
use crate::{Calibration, Outcomes, Resampling, Undefined};

fn sample(cases: &[(bool, f64)]) -> Sample {
    Sample {
        truth: cases.iter().map(|c| c.0).collect(),
        prediction: cases.iter().map(|c| c.1).collect(),
        cluster: (0..).zip(cases).map(|(i, _)| i).collect(),
    }
}

fn errors(cases: &[(bool, f64)]) -> [Option<FitError>; 5] {
    let sample = sample(cases);
    let outcomes = sample.outcomes();
    [
        slope(&outcomes).err(),
        Temperature::fit(&outcomes).err(),
        Platt::fit(&outcomes, PlattTargets::Observed).err(),
        Beta::fit(&outcomes).err(),
        Isotonic::fit(&outcomes).err(),
    ]
}

#[test]
fn a_missing_class_is_named() {
    assert_eq!(errors(&[]), [Some(FitError::NoCases); 5]);
    let one = [(true, 0.4), (true, 0.7)];
    assert_eq!(errors(&one), [Some(FitError::NoNegatives); 5]);
    let one = [(false, 0.4), (false, 0.7)];
    assert_eq!(errors(&one), [Some(FitError::NoPositives); 5]);
    let none = Outcomes::new(&[], &[], &[]).unwrap();
    assert_eq!(brier(&none, Binning::default()), Err(Undefined::NoCases));
    assert_eq!(
        expected_errors(&none, Binning::default()),
        Err(Undefined::NoCases)
    );
}

#[test]
fn logits_are_no_probabilities() {
    let found = errors(&[(true, 0.4), (false, -1.5), (true, 2.0)]);
    let expected = FitError::NotProbability {
        case: 1,
        value: -1.5,
    };
    assert_eq!(found, [Some(expected); 5]);
}

#[test]
fn constant_and_separating_predictions_are_named() {
    let constant = [(true, 0.3), (false, 0.3), (true, 0.3)];
    let [line, _, platt, beta, isotonic] = errors(&constant);
    assert_eq!([line, platt, beta], [Some(FitError::TooFewValues); 3]);
    assert_eq!(isotonic, None);
    // A temperature has one parameter: it can move even a constant, here past 0.5 and so the wrong way.
    let apart = [(false, 0.1), (false, 0.2), (true, 0.8), (true, 0.9)];
    let found = errors(&apart);
    assert_eq!(found[..4], [Some(FitError::Separated); 4]);
    assert_eq!(found[4], None);
    // Touching classes are separated too: the steeper the better.
    let touching = [(false, 0.1), (false, 0.4), (true, 0.4), (true, 0.9)];
    assert_eq!(errors(&touching)[0], Some(FitError::Separated));
    let smoothed = Platt::fit(&sample(&apart).outcomes(), PlattTargets::Smoothed).unwrap();
    assert!(smoothed.slope > 0.0 && smoothed.slope.is_finite());
}

#[test]
fn predictions_that_point_the_wrong_way_are_refused_or_flattened() {
    let good = right(3, 60, 0.0);
    let turned = good.mapped(|p| 1.0 - p);
    let outcomes = turned.outcomes();
    assert!(slope(&outcomes).unwrap().slope.value < 0.0);
    assert_eq!(
        Platt::fit(&outcomes, PlattTargets::Smoothed),
        Err(FitError::Reversed)
    );
    let beta = Beta::fit(&outcomes).unwrap();
    let prevalence = outcomes.positives() as f64 / outcomes.len() as f64;
    assert!(beta.a == 0.0 && beta.b == 0.0);
    near(beta.apply(0.2), prevalence, 1e-12);
    let isotonic = Isotonic::fit(&outcomes).unwrap();
    assert!(isotonic.values.windows(2).all(|pair| pair[0] <= pair[1]));
}

#[test]
fn saturated_predictions_are_counted_and_everything_stays_finite() {
    let mut saturated = right(4, 40, 0.3).mapped(|p| if p < 0.1 { 0.0 } else { p });
    saturated.prediction[7] = 1.0;
    let outcomes = saturated.outcomes();
    let zeros = saturated.prediction.iter().filter(|p| **p == 0.0).count() as u64;
    let line = slope(&outcomes).unwrap();
    assert_eq!(line.clipped, zeros + 1);
    assert!(line.slope.value > 0.0 && line.slope.low.is_some());
    for method in Method::ALL {
        let curve = method.fit(&outcomes).unwrap();
        for p in [0.0, 1e-300, 0.5, 1.0 - 1e-16, 1.0] {
            assert!((0.0..=1.0).contains(&curve.apply(p)), "{method} at {p}");
        }
    }
}

#[test]
fn one_patient_gives_values_without_intervals() {
    let mut one = right(5, 20, 0.0);
    one.cluster.fill(3);
    let line = slope(&one.outcomes()).unwrap();
    assert!(line.slope.low.is_none() && line.slope.high.is_none());
    let errors = expected_errors(&one.outcomes(), Binning::default()).unwrap();
    assert!(errors.expected_error > 0.0 && errors.expected_error_debiased.is_none());
}

#[test]
fn few_patients_get_no_isotonic_curve() {
    let few = right(6, 9, 0.0);
    let many = right(7, 50, 0.0);
    let found = recalibrate(&few.outcomes(), &many.outcomes()).unwrap();
    assert!(found.few);
    for row in &found.methods {
        let refused = matches!(row.undefined, Some(FitError::TooFewPatients { .. }));
        assert_eq!(refused, row.method == Method::Isotonic, "{}", row.method);
        assert_eq!(row.after.is_none(), refused);
    }
}

#[test]
fn priors_at_the_edge_are_typed() {
    assert_eq!(estimate_prior(&[], 0.2), Err(PriorError::NoCases));
    assert_eq!(estimate_prior(&[0.2; 9], 0.2), Err(PriorError::Flat));
    assert_eq!(
        estimate_prior(&[0.1, 0.15, 0.12], 0.2),
        Err(PriorError::Edge { prior: 0.0 })
    );
    assert_eq!(
        estimate_prior(&[0.9, 0.8], 0.2),
        Err(PriorError::Edge { prior: 1.0 })
    );
    for value in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(matches!(
            estimate_prior(&[0.1], value),
            Err(PriorError::Prior { .. })
        ));
        assert!(PriorShift::new(0.5, value).is_err());
    }
    assert!(known_prior(1.2, 0.1, 0.2).is_err());
    let sure = estimate_prior(&[0.0, 0.0, 0.0, 1.0], 0.5).unwrap();
    near(sure.prior, 0.25, 1e-12);
}

#[test]
fn a_summary_without_cases_is_empty() {
    let none = Outcomes::new(&[], &[], &[]).unwrap();
    let resampling = Resampling::new(0, 10, 1);
    assert_eq!(summary(&none, &resampling), Calibration::default());
}
