//! Anybody's predictions, joined with their truth and judged.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use falx_core::{ImageId, PatientId, Progress};
use falx_data::index::{Index, IndexRow};
use falx_data::labels;
use falx_eval::report::Report;
use falx_eval::{Case, EvaluateOptions, Evaluation, Scale, evaluate};

use crate::TrainError;
use crate::evaluation::patient;

/// The files that an evaluation of predictions is made from.
#[derive(Clone, Copy, Debug)]
pub struct PredictionFiles<'a> {
    /// A `predictions.csv`.
    pub predictions: &'a Path,
    /// The truth.
    pub labels: &'a Path,
    /// Names patients and studies, where given.
    pub index: Option<&'a Path>,
    /// What the numbers of the predictions mean.
    pub scale: Scale,
}

/// Judged predictions.
#[derive(Clone, Debug)]
pub struct JudgedPredictions {
    /// The scores.
    pub evaluation: Evaluation,
    predictions: PathBuf,
    labels: PathBuf,
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
    replicates: u32,
    seed: u64,
    progress: &dyn Progress,
) -> Result<JudgedPredictions, TrainError> {
    let read = falx_eval::predictions::read(files.predictions, files.scale)?;
    let truth = labels::read(files.labels)?;
    let index = files.index.map(Index::read).transpose()?;
    let rows: HashMap<&ImageId, &IndexRow> = index
        .iter()
        .flat_map(|index| &index.rows)
        .map(|row| (&row.image_id, row))
        .collect();
    let mut without_truth = 0_usize;
    let mut cases = Vec::with_capacity(read.rows.len());
    for prediction in read.rows {
        let Some(labels) = truth.get(&prediction.image_id) else {
            without_truth += 1;
            continue;
        };
        let row = rows.get(&prediction.image_id);
        cases.push(Case {
            patient: row.map_or_else(
                || PatientId::from(prediction.image_id.as_str()),
                |row| patient(row),
            ),
            study: row.and_then(|row| row.study_uid.clone()),
            series: row.and_then(|row| row.series_uid.clone()),
            attributes: None,
            truth: labels,
            prediction: prediction.probabilities,
            image_id: prediction.image_id,
        });
    }
    let options = EvaluateOptions {
        replicates,
        seed,
        train_prevalence: None,
    };
    let mut evaluation = evaluate(&cases, &options, progress)?;
    evaluation.warnings.extend(read.notes);
    if index.is_none() {
        evaluation.warnings.push(
            "No index was given, so patients are unknown and every slice counts as a patient of its own: the \
             intervals are too narrow. Give the index with --index."
                .to_owned(),
        );
    }
    if without_truth > 0 {
        evaluation.warnings.push(format!(
            "{without_truth} predicted slices have no truth in {} and were left out.",
            files.labels.display()
        ));
    }
    Ok(JudgedPredictions {
        evaluation,
        predictions: files.predictions.to_owned(),
        labels: files.labels.to_owned(),
    })
}

impl JudgedPredictions {
    /// The report: scores only, as nothing else is known.
    pub fn report(&self) -> Report {
        Report {
            title: "Predictions of intracranial haemorrhage".to_owned(),
            subtitle: format!(
                "Judged on {} slices of {} patients.",
                self.evaluation.slices, self.evaluation.patients
            ),
            facts: vec![
                (
                    "Predictions".to_owned(),
                    self.predictions.display().to_string(),
                ),
                ("Truth".to_owned(), self.labels.display().to_string()),
                ("falx".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ],
            evaluation: self.evaluation.clone(),
            curves: Vec::new(),
            pictures: Vec::new(),
            notes: Vec::new(),
        }
    }
}
