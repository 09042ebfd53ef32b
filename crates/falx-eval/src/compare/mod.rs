//! Several models on the same cases: every score side by side, and paired differences with their multiplicity.

mod csv;
mod paired;
mod published;
mod runs;
mod runs_text;
mod studies;
mod table_csv;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use falx_core::{ImageId, Label, Progress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BlindPrediction, Case, Estimate, EvaluateError, EvaluateOptions, Evaluation, EvaluationInput,
    StudyReads, UnitOfAnalysis, evaluate_input,
};

pub use paired::NoDifference;
pub use published::{PUBLISHED, Published};
pub use runs::{EpochLosses, JudgedPart, RunFacts, RunTiming, Slices};
pub(crate) use runs::{WHAT_LOSSES_ARE, loss_remark, remark, scaled};

/// One model's predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What the table calls it.
    pub name: String,
    /// Its predictions with their truth.
    pub cases: Vec<Case>,
    /// The share of positive slices of each label in its training folds, where known.
    pub train_prevalence: Option<[f64; 6]>,
    /// Further no-skill predictions of its cases.
    pub blind: Vec<BlindPrediction>,
    /// What is known of whole studies, where slices have no truth: studies are compared then.
    pub studies: Vec<StudyReads>,
    /// What the run was, where it is one.
    pub run: Option<RunFacts>,
}

/// What a difference is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "score")]
pub enum Metric {
    /// The weighted log loss; lower is better.
    WeightedLogLoss,
    /// The area under a label's ROC curve; higher is better.
    Auc {
        /// The label.
        #[schemars(with = "String")]
        label: Label,
    },
}

impl Metric {
    /// As the table calls it.
    pub fn words(self) -> String {
        match self {
            Self::WeightedLogLoss => "weighted log loss".to_owned(),
            Self::Auc { label } => format!("AUC of {label}"),
        }
    }
}

/// One entry less the reference, on the same cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The entry.
    pub entry: String,
    /// The score.
    #[serde(flatten)]
    pub metric: Metric,
    /// The entry's score less the reference's, the interval over resamples of patients, paired; `None` where a score has
    /// no value.
    pub difference: Option<Estimate>,
    /// The same with an interval by formula, for areas: `DeLong`'s, clustered by patient (Obuchowski).
    pub by_formula: Option<Estimate>,
    /// The two-sided p-value of no difference: of areas by formula, of the loss by resamples of patients.
    pub p: Option<f64>,
    /// The p-value adjusted for all differences of the table by Holm's procedure.
    pub p_holm: Option<f64>,
    /// Why there is no p-value.
    pub note: Option<NoDifference>,
}

/// One entry's scores on the common cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryScores {
    /// The entry.
    pub name: String,
    /// Cases of it that another entry lacks, and that count for nobody.
    pub left_out: u64,
    /// What the run was, where the entry is one and not a file of predictions.
    #[serde(default)]
    pub run: Option<RunFacts>,
    /// Its scores.
    pub evaluation: Evaluation,
}

/// Several models on the same cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// What is compared.
    pub unit: UnitOfAnalysis,
    /// Cases with a truth that all entries predict: slices, or studies where only these have a truth.
    pub slices: u64,
    /// Their patients.
    pub patients: u64,
    /// The entry that the others are compared with.
    pub reference: String,
    /// The entries in the order given.
    pub entries: Vec<EntryScores>,
    /// Each other entry less the reference: the weighted log loss, then the labels' areas.
    pub differences: Vec<Difference>,
    /// How many p-values the adjustment is for.
    pub tests: u64,
    /// Values that others have published, on other cases; nothing of them was measured here.
    pub published: Vec<Published>,
    /// Resamples behind every interval.
    pub replicates: u32,
    /// The seed of the resamples.
    pub seed: u64,
}

impl Comparison {
    /// The comparison as the tables that the command line prints.
    pub fn to_text(&self) -> String {
        text::comparison(self)
    }

    /// The entries' scores and differences as a CSV: one row an entry, level and label.
    pub fn to_csv(&self) -> String {
        csv::comparison(self)
    }

    /// The experiment table as a CSV: one row an entry, what it was where it is a run, and what it scored.
    pub fn to_table_csv(&self) -> String {
        table_csv::table(self)
    }
}

/// Why entries cannot be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CompareError {
    /// There are not two.
    #[error("there is only {0} to compare; give at least two runs or files of predictions")]
    TooFew(usize),
    /// Two entries have one name.
    #[error("two entries are called {0}; name them apart, as NAME=predictions.csv")]
    SameName(String),
    /// No entry has the reference's name.
    #[error("no entry is called {name}; the reference is one of: {names}")]
    NoSuchReference {
        /// What was asked for.
        name: String,
        /// What there is.
        names: String,
    },
    /// The entries were judged on different cases.
    #[error(
        "{first} and {second} have no judged slice in common, so nothing can be compared; train both from the same split, \
         or predict the same slices with both and compare the CSVs"
    )]
    NothingInCommon {
        /// One entry.
        first: String,
        /// The other.
        second: String,
    },
    /// A slice has different truths, or belongs to different patients.
    #[error(
        "{first} and {second} disagree on the {what} of slices ({count}, say {example}); give both the same labels and index"
    )]
    Disagree {
        /// One entry.
        first: String,
        /// The other.
        second: String,
        /// On what.
        what: &'static str,
        /// Of how many slices.
        count: usize,
        /// One of them.
        example: ImageId,
    },
    /// An entry cannot be judged.
    #[error("{name}: {source}")]
    Evaluate {
        /// The entry.
        name: String,
        /// Why.
        source: EvaluateError,
    },
}

/// Judges every entry on the cases that all have, and takes the differences to the reference (else the first).
///
/// # Errors
/// [`CompareError`].
pub fn compare(
    entries: &[Entry],
    reference: Option<&str>,
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Result<Comparison, CompareError> {
    let reference = check(entries, reference)?;
    let of_studies = studies::of_studies(entries, options.aggregation);
    let unit = match of_studies {
        Some(_) => UnitOfAnalysis::Study,
        None => UnitOfAnalysis::Slice,
    };
    let units = of_studies.as_deref().unwrap_or(entries);
    let common = common(units, reference)?;
    let mut scores = Vec::with_capacity(entries.len());
    let mut judged = Vec::with_capacity(entries.len());
    for (entry, of_units) in entries.iter().zip(units) {
        let (cases, blind) = of_common(of_units, &common);
        let slices = match unit {
            UnitOfAnalysis::Slice => Vec::new(),
            UnitOfAnalysis::Study => studies::within(entry, &common),
        };
        let input = EvaluationInput {
            cases: match unit {
                UnitOfAnalysis::Slice => &cases,
                UnitOfAnalysis::Study => &slices,
            },
            blind: &blind,
            studies: match unit {
                UnitOfAnalysis::Slice => &[],
                UnitOfAnalysis::Study => &of_units.studies,
            },
            ..EvaluationInput::default()
        };
        let options = EvaluateOptions {
            train_prevalence: of_units.train_prevalence,
            ..options.clone()
        };
        let evaluation = evaluate_input(&input, &options, progress).map_err(|source| {
            CompareError::Evaluate {
                name: entry.name.clone(),
                source,
            }
        })?;
        scores.push(EntryScores {
            name: entry.name.clone(),
            left_out: (of_units.cases.len() - cases.len()) as u64,
            run: entry.run.clone(),
            evaluation,
        });
        judged.push(cases);
    }
    let differences = paired::differences(units, &judged, reference, options);
    let first = scores.first().map(|s| &s.evaluation);
    Ok(Comparison {
        unit,
        slices: common.len() as u64,
        patients: first.map_or(0, |e| e.patients),
        reference: entries
            .get(reference)
            .map(|e| e.name.clone())
            .unwrap_or_default(),
        entries: scores,
        tests: differences.iter().filter(|d| d.p.is_some()).count() as u64,
        differences,
        published: PUBLISHED.iter().map(Published::from).collect(),
        replicates: options.replicates,
        seed: options.seed,
    })
}

/// The reference's place.
fn check(entries: &[Entry], reference: Option<&str>) -> Result<usize, CompareError> {
    if entries.len() < 2 {
        return Err(CompareError::TooFew(entries.len()));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = entries.iter().find(|e| !names.insert(e.name.as_str())) {
        return Err(CompareError::SameName(twice.name.clone()));
    }
    let Some(name) = reference else {
        return Ok(0);
    };
    let place = entries.iter().position(|e| e.name == name);
    place.ok_or_else(|| CompareError::NoSuchReference {
        name: name.to_owned(),
        names: names.into_iter().collect::<Vec<_>>().join(", "),
    })
}

/// The images that all entries predict and know something of.
fn common(entries: &[Entry], reference: usize) -> Result<BTreeSet<&ImageId>, CompareError> {
    let by_image = |entry: &'_ Entry| -> BTreeMap<ImageId, usize> {
        let known = entry.cases.iter().enumerate();
        let known = known.filter(|(_, case)| !case.truth.is_empty());
        known
            .map(|(at, case)| (case.image_id.clone(), at))
            .collect()
    };
    let Some(first) = entries.get(reference) else {
        return Ok(BTreeSet::new());
    };
    let places = by_image(first);
    let mut common: BTreeSet<&ImageId> = first
        .cases
        .iter()
        .filter(|case| !case.truth.is_empty())
        .map(|case| &case.image_id)
        .collect();
    for entry in entries {
        let (mut shared, mut truths, mut patients) = (BTreeSet::new(), Vec::new(), Vec::new());
        for case in entry.cases.iter().filter(|case| !case.truth.is_empty()) {
            let Some(other) = places
                .get(&case.image_id)
                .and_then(|&at| first.cases.get(at))
            else {
                continue;
            };
            if case.truth != other.truth {
                truths.push(&case.image_id);
            }
            if case.patient != other.patient {
                patients.push(&case.image_id);
            }
            shared.insert(&case.image_id);
        }
        for (what, found) in [("truth", truths), ("patient", patients)] {
            if let Some(&example) = found.first() {
                return Err(CompareError::Disagree {
                    first: first.name.clone(),
                    second: entry.name.clone(),
                    what,
                    count: found.len(),
                    example: example.clone(),
                });
            }
        }
        common.retain(|image| shared.contains(image));
        if common.is_empty() {
            return Err(CompareError::NothingInCommon {
                first: first.name.clone(),
                second: entry.name.clone(),
            });
        }
    }
    Ok(common)
}

/// An entry's common cases, sorted by image, with its blind predictions of them.
fn of_common(entry: &Entry, common: &BTreeSet<&ImageId>) -> (Vec<Case>, Vec<BlindPrediction>) {
    let mut places: Vec<usize> = (0..entry.cases.len())
        .filter(|&at| {
            let case = entry.cases.get(at);
            case.is_some_and(|case| common.contains(&case.image_id))
        })
        .collect();
    places.sort_by_key(|&at| entry.cases.get(at).map(|case| &case.image_id));
    let cases = places.iter().filter_map(|&at| entry.cases.get(at).cloned());
    let blind = entry.blind.iter().map(|blind| BlindPrediction {
        name: blind.name.clone(),
        prediction: places
            .iter()
            .filter_map(|&at| blind.prediction.get(at).copied())
            .collect(),
    });
    (cases.collect(), blind.collect())
}
