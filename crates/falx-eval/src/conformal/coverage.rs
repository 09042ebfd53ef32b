//! Does the promise hold on patients that the sets were not computed from?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::split::{
    Condition, ConformalError, ConformalModel, ConformalOptions, PredictionSet, check,
    cross_fitted_sets, fit,
};
use super::{Share, covering, patient_folds};
use crate::{Estimate, Outcomes, Resampling};

/// How what was promised stands to what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// The interval holds the promised rate, or lies on its good side.
    Kept,
    /// The whole interval lies on the bad side of the promised rate.
    Broken,
    /// Nothing was promised for these cases.
    NotMade,
    /// There is no interval to judge by.
    Unknown,
}

impl Promise {
    /// Judges a rate that should be at least `promised`.
    pub(crate) fn at_least(promised: f64, found: Option<Estimate>) -> Self {
        match found.and_then(|f| f.high) {
            Some(high) if high < promised => Self::Broken,
            Some(_) => Self::Kept,
            None => Self::Unknown,
        }
    }

    /// Judges a rate that should be at most `promised`.
    pub(crate) fn at_most(promised: f64, found: Option<Estimate>) -> Self {
        match found.and_then(|f| f.low) {
            Some(low) if low > promised => Self::Broken,
            Some(_) => Self::Kept,
            None => Self::Unknown,
        }
    }
}

/// How often the sets of a group of cases hold the truth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Covered {
    /// Cases.
    pub cases: u64,
    /// Patients they belong to.
    pub patients: u64,
    /// The mean over patients of the share of their cases whose set holds the truth: what the promise is about.
    pub by_patient: Option<Estimate>,
    /// The share of the cases whose set holds the truth: patients with many slices count more, and nothing is promised.
    pub by_case: Option<Estimate>,
    /// Whether `by_patient` keeps what was promised.
    pub promise: Promise,
}

/// What prediction sets do on a set of cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The promised share of truths inside their sets, 1 − alpha.
    pub promised: f64,
    /// All cases.
    pub all: Covered,
    /// The positive cases.
    pub positives: Covered,
    /// The negative cases.
    pub negatives: Covered,
    /// The mean number of answers in a set; 1 is a plain answer for everyone.
    pub mean_size: Option<Estimate>,
    /// The share of cases without an answer: both answers in the set, or none.
    pub abstained: Option<Estimate>,
    /// The share of cases with both answers in the set.
    pub both: Option<Estimate>,
    /// The share of cases with neither answer in the set.
    pub neither: Option<Estimate>,
    /// The share of wrong answers among the cases with one answer; `None` where no case has one.
    pub answered_wrong: Option<Estimate>,
    /// What a reader must know, in words.
    pub notes: Vec<String>,
}

/// Prediction sets, judged on patients that they were not computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConformalEvaluation {
    /// The model of all cases that may be chosen on: what a bundle carries.
    pub model: ConformalModel,
    /// The number of folds where the sets were cross-fitted by patient, for want of a development set; each case was then
    /// judged with a model of other patients, and the model above is that of all of them.
    pub folds: Option<u32>,
    /// What the sets do.
    pub coverage: Coverage,
}

/// What sets do on these cases: coverage, size, abstention. Intervals resample patients.
///
/// # Shape
/// One set a case.
///
/// # Errors
/// [`ConformalError`] for no cases, unequal lengths, or a level outside (0, 1).
pub fn coverage(
    outcomes: &Outcomes<'_>,
    sets: &[PredictionSet],
    options: &ConformalOptions,
    resampling: &Resampling,
) -> Result<Coverage, ConformalError> {
    check(outcomes, options.alpha)?;
    if sets.len() != outcomes.len() {
        return Err(ConformalError::Lengths {
            cases: outcomes.len(),
            given: sets.len(),
            what: "prediction sets",
        });
    }
    let resampling = covering(resampling, outcomes);
    let share = |value: &dyn Fn(bool, PredictionSet) -> Option<f64>| {
        let cases = outcomes.iter().zip(sets);
        let known = cases.filter_map(|((truth, _, c), &set)| Some((c, value(truth, set)?, 1.0)));
        Share::of(resampling.clusters(), known)
    };
    let holds = |class: Option<bool>| {
        share(&|truth, set| {
            class
                .is_none_or(|class| class == truth)
                .then(|| f64::from(u8::from(set.contains(truth))))
        })
    };
    let flag = |is: bool| f64::from(u8::from(is));
    let covered = [holds(None), holds(Some(true)), holds(Some(false))];
    let mut shares: Vec<Share> = covered
        .iter()
        .flat_map(|s| [s.by_patient(), s.clone()])
        .collect();
    shares.extend([
        share(&|_, set| Some(f64::from(set.size()))),
        share(&|_, set| Some(flag(set.abstains()))),
        share(&|_, set| Some(flag(set == PredictionSet::Both))),
        share(&|_, set| Some(flag(set == PredictionSet::Neither))),
        share(&|truth, set| (!set.abstains()).then(|| flag(!set.contains(truth)))),
    ]);
    let found = Share::estimates(&shares, &resampling);
    let estimate = |i: usize| found.get(i).copied().flatten();
    let promised = 1.0 - options.alpha;
    let positives = outcomes.positives();
    let of = |i: usize, cases: u64, made: bool| {
        let by_patient = estimate(2 * i);
        Covered {
            cases,
            patients: covered.get(i).map_or(0, Share::patients),
            by_patient,
            by_case: estimate(2 * i + 1),
            promise: match (made, cases) {
                (true, 1..) => Promise::at_least(promised, by_patient),
                _ => Promise::NotMade,
            },
        }
    };
    let by_class = options.condition == Condition::ByClass;
    let mut coverage = Coverage {
        promised,
        all: of(0, outcomes.len() as u64, true),
        positives: of(1, positives, by_class),
        negatives: of(2, outcomes.len() as u64 - positives, by_class),
        mean_size: estimate(6),
        abstained: estimate(7),
        both: estimate(8),
        neither: estimate(9),
        answered_wrong: estimate(10),
        notes: Vec::new(),
    };
    // By class the promise holds for each class, and for all only where a patient's cases are of one class.
    if by_class {
        coverage.all.promise = Promise::NotMade;
    }
    coverage.notes = notes(&coverage);
    Ok(coverage)
}

fn notes(coverage: &Coverage) -> Vec<String> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let groups = [
        ("all cases", &coverage.all),
        ("positive cases", &coverage.positives),
        ("negative cases", &coverage.negatives),
    ];
    let broken = groups.iter().filter_map(|(name, covered)| {
        let found = covered.by_patient?;
        (covered.promise == Promise::Broken).then(|| {
            format!(
                "The sets of {name} hold the truth in {} (95 % interval up to {}), less than the promised {}: these \
                 patients are unlike those that the sets were computed from.",
                percent(found.value),
                percent(found.high.unwrap_or(found.value)),
                percent(coverage.promised)
            )
        })
    });
    let unsure = groups
        .iter()
        .filter(|(_, covered)| covered.promise == Promise::Unknown);
    let unsure = unsure.map(|(name, _)| {
        format!("There is no interval for the coverage of {name}: whether the promise holds cannot be said.")
    });
    broken.chain(unsure).collect()
}

/// Prediction sets from the development cases, judged on the test cases; without development cases, cross-fitted by
/// patient in `folds` folds.
///
/// # Errors
/// [`ConformalError`] where a model or its coverage has none.
pub fn evaluate(
    development: Option<&Outcomes<'_>>,
    test: &Outcomes<'_>,
    options: &ConformalOptions,
    folds: u32,
    resampling: &Resampling,
) -> Result<ConformalEvaluation, ConformalError> {
    if let Some(development) = development {
        let model = fit(development, options)?;
        let sets = model.sets(test.prediction());
        return Ok(ConformalEvaluation {
            model,
            folds: None,
            coverage: coverage(test, &sets, options, resampling)?,
        });
    }
    let model = fit(test, options)?;
    let fold = dealt(test, folds, resampling.seed())?;
    let (_, sets) = cross_fitted_sets(test, &fold, options)?;
    Ok(ConformalEvaluation {
        model,
        folds: Some(folds),
        coverage: coverage(test, &sets, options, resampling)?,
    })
}

/// The folds of the patients, where there are enough of them.
pub(crate) fn dealt(
    outcomes: &Outcomes<'_>,
    folds: u32,
    seed: u64,
) -> Result<Vec<u32>, ConformalError> {
    let mut present = outcomes.cluster().to_vec();
    present.sort_unstable();
    present.dedup();
    if folds < 2 || present.len() < folds as usize {
        return Err(ConformalError::Folds {
            patients: present.len(),
            folds,
        });
    }
    Ok(patient_folds(outcomes, folds, seed))
}
