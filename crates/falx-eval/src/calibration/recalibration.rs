//! What recalibration gains, judged on patients on whom it was not fitted.

use falx_core::random;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FitError;
use super::bins::{Binning, cells_of};
use super::expected::of_cells;
use super::fit_error::check_probabilities;
use super::recalibrator::{Method, Recalibrator};
use super::slope::{in_the_large_of, logits, slope_of};
use crate::score::squared_error;
use crate::{Estimate, Outcomes, log_loss};

/// Below so many patients with a positive or with a negative case a fitted curve is an indication, and isotonic regression is not
/// fitted.
pub const FEW_PATIENTS: u64 = 10;

/// How good probabilities are, as calibration sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// Cases judged.
    pub cases: u64,
    /// The mean log loss.
    pub log_loss: f64,
    /// The Brier score.
    pub brier: f64,
    /// The calibration slope; `None` where it has none.
    pub slope: Option<Estimate>,
    /// The intercept beside that slope.
    pub intercept: Option<Estimate>,
    /// Calibration in the large.
    pub in_the_large: Option<Estimate>,
    /// The expected calibration error over ten bins of equal size.
    pub expected_error: f64,
    /// The same with part of what chance adds taken off.
    pub expected_error_debiased: Option<f64>,
}

/// The quality of outcomes' predictions.
///
/// # Errors
/// [`FitError`] without cases or where a prediction is no probability.
pub fn quality(outcomes: &Outcomes) -> Result<Quality, FitError> {
    check_probabilities(outcomes.prediction())?;
    let n = outcomes.len() as f64;
    let mean = |loss: fn(bool, f64) -> f64| {
        let cases = outcomes.iter().map(|(positive, p, _)| loss(positive, p));
        cases.sum::<f64>() / n
    };
    let positives = outcomes.positives();
    let both = positives > 0 && positives < outcomes.len() as u64;
    let (line, in_the_large) = if both {
        let logits = logits(outcomes);
        (
            slope_of(outcomes, &logits, [0.0, 1.0]).ok(),
            in_the_large_of(outcomes, &logits).ok(),
        )
    } else {
        (None, None)
    };
    let errors = of_cells(&cells_of(outcomes, Binning::default()));
    Ok(Quality {
        cases: outcomes.len() as u64,
        log_loss: mean(log_loss),
        brier: mean(squared_error),
        slope: line.map(|l| l.slope),
        intercept: line.map(|l| l.intercept),
        in_the_large,
        expected_error: errors.expected_error,
        expected_error_debiased: errors.expected_error_debiased,
    })
}

/// On whom recalibration was fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FittedOn {
    /// A development set of other patients.
    DevelopmentSet {
        /// Its cases.
        cases: u64,
        /// Its patients with a positive case.
        positive_patients: u64,
        /// Its patients with a negative case.
        negative_patients: u64,
    },
    /// The judged patients in turn: each fold is judged with what the others gave.
    CrossFitted {
        /// How many folds of patients.
        folds: u32,
        /// Patients with a positive case in all folds together.
        positive_patients: u64,
        /// Patients with a negative case in all folds together.
        negative_patients: u64,
    },
}

/// One method's curve and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recalibration {
    /// The method.
    pub method: Method,
    /// The curve: the development set's, or where cross-fitted that of all cases (whose quality no number here judges; `after` does so
    /// for curves like it). `None` where it could not be fitted.
    pub recalibrator: Option<Recalibrator>,
    /// The quality of the repaired predictions on the judged cases; `None` where a curve could not be fitted.
    pub after: Option<Quality>,
    /// Why there is no curve, or no fold's curve.
    pub undefined: Option<FitError>,
}

/// What every method does for one label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recalibrations {
    /// On whom the curves were fitted.
    pub fitted_on: FittedOn,
    /// True with fewer than ten patients with a positive or with a negative case to fit on: an indication, not a measurement.
    pub few: bool,
    /// The quality of the predictions as they are, on the judged cases.
    pub before: Quality,
    /// One row a method, from the fewest parameters to the most.
    pub methods: Vec<Recalibration>,
}

/// Patients with a positive, and with a negative case.
fn class_patients(outcomes: &Outcomes) -> (u64, u64) {
    let mut seen = vec![[false; 2]; outcomes.clusters()];
    for (positive, _, cluster) in outcomes.iter() {
        if let Some(classes) = seen.get_mut(cluster as usize) {
            classes[usize::from(positive)] = true;
        }
    }
    let count = |class: usize| seen.iter().filter(|classes| classes[class]).count() as u64;
    (count(1), count(0))
}

/// Fits, unless the curve is too free for the patients.
fn fit(
    method: Method,
    outcomes: &Outcomes,
    near: Option<&Recalibrator>,
) -> Result<Recalibrator, FitError> {
    let (positive, negative) = class_patients(outcomes);
    if method == Method::Isotonic && positive.min(negative) < FEW_PATIENTS {
        return Err(FitError::TooFewPatients { positive, negative });
    }
    method.fit_near(outcomes, near)
}

/// The quality after predictions were replaced.
fn after(outcomes: &Outcomes, prediction: &[f64]) -> Result<Quality, FitError> {
    let replaced = Outcomes::new(outcomes.truth(), prediction, outcomes.cluster());
    quality(&replaced.map_err(|_| FitError::NotConverged)?)
}

/// Fits every method on the development set and judges it on the test set, whose patients must be others.
///
/// # Errors
/// [`FitError`] where the test set is empty or holds a prediction that is no probability. A method that cannot be fitted says so
/// in its row.
pub fn recalibrate(development: &Outcomes, test: &Outcomes) -> Result<Recalibrations, FitError> {
    let before = quality(test)?;
    let (positive_patients, negative_patients) = class_patients(development);
    let methods = Method::ALL.map(|method| {
        let fitted = fit(method, development, None);
        let judged = fitted.as_ref().map_err(|e| *e).and_then(|curve| {
            let repaired: Vec<f64> = test.prediction().iter().map(|&p| curve.apply(p)).collect();
            after(test, &repaired)
        });
        Recalibration {
            method,
            undefined: judged.err(),
            recalibrator: fitted.ok(),
            after: judged.ok(),
        }
    });
    Ok(Recalibrations {
        fitted_on: FittedOn::DevelopmentSet {
            cases: development.len() as u64,
            positive_patients,
            negative_patients,
        },
        few: positive_patients.min(negative_patients) < FEW_PATIENTS,
        before,
        methods: methods.into(),
    })
}

/// The fold of every cluster: those that occur are dealt in the order of a random number drawn from their own number.
fn folds_of(outcomes: &Outcomes, folds: u32, seed: u64) -> Vec<u32> {
    let mut fold = vec![u32::MAX; outcomes.clusters()];
    for &cluster in outcomes.cluster() {
        if let Some(fold) = fold.get_mut(cluster as usize) {
            *fold = 0;
        }
    }
    let mut dealt: Vec<(u64, u32)> = (0..)
        .zip(&fold)
        .filter(|(_, fold)| **fold == 0)
        .map(|(cluster, _)| {
            let mut rng = random::stream(seed, "recalibration folds", &[u64::from(cluster)]);
            (rng.random(), cluster)
        })
        .collect();
    dealt.sort_unstable();
    for (turn, (_, cluster)) in (0..folds).cycle().zip(dealt) {
        if let Some(fold) = fold.get_mut(cluster as usize) {
            *fold = turn;
        }
    }
    fold
}

/// The cases whose cluster is not in a fold.
struct Others {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    cluster: Vec<u32>,
}

impl Others {
    fn new(outcomes: &Outcomes, keep: impl Fn(u32) -> bool) -> Self {
        let mut others = Self {
            truth: Vec::with_capacity(outcomes.len()),
            prediction: Vec::with_capacity(outcomes.len()),
            cluster: Vec::with_capacity(outcomes.len()),
        };
        for (truth, prediction, cluster) in outcomes.iter().filter(|(_, _, c)| keep(*c)) {
            others.truth.push(truth);
            others.prediction.push(prediction);
            others.cluster.push(cluster);
        }
        others
    }

    fn outcomes(&self) -> Result<Outcomes<'_>, FitError> {
        Outcomes::new(&self.truth, &self.prediction, &self.cluster)
            .map_err(|_| FitError::NotConverged)
    }
}

/// Judges every method without a development set: patients are dealt into folds, and each fold is judged with the curve that the
/// others gave. Which fold a patient is in depends on the seed and the patients alone.
///
/// # Errors
/// [`FitError`] as for [`recalibrate`].
pub fn recalibrate_cross_fitted(
    outcomes: &Outcomes,
    folds: u32,
    seed: u64,
) -> Result<Recalibrations, FitError> {
    let before = quality(outcomes)?;
    let folds = folds.max(2);
    let fold = folds_of(outcomes, folds, seed);
    let fold_of = |cluster: u32| fold.get(cluster as usize).copied().unwrap_or(u32::MAX);
    let curves = Method::ALL.map(|method| fit(method, outcomes, None));
    let mut repaired = Method::ALL.map(|_| Ok(vec![0.0; outcomes.len()]));
    for this in 0..folds {
        let others = Others::new(outcomes, |cluster| fold_of(cluster) != this);
        let others = others.outcomes()?;
        if others.len() == outcomes.len() {
            continue;
        }
        for ((method, repaired), near) in Method::ALL.into_iter().zip(&mut repaired).zip(&curves) {
            let Ok(values) = repaired else { continue };
            match fit(method, &others, near.as_ref().ok()) {
                Err(error) => *repaired = Err(error),
                Ok(curve) => {
                    for (value, (_, p, cluster)) in values.iter_mut().zip(outcomes.iter()) {
                        if fold_of(cluster) == this {
                            *value = curve.apply(p);
                        }
                    }
                }
            }
        }
    }
    let (positive_patients, negative_patients) = class_patients(outcomes);
    let methods = Method::ALL.into_iter().zip(curves).zip(repaired);
    let methods = methods.map(|((method, curve), repaired)| {
        let judged = repaired.and_then(|values| after(outcomes, &values));
        Recalibration {
            method,
            undefined: curve
                .as_ref()
                .err()
                .copied()
                .or(judged.as_ref().err().copied()),
            recalibrator: curve.ok(),
            after: judged.ok(),
        }
    });
    Ok(Recalibrations {
        fitted_on: FittedOn::CrossFitted {
            folds,
            positive_patients,
            negative_patients,
        },
        few: positive_patients.min(negative_patients) < FEW_PATIENTS,
        before,
        methods: methods.collect(),
    })
}
