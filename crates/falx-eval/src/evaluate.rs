//! From cases to an evaluation.

use std::collections::BTreeMap;
use std::sync::Arc;

use falx_core::{ImageId, LABELS, LabelRow, PatientId, Probability, Progress};

use crate::level::{self, Constant, Unit};
use crate::{Evaluation, StudyScores, prevalence, warnings};

/// The name of the baseline that predicts the training folds' prevalence.
pub(crate) const TRAIN_BASELINE: &str = "prevalence of the training folds";

/// One slice: whose it is, what is true of it, and what was predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The slice.
    pub image_id: ImageId,
    /// Its patient; intervals resample patients.
    pub patient: PatientId,
    /// Its study, where known.
    pub study: Option<Arc<str>>,
    /// Its series, where known.
    pub series: Option<Arc<str>>,
    /// What else is known of it, for scores of parts of the population.
    pub attributes: Option<Arc<Attributes>>,
    /// What is true.
    pub truth: LabelRow,
    /// What was predicted, in the order of [`falx_core::LABELS`].
    pub prediction: [Probability; 6],
}

/// What is known of a case beside its truth: (what, value), say `("kernel", "H30s")`. Shared by cases that have the same.
///
/// # Units
/// Words. A number (age, thickness, size) is named by its range, with its unit, by whoever knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub Vec<(Arc<str>, Arc<str>)>);

/// How to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateOptions {
    /// Resamples behind every interval; 0 gives no intervals.
    pub replicates: u32,
    /// The seed of the resamples.
    pub seed: u64,
    /// The share of positive slices of each label in the training folds: the honest no-skill prediction.
    pub train_prevalence: Option<[f64; 6]>,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            replicates: 1000,
            seed: 0,
            train_prevalence: None,
        }
    }
}

/// Why an evaluation is not possible.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvaluateError {
    /// No cases.
    #[error("there is nothing to evaluate; give predictions and labels of at least one slice")]
    Empty,
    /// No case has a label.
    #[error(
        "none of the {slices} slices has a known label; give a label file that names these slices"
    )]
    NoLabels {
        /// Slices given.
        slices: usize,
    },
    /// A slice appears twice.
    #[error(
        "slice {example} (of {count} such) appears more than once; give each slice a single prediction"
    )]
    RepeatedSlices {
        /// How many.
        count: usize,
        /// One of them.
        example: ImageId,
    },
    /// A prevalence is no share.
    #[error("the training folds' prevalence of {label} is {value}; it must lie between 0 and 1")]
    Prevalence {
        /// Of which label.
        label: falx_core::Label,
        /// What was given.
        value: f64,
    },
}

/// Scores cases per slice and, where they name their studies, per study, beside the no-skill baselines.
///
/// Intervals are the 2.5 and 97.5 percentiles over resamples of whole patients. The result depends on the cases and
/// the options alone: neither on the order of the cases nor on the number of threads.
///
/// # Errors
/// [`EvaluateError`] when there is nothing to score or the cases contradict themselves.
pub fn evaluate(
    cases: &[Case],
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Result<Evaluation, EvaluateError> {
    let sorted = check(cases, options)?;
    let known: Vec<&Case> = sorted
        .iter()
        .copied()
        .filter(|c| !c.truth.is_empty())
        .collect();
    let (patients, units) = slice_units(&known);
    let studies = study_units(&known);

    let levels = 1 + u64::from(!studies.units.is_empty());
    let resampled = if patients > 1 {
        levels * u64::from(options.replicates)
    } else {
        0
    };
    progress.begin("resampling patients", Some(resampled));
    let slice_constants = constants(&units, "slices", options.train_prevalence);
    let level = level::score(&units, patients, slice_constants, options, progress).ok_or(
        EvaluateError::NoLabels {
            slices: cases.len(),
        },
    )?;
    let study_constants = constants(&studies.units, "studies", None);
    let study = level::score(
        &studies.units,
        studies.patients,
        study_constants,
        options,
        progress,
    )
    .map(|level| StudyScores {
        studies: studies.units.len() as u64,
        patients: studies.patients as u64,
        weighted_log_loss: level.weighted_log_loss,
        verdict: level.verdict,
        labels: level.labels,
        baselines: level.baselines,
    });
    progress.finish();

    let mut positives = [0; 6];
    for (count, score) in positives.iter_mut().zip(&level.labels) {
        *count = score.positives;
    }
    let mut evaluation = Evaluation {
        slices: known.len() as u64,
        patients: patients as u64,
        positives,
        replicates: options.replicates,
        seed: options.seed,
        weighted_log_loss: level.weighted_log_loss,
        verdict: level.verdict,
        labels: level.labels,
        baselines: level.baselines,
        study,
        warnings: Vec::new(),
    };
    evaluation.warnings = warnings::of(&evaluation, cases, options);
    Ok(evaluation)
}

/// The cases sorted by image, so that neither sums nor draws depend on the order in which they came.
fn check<'a>(cases: &'a [Case], options: &EvaluateOptions) -> Result<Vec<&'a Case>, EvaluateError> {
    if cases.is_empty() {
        return Err(EvaluateError::Empty);
    }
    for (label, value) in LABELS
        .into_iter()
        .zip(options.train_prevalence.into_iter().flatten())
    {
        Probability::new(value).map_err(|_| EvaluateError::Prevalence { label, value })?;
    }
    let mut sorted: Vec<&Case> = cases.iter().collect();
    sorted.sort_by(|a, b| a.image_id.cmp(&b.image_id));
    let mut repeated = sorted
        .chunk_by(|a, b| a.image_id == b.image_id)
        .filter(|same| same.len() > 1)
        .filter_map(|same| same.first());
    if let Some(first) = repeated.next() {
        return Err(EvaluateError::RepeatedSlices {
            count: 1 + repeated.count(),
            example: first.image_id.clone(),
        });
    }
    if cases.iter().all(|c| c.truth.is_empty()) {
        return Err(EvaluateError::NoLabels {
            slices: cases.len(),
        });
    }
    Ok(sorted)
}

/// Patients numbered from 0 in the order of their pseudonyms.
fn number_patients<'a>(
    patients: impl Iterator<Item = &'a PatientId>,
) -> BTreeMap<&'a PatientId, u32> {
    let mut numbers: BTreeMap<&PatientId, u32> = patients.map(|p| (p, 0)).collect();
    for (number, place) in (0..).zip(numbers.values_mut()) {
        *place = number;
    }
    numbers
}

fn slice_units(cases: &[&Case]) -> (usize, Vec<Unit>) {
    let numbers = number_patients(cases.iter().map(|c| &c.patient));
    let units = cases
        .iter()
        .map(|case| Unit {
            patient: numbers.get(&case.patient).copied().unwrap_or(0),
            truth: case.truth,
            prediction: case.prediction.map(Probability::get),
        })
        .collect();
    (numbers.len(), units)
}

/// Studies to score.
struct Studies {
    patients: usize,
    units: Vec<Unit>,
}

/// A study's prediction is the highest of its slices'; its label is positive where a slice's is, and negative where all are.
fn study_units(cases: &[&Case]) -> Studies {
    let with_study = || cases.iter().filter_map(|c| Some((c.study.as_deref()?, *c)));
    let numbers = number_patients(with_study().map(|(_, c)| &c.patient));
    let mut units: BTreeMap<(&PatientId, &str), Unit> = BTreeMap::new();
    for (study, case) in with_study() {
        let prediction = case.prediction.map(Probability::get);
        units
            .entry((&case.patient, study))
            .and_modify(|unit| {
                for (most, p) in unit.prediction.iter_mut().zip(prediction) {
                    *most = most.max(p);
                }
                for (study, slice) in unit.truth.0.iter_mut().zip(case.truth.0) {
                    *study = match (*study, slice) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    };
                }
            })
            .or_insert_with(|| Unit {
                patient: numbers.get(&case.patient).copied().unwrap_or(0),
                truth: case.truth,
                prediction,
            });
    }
    Studies {
        patients: numbers.len(),
        units: units.into_values().collect(),
    }
}

/// The no-skill predictions; the first is the reference.
fn constants(units: &[Unit], of: &str, train: Option<[f64; 6]>) -> Vec<Constant> {
    let here = prevalence(units.iter().map(|u| &u.truth)).map(|p| p.unwrap_or(0.5));
    let named = |name: String, prediction| Constant { name, prediction };
    train
        .map(|p| named(TRAIN_BASELINE.to_owned(), p))
        .into_iter()
        .chain([
            named(format!("prevalence of these {of}"), here),
            named("0.5 for everything".to_owned(), [0.5; 6]),
        ])
        .collect()
}
