//! Anybody's predictions, joined with their truth and judged.

use std::path::{Path, PathBuf};

use falx_core::{ImageId, Prediction, Progress};
use falx_data::index::Index;
use falx_data::labels::{self, Labels};
use falx_eval::report::Report;
use falx_eval::text::count;
use falx_eval::{Case, EvaluateOptions, Evaluation, Provenance, Scale, StudyReads, UnitOfAnalysis};

use crate::TrainError;
use crate::attributes::AttributeTable;
use crate::cases::{Rows, case, forget_inherited, metadata_alone, reads};
use crate::judge::{JudgeOptions, Judged};
use crate::studies::{self, StudyNames, StudyTruth};

/// The files that an evaluation of predictions is made from.
#[derive(Clone, Copy, Debug)]
pub struct PredictionFiles<'a> {
    /// A `predictions.csv`.
    pub predictions: &'a Path,
    /// The truth; without it the index's labels.
    pub labels: Option<&'a Path>,
    /// Names patients and studies, where given.
    pub index: Option<&'a Path>,
    /// Predictions of other patients, on which thresholds and corrections are found.
    pub development: Option<&'a Path>,
    /// What the numbers of the predictions mean.
    pub scale: Scale,
}

/// Judged predictions.
#[derive(Clone, Debug)]
pub struct JudgedPredictions {
    /// The scores.
    pub evaluation: Evaluation,
    predictions: PathBuf,
    truth: PathBuf,
    command: String,
}

/// Where the truth of slices stands.
enum Truth<'a> {
    Table(Labels, &'a Path),
    Index(&'a Path),
}

impl Truth<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::Table(_, path) | Self::Index(path) => path,
        }
    }
}

/// Predictions that have a truth.
struct Known {
    cases: Vec<Case>,
    /// What is true of whole studies, where these were predicted.
    studies: Option<Vec<StudyReads>>,
    notes: Vec<String>,
    without_truth: u64,
    outside_index: u64,
}

fn join(
    path: &Path,
    scale: Scale,
    truth: &Truth<'_>,
    beside: &Beside<'_>,
    attributes: &mut AttributeTable,
) -> Result<Known, TrainError> {
    let read = falx_eval::predictions::read(path, scale)?;
    let rows = beside.rows.as_ref();
    let predictions = read.rows;
    let Some(first) = predictions.first() else {
        return Err(TrainError::NoPredictions(path.to_owned()));
    };
    let (predicted, count) = (first.image_id.clone(), predictions.len());
    let mut known = Known {
        cases: Vec::new(),
        studies: None,
        notes: read.notes,
        without_truth: 0,
        outside_index: 0,
    };
    if read.of == UnitOfAnalysis::Study || beside.are_studies(&predictions) {
        let said = match truth {
            Truth::Table(labels, _) => StudyTruth::Table(labels),
            Truth::Index(_) => StudyTruth::Index,
        };
        let index = (beside.index, beside.names.as_ref());
        let joined = studies::join(path, predictions, &said, index, attributes)?;
        known.cases = joined.cases;
        known.studies = Some(joined.studies);
        known.without_truth = joined.without_truth;
        known.outside_index = joined.outside_index;
        return known.or_other(path, truth, beside, (predicted, count));
    }
    for prediction in predictions {
        let row = rows.and_then(|rows| rows.get(&prediction.image_id));
        let labels = match truth {
            Truth::Table(table, _) => table.slices.get(&prediction.image_id),
            Truth::Index(_) => row.map(|row| row.labels),
        };
        let Some(labels) = labels else {
            known.without_truth += 1;
            continue;
        };
        known.outside_index += u64::from(rows.is_some() && row.is_none());
        let case = case(prediction, labels, row, attributes);
        known.cases.push(case);
    }
    known.or_other(path, truth, beside, (predicted, count))
}

impl Known {
    /// Fails where nothing has a truth.
    fn or_other(
        self,
        path: &Path,
        truth: &Truth<'_>,
        beside: &Beside<'_>,
        (predicted, count): (ImageId, usize),
    ) -> Result<Self, TrainError> {
        if !self.cases.is_empty() {
            return Ok(self);
        }
        let example = match truth {
            Truth::Table(table, _) => {
                let slice = table.slices.iter().next().map(|(id, _)| id.to_string());
                let study = || table.studies.first()?.study_uid.clone();
                slice.or_else(study)
            }
            Truth::Index(_) => beside
                .rows
                .as_ref()
                .and_then(Rows::first)
                .map(ToString::to_string),
        };
        Err(TrainError::OtherSlices {
            predictions: path.to_owned(),
            count,
            truth: truth.path().to_owned(),
            predicted,
            known: example.unwrap_or_else(|| "nothing, for it is empty".to_owned()),
        })
    }
}

/// What an index knows beside the predictions.
struct Beside<'a> {
    index: Option<&'a Index>,
    rows: Option<Rows<'a>>,
    names: Option<StudyNames<'a>>,
}

impl<'a> Beside<'a> {
    fn new(index: Option<&'a Index>) -> Self {
        Self {
            index,
            rows: index.map(Rows::new),
            names: index.map(StudyNames::new),
        }
    }

    /// Whether the index knows a study by these names, and no slice.
    fn are_studies(&self, predictions: &[Prediction]) -> bool {
        let (Some(rows), Some(names)) = (&self.rows, &self.names) else {
            return false;
        };
        let ids = || predictions.iter().map(|p| &p.image_id);
        ids().all(|id| rows.get(id).is_none()) && ids().any(|id| names.knows(id.as_str()))
    }
}

/// Joins predictions with their truth and judges them.
///
/// Without an index nothing is known of patients: each slice then counts as a patient of its own, and the evaluation
/// warns that its intervals are too narrow.
///
/// # Errors
/// [`TrainError`] when a file cannot be used or no slice has both a prediction and a truth.
pub fn evaluate_predictions(
    files: &PredictionFiles<'_>,
    options: &JudgeOptions<'_>,
    progress: &dyn Progress,
) -> Result<JudgedPredictions, TrainError> {
    let joined = JoinedPredictions::read(files, options)?;
    let mut evaluation = options.judge(&joined.judged, None, progress)?;
    evaluation.warnings.extend(joined.warnings);
    Ok(JudgedPredictions {
        evaluation,
        predictions: files.predictions.to_owned(),
        truth: joined.truth,
        command: command(files, options),
    })
}

/// The command that gives the same evaluation, with the files' names and whatever differs from the defaults.
fn command(files: &PredictionFiles<'_>, options: &JudgeOptions<'_>) -> String {
    let usual = EvaluateOptions::default();
    let mut words = vec!["falx evaluate".to_owned(), name(files.predictions)];
    let named = [
        ("--labels", files.labels),
        ("--index", files.index),
        ("--development", files.development),
        ("--groups", options.groups),
    ];
    for (flag, path) in named {
        words.extend(path.map(|path| format!("{flag} {}", name(path))));
    }
    match files.scale {
        Scale::Probabilities => {}
        Scale::Logits => words.push("--logits".to_owned()),
        Scale::Percentages => words.push("--percentages".to_owned()),
    }
    if options.aggregation != usual.aggregation {
        words.push(format!("--aggregation {}", options.aggregation));
    }
    if options.replicates != usual.replicates {
        words.push(format!("--replicates {}", options.replicates));
    }
    if options.seed != usual.seed {
        words.push(format!("--seed {}", options.seed));
    }
    words.push("--html report.html".to_owned());
    words.join(" ")
}

/// A file's name without the folders above it, which say nothing to anybody else.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Predictions joined with all that is known of their slices.
pub(crate) struct JoinedPredictions {
    pub(crate) judged: Judged,
    pub(crate) warnings: Vec<String>,
    truth: PathBuf,
}

impl JoinedPredictions {
    pub(crate) fn read(
        files: &PredictionFiles<'_>,
        options: &JudgeOptions<'_>,
    ) -> Result<Self, TrainError> {
        let truth = match (files.labels, files.index) {
            (Some(path), _) => Truth::Table(labels::read_any(path)?, path),
            (None, Some(path)) => Truth::Index(path),
            (None, None) => return Err(TrainError::NoTruth(files.predictions.to_owned())),
        };
        let index = files.index.map(Index::read).transpose()?;
        let beside = Beside::new(index.as_ref());
        let mut attributes = options.attributes(index.as_ref())?;
        let mut join = |path: &Path| join(path, files.scale, &truth, &beside, &mut attributes);
        let known = join(files.predictions)?;
        let development = files.development.map(join).transpose()?;
        let whole = known.studies;
        let are_studies = whole.is_some();
        let (mut developed_studies, mut development) = match development {
            Some(known) => (known.studies, Some(known.cases)),
            None => (None, None),
        };
        let mut cases = known.cases;
        let of_index = || index.as_ref().map(|index| reads(index, &cases));
        let mut studies = whole.or_else(of_index).unwrap_or_default();
        studies.extend(developed_studies.take().into_iter().flatten());
        if !are_studies && matches!(truth, Truth::Index(_)) {
            forget_inherited(&mut cases, &studies);
            if let (Some(cases), Some(index)) = (&mut development, &index) {
                let of_development = reads(index, cases);
                forget_inherited(cases, &of_development);
                studies.extend(of_development);
            }
        }
        let mut warnings = known.notes;
        let unit = if are_studies {
            UnitOfAnalysis::Study
        } else {
            UnitOfAnalysis::Slice
        };
        let (unit, units) = (unit.one(), unit.many());
        if index.is_none() {
            warnings.push(
                format!(
                    "No index was given, so patients are unknown and every {unit} counts as a patient of its own: the \
                     intervals are too narrow. Give the index with --index."
                ),
            );
        }
        if known.outside_index > 0 {
            warnings.push(format!(
                "{} not in the index: each counts as a patient of its own.",
                are(known.outside_index, unit)
            ));
        }
        if known.without_truth > 0 {
            warnings.push(format!(
                "{} predicted {units} have no truth in {} and were left out.",
                known.without_truth,
                truth.path().display()
            ));
        }
        let metadata = beside
            .rows
            .as_ref()
            .and_then(|rows| metadata_alone(rows, None, &cases));
        Ok(Self {
            judged: Judged {
                cases,
                development,
                studies,
                metadata,
            },
            warnings,
            truth: truth.path().to_owned(),
        })
    }
}

fn are(n: u64, unit: &str) -> String {
    let verb = if n == 1 { "is" } else { "are" };
    format!("{} {verb}", count(n, &format!("predicted {unit}")))
}

impl JudgedPredictions {
    /// The report: scores only, as nothing else is known.
    pub fn report(&self) -> Report {
        Report {
            title: "Predictions of intracranial haemorrhage".to_owned(),
            subtitle: format!(
                "Judged on {} of {}.",
                count(self.evaluation.slices, self.evaluation.predicted().one()),
                count(self.evaluation.patients, "patient")
            ),
            provenance: self.provenance(),
            evaluation: self.evaluation.clone(),
            curves: Vec::new(),
            pictures: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// What is known of the predictions: their files' names and who judged them.
    fn provenance(&self) -> Provenance {
        let (predictions, labels) = (name(&self.predictions), name(&self.truth));
        Provenance {
            software: vec![format!("falx {}", env!("CARGO_PKG_VERSION"))],
            commands: vec![self.command.clone()],
            other: vec![
                ("Predictions".to_owned(), predictions),
                ("Truth".to_owned(), labels),
            ],
            ..Provenance::default()
        }
    }
}
