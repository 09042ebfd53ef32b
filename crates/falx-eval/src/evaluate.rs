//! From cases to an evaluation.

use std::collections::BTreeSet;

use falx_core::{ImageId, LABELS, Label, PatientId, Probability, Progress};
use rayon::prelude::*;

use crate::level::{self, Blind, NoSkill, Unit};
use crate::readers::ScoredStudies;
use crate::resampling::FOLDS;
use crate::subgroup::Subgroups;
use crate::units::{self, Gathered, Units, Whole};
use crate::{
    Abstention, Aggregation, AggregationScore, Attributes, Case, Development, Evaluation,
    EvaluationInput, SeriesScores, StudyScores, UnitOfAnalysis, Verdict, auc, details, metrics,
    prevalence, readers, subgroup, warnings, worklist,
};

/// The name of the baseline that predicts the training folds' prevalence.
pub(crate) const TRAIN_BASELINE: &str = "prevalence of the training folds";

/// How to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateOptions {
    /// Resamples behind every interval; 0 gives no intervals.
    pub replicates: u32,
    /// The seed of the resamples.
    pub seed: u64,
    /// The share of positive slices of each label in the training folds: the honest no-skill prediction.
    pub train_prevalence: Option<[f64; 6]>,
    /// How slices' predictions become one of their series and study.
    pub aggregation: Aggregation,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            replicates: 1000,
            seed: 0,
            train_prevalence: None,
            aggregation: Aggregation::default(),
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
    /// A patient is in the development set and judged.
    #[error(
        "{count} patients are both in the development set and judged, so thresholds would be found on what they are judged on; \
         give predictions of other patients"
    )]
    SharedPatients {
        /// How many.
        count: usize,
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

/// Scores cases per slice and, where they name them, per series and per study, beside the no-skill baselines.
///
/// Intervals are over resamples of whole patients. The result depends on the cases and the options alone: neither on the
/// order of the cases nor on the number of threads.
///
/// # Errors
/// [`EvaluateError`] when there is nothing to score or the cases contradict themselves.
pub fn evaluate(
    cases: &[Case],
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Result<Evaluation, EvaluateError> {
    evaluate_input(&cases.into(), options, progress)
}

/// As [`evaluate`], with a development set, truths of whole studies, and baselines that differ by case.
///
/// # Errors
/// As [`evaluate`]; also where a patient is in the development set and judged.
pub fn evaluate_input(
    input: &EvaluationInput<'_>,
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Result<Evaluation, EvaluateError> {
    let sorted = check(input, options)?;
    let cases: Vec<&Case> = sorted.iter().map(|&(_, case)| case).collect();
    let known: Vec<(usize, &Case)> = sorted
        .into_iter()
        .filter(|(_, case)| !case.truth.is_empty())
        .collect();
    let known_cases: Vec<&Case> = known.iter().map(|&(_, case)| case).collect();
    let slices = units::slices(&known_cases);
    // A study's slices all count for its prediction, whether or not they have a truth of their own.
    let of_study = if input.studies.is_empty() {
        &known_cases
    } else {
        &cases
    };
    let studies = units::gather(of_study, Whole::Study, input.studies);
    let series = units::gather(&known_cases, Whole::Series, &[]);

    let levels = [!known.is_empty(), !series.is_empty(), !studies.is_empty()];
    let levels = levels.into_iter().filter(|&is_there| is_there).count() as u64;
    progress.begin(
        "resampling patients",
        Some(levels * u64::from(options.replicates)),
    );
    let blind = blind(input, &known);
    let slice = Scored::new(&slices, "slices", options, blind, progress);
    let of_series = units::aggregate(&series, options.aggregation);
    let of_series = Scored::new(&of_series, "series", options, Vec::new(), progress);
    let aggregations = aggregations(&studies);
    let study_units = units::aggregate(&studies, options.aggregation);
    let of_studies = Scored::new(&study_units, "studies", options, Vec::new(), progress);
    progress.finish();

    let aggregation = options.aggregation;
    let (unit, mut main, mut study) = match (slice, of_studies) {
        (Some(slice), studies) => (UnitOfAnalysis::Slice, slice, studies),
        (None, Some(studies)) => (UnitOfAnalysis::Study, studies, None),
        (None, None) => {
            return Err(EvaluateError::NoLabels {
                slices: input.cases.len(),
            });
        }
    };
    let judged = match unit {
        UnitOfAnalysis::Slice => &slices,
        UnitOfAnalysis::Study => &study_units,
    };
    let developed = developed_on(input, options, unit);
    let abstained = details::add(
        &mut main.level.labels,
        judged,
        developed.as_ref(),
        options.replicates,
        options.seed,
    );
    let mut studies_abstained = None;
    if let Some(study) = &mut study {
        // A clinic acts on studies; where the development set names none, folds of the judged patients do.
        let developed = developed_on(input, options, UnitOfAnalysis::Study);
        studies_abstained = details::add(
            &mut study.level.labels,
            &study_units,
            developed.filter(|units| !units.units.is_empty()).as_ref(),
            options.replicates,
            options.seed,
        );
    }
    let scores = &main.level.labels;
    let positives = std::array::from_fn(|i| scores.get(i).map_or(0, |s| s.positives));
    let mut evaluation = Evaluation {
        unit,
        slices: match unit {
            UnitOfAnalysis::Slice => main.units,
            UnitOfAnalysis::Study => cases.len() as u64,
        },
        patients: main.patients,
        positives,
        replicates: options.replicates,
        seed: options.seed,
        weighted_log_loss: main.level.weighted_log_loss,
        verdict: main.level.verdict,
        labels: main.level.labels,
        baselines: main.level.baselines,
        series: of_series.map(|s| s.series(aggregation)),
        study: study.map(|s| s.study(aggregation)),
        aggregations,
        development: Some(development(input)),
        abstention: abstained.map(|main| Abstention {
            main,
            study: studies_abstained,
        }),
        worklist: None,
        subgroups: None,
        readers: None,
        warnings: Vec::new(),
    };
    evaluation.worklist = worklist::of_studies(&evaluation);
    evaluation.subgroups = subgroups(&evaluation, judged, &known_cases, &studies);
    let scored = ScoredStudies {
        gathered: &studies,
        units: &study_units,
    };
    evaluation.readers = readers::of(&evaluation, input, &scored, options.aggregation);
    evaluation.warnings = warnings::of(&evaluation, input.cases, options);
    Ok(evaluation)
}

/// The judged cases by what is known of them; a study has what all its slices share.
fn subgroups(
    e: &Evaluation,
    judged: &Units,
    slices: &[&Case],
    studies: &[Gathered<'_>],
) -> Option<Subgroups> {
    match e.unit {
        UnitOfAnalysis::Slice => {
            let known = slices.iter().map(|case| case.attributes.as_deref());
            subgroup::of(e, judged, known)
        }
        UnitOfAnalysis::Study => {
            let shared: Vec<Attributes> = studies.iter().map(Gathered::attributes).collect();
            subgroup::of(e, judged, shared.iter().map(Some))
        }
    }
}

/// A level's scores, and what they are of.
struct Scored {
    units: u64,
    patients: u64,
    level: level::Level,
}

impl Scored {
    /// `None` where nothing has a truth. Only slices are compared with what the training folds' slices say.
    fn new(
        of: &Units,
        what: &str,
        options: &EvaluateOptions,
        blind: Vec<NoSkill>,
        progress: &dyn Progress,
    ) -> Option<Self> {
        let train = options.train_prevalence.filter(|_| what == "slices");
        let mut no_skill = constants(&of.units, what, train);
        no_skill.extend(blind);
        let mut level = level::score(&of.units, of.patients, no_skill, options, progress)?;
        if warnings::one_outcome_only(&level.baselines) {
            level.verdict = Verdict::Unclear;
        }
        Some(Self {
            units: of.units.len() as u64,
            patients: of.patients as u64,
            level,
        })
    }

    fn study(self, aggregation: Aggregation) -> StudyScores {
        StudyScores {
            studies: self.units,
            patients: self.patients,
            aggregation,
            weighted_log_loss: self.level.weighted_log_loss,
            verdict: self.level.verdict,
            labels: self.level.labels,
            baselines: self.level.baselines,
        }
    }

    fn series(self, aggregation: Aggregation) -> SeriesScores {
        SeriesScores {
            series: self.units,
            patients: self.patients,
            aggregation,
            weighted_log_loss: self.level.weighted_log_loss,
            verdict: self.level.verdict,
            labels: self.level.labels,
            baselines: self.level.baselines,
        }
    }
}

/// The studies' loss and AUC of `any` under every aggregation that their slices allow.
fn aggregations(studies: &[Gathered<'_>]) -> Vec<AggregationScore> {
    // A study that was predicted as a whole, or has one slice, leaves nothing to choose.
    if studies.iter().all(Gathered::is_single) {
        return Vec::new();
    }
    let can = |by: &Aggregation| *by != Aggregation::SmoothedMax || units::are_ordered(studies);
    let score = |aggregation: Aggregation| {
        let units = units::aggregate(studies, aggregation).units;
        let (sum, rows) = units
            .iter()
            .filter_map(|u| metrics::row_loss(u.truth, &u.prediction))
            .fold((0.0, 0_u64), |(sum, rows), loss| (sum + loss, rows + 1));
        let any = Label::Any;
        let (truth, score): (Vec<bool>, Vec<f64>) = units
            .iter()
            .filter_map(|u| Some((u.truth.get(any)?, u.prediction[any.index()])))
            .unzip();
        (rows > 0).then(|| AggregationScore {
            aggregation,
            weighted_log_loss: sum / rows as f64,
            auc_of_any: auc(&truth, &score).ok(),
        })
    };
    let offered = Aggregation::ALL.into_iter().filter(can);
    offered.filter_map(score).collect()
}

/// The baselines that differ by case, in the order of the known cases.
fn blind(input: &EvaluationInput<'_>, known: &[(usize, &Case)]) -> Vec<NoSkill> {
    input
        .blind
        .iter()
        .map(|b| NoSkill {
            name: b.name.clone(),
            prediction: Blind::ByUnit(
                known
                    .iter()
                    .filter_map(|(at, _)| b.prediction.get(*at).copied())
                    .collect(),
            ),
        })
        .collect()
}

/// The development set in the units that are judged.
fn developed_on(
    input: &EvaluationInput<'_>,
    options: &EvaluateOptions,
    unit: UnitOfAnalysis,
) -> Option<Units> {
    let mut cases: Vec<&Case> = input.development?.iter().collect();
    cases.sort_by(|a, b| a.image_id.cmp(&b.image_id));
    Some(match unit {
        UnitOfAnalysis::Slice => {
            cases.retain(|case| !case.truth.is_empty());
            units::slices(&cases)
        }
        UnitOfAnalysis::Study => {
            let gathered = units::gather(&cases, Whole::Study, input.studies);
            units::aggregate(&gathered, options.aggregation)
        }
    })
}

/// How thresholds and corrections are found.
fn development(input: &EvaluationInput<'_>) -> Development {
    match input.development {
        Some(cases) => {
            let known = || cases.iter().filter(|c| !c.truth.is_empty());
            let patients: BTreeSet<&PatientId> = known().map(|c| &c.patient).collect();
            Development::Given {
                cases: known().count() as u64,
                patients: patients.len() as u64,
            }
        }
        None => Development::CrossFitted { folds: FOLDS },
    }
}

/// The cases sorted by image, with their places, so that neither sums nor draws depend on the order in which they came.
fn check<'a>(
    input: &EvaluationInput<'a>,
    options: &EvaluateOptions,
) -> Result<Vec<(usize, &'a Case)>, EvaluateError> {
    if input.cases.is_empty() {
        return Err(EvaluateError::Empty);
    }
    for (label, value) in LABELS
        .into_iter()
        .zip(options.train_prevalence.into_iter().flatten())
    {
        Probability::new(value).map_err(|_| EvaluateError::Prevalence { label, value })?;
    }
    let mut sorted: Vec<(usize, &Case)> = input.cases.iter().enumerate().collect();
    sorted.par_sort_by(|(_, a), (_, b)| a.image_id.cmp(&b.image_id));
    let mut repeated = sorted
        .chunk_by(|(_, a), (_, b)| a.image_id == b.image_id)
        .filter(|same| same.len() > 1)
        .filter_map(|same| same.first());
    if let Some((_, first)) = repeated.next() {
        return Err(EvaluateError::RepeatedSlices {
            count: 1 + repeated.count(),
            example: first.image_id.clone(),
        });
    }
    if let Some(development) = input.development {
        let developed: BTreeSet<&PatientId> = development.iter().map(|c| &c.patient).collect();
        let judged: BTreeSet<&PatientId> = input.cases.iter().map(|c| &c.patient).collect();
        let shared = developed.intersection(&judged).count();
        if shared > 0 {
            return Err(EvaluateError::SharedPatients { count: shared });
        }
    }
    Ok(sorted)
}

/// The no-skill predictions; the first is the reference.
fn constants(units: &[Unit], of: &str, train: Option<[f64; 6]>) -> Vec<NoSkill> {
    let here = prevalence(units.iter().map(|u| &u.truth)).map(|p| p.unwrap_or(0.5));
    let named = |name: String, prediction| NoSkill {
        name,
        prediction: Blind::Constant(prediction),
    };
    train
        .map(|p| named(TRAIN_BASELINE.to_owned(), p))
        .into_iter()
        .chain([
            named(format!("prevalence of these {of}"), here),
            named("0.5 for everything".to_owned(), [0.5; 6]),
        ])
        .collect()
}
