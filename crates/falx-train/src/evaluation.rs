//! A finished run, judged and shown.

use std::collections::HashMap;

use falx_core::{ImageId, PatientId, Progress};
use falx_data::index::IndexRow;
use falx_eval::report::{Report, TrainingCurve};
use falx_eval::{Case, EvaluateOptions, Evaluation, evaluate};

use crate::data::RunData;
use crate::folder::{self, Part, RunFolder};
use crate::lock::RunLock;
use crate::{Recipe, TrainError, metrics, pictures, provenance};

/// A run's evaluation and what a report needs besides.
pub struct RunEvaluation {
    /// The scores.
    pub evaluation: Evaluation,
    /// On which part they were measured.
    pub part: Part,
    cases: Vec<Case>,
    data: RunData,
    recipe: Recipe,
    lock: RunLock,
    folder: RunFolder,
}

/// Judges a finished run: on the locked test where its split has one, else on the validation fold.
///
/// # Errors
/// [`TrainError`] when there is no finished run, or its data cannot be found or are no longer the same.
pub fn evaluate_run(
    folder: &RunFolder,
    replicates: u32,
    seed: u64,
    progress: &dyn Progress,
) -> Result<RunEvaluation, TrainError> {
    if !folder.lock().is_file() {
        return Err(TrainError::NoRun(folder.path().to_owned()));
    }
    let lock: RunLock = folder::read_toml(&folder.lock())?;
    let recipe = Recipe::read(&folder.recipe())?;
    let data = RunData::load(&recipe)?;
    lock.check_data(&data, folder.path())?;
    let part = if data.test.is_empty() {
        Part::Validation
    } else {
        Part::Test
    };
    let path = folder.predictions(part);
    if !path.is_file() {
        return Err(TrainError::Unfinished(folder.path().to_owned()));
    }
    let cases = cases(&data, falx_eval::predictions::read_csv(&path)?);
    let options = EvaluateOptions {
        replicates,
        seed,
        train_prevalence: Some(data.prevalence),
    };
    let evaluation = evaluate(&cases, &options, progress)?;
    Ok(RunEvaluation {
        evaluation,
        part,
        cases,
        data,
        recipe,
        lock,
        folder: folder.clone(),
    })
}

/// Joins predictions with what the index knows of their slices.
fn cases(data: &RunData, predictions: Vec<falx_core::Prediction>) -> Vec<Case> {
    let rows: HashMap<&ImageId, &IndexRow> = data
        .index
        .rows
        .iter()
        .map(|row| (&row.image_id, row))
        .collect();
    predictions
        .into_iter()
        .filter_map(|prediction| {
            let row = rows.get(&prediction.image_id)?;
            Some(Case {
                patient: patient(row),
                study: row.study_uid.clone(),
                series: row.series_uid.clone(),
                attributes: None,
                truth: row.labels,
                prediction: prediction.probabilities,
                image_id: prediction.image_id,
            })
        })
        .collect()
}

/// Without a patient the study is the best guess of who belongs together; without a study, the slice alone.
pub(crate) fn patient(row: &IndexRow) -> PatientId {
    row.patient.clone().unwrap_or_else(|| {
        PatientId(
            row.study_uid
                .as_deref()
                .unwrap_or(row.image_id.as_str())
                .to_owned(),
        )
    })
}

/// The report of a run: result, curves, and slices where the model was right and wrong.
///
/// # Errors
/// [`TrainError`] when the run's files cannot be read.
pub fn report(run: &RunEvaluation) -> Result<Report, TrainError> {
    let epochs = metrics::read(&run.folder.metrics())?;
    let points = |value: fn(&crate::EpochMetrics) -> f64| {
        epochs
            .iter()
            .map(|line| (line.epoch as f64, value(line)))
            .collect()
    };
    let baseline = epochs.last().map(|line| line.validation_baseline);
    let curves = vec![
        TrainingCurve {
            name: "validation loss".to_owned(),
            points: points(|line| line.validation_loss),
            baseline,
        },
        TrainingCurve {
            name: "training loss".to_owned(),
            points: points(|line| line.training_loss),
            baseline: None,
        },
    ];
    Ok(Report {
        title: format!(
            "{} on {}",
            run.recipe.network.name,
            provenance::data_sets(&run.data).join(", ")
        ),
        subtitle: subtitle(run),
        provenance: provenance::of_run(&run.recipe, &run.data, &run.lock, run.part)?,
        evaluation: run.evaluation.clone(),
        curves,
        pictures: pictures::examples(&run.cases, &run.data.index),
        notes: notes(run),
    })
}

fn subtitle(run: &RunEvaluation) -> String {
    let seen = match run.part {
        Part::Test => "patients that neither training nor the choice of the epoch ever saw",
        Part::Validation => "patients that training never saw, and that chose the epoch",
    };
    format!(
        "Judged on {} slices of {} {seen}.",
        run.evaluation.slices, run.evaluation.patients
    )
}

fn notes(run: &RunEvaluation) -> Vec<String> {
    let mut notes = Vec::new();
    if run.part == Part::Validation {
        notes.push(
            "The split locks no patients away, so the slices judged here also chose the best epoch: the scores are \
             a little too good. `falx split --test-fraction 0.2` locks a fifth of the patients."
                .to_owned(),
        );
    }
    let (shown, own) = run.data.priors_of_any(&run.recipe.sampler);
    if shown != own {
        notes.push(format!(
            "Training showed {:.1} % slices with haemorrhage where the data has {:.1} %; every prediction is corrected \
             for this.",
            100.0 * shown,
            100.0 * own
        ));
    }
    notes
}
