//! A finished run, judged and shown.

use falx_core::Progress;
use falx_data::index::Index;
use falx_eval::report::{Report, TrainingCurve};
use falx_eval::{Case, Evaluation};

use crate::cases::{Rows, case, metadata_alone, reads};
use crate::data::RunData;
use crate::folder::{self, Part, RunFolder};
use crate::judge::{JudgeOptions, Judged};
use crate::lock::RunLock;
use crate::{EpochMetrics, Recipe, TrainError, pictures, provenance};

/// A run's evaluation and what a report needs besides.
pub struct RunEvaluation {
    /// The scores.
    pub evaluation: Evaluation,
    /// On which part they were measured.
    pub part: Part,
    cases: Vec<Case>,
    data: RunData,
    index: Index,
    recipe: Recipe,
    lock: RunLock,
    folder: RunFolder,
}

/// A finished run, read but not scored.
pub(crate) struct JudgedRun {
    pub(crate) judged: Judged,
    pub(crate) data: RunData,
    pub(crate) index: Index,
    pub(crate) part: Part,
    pub(crate) recipe: Recipe,
    pub(crate) lock: RunLock,
}

impl JudgedRun {
    pub(crate) fn read(folder: &RunFolder, options: &JudgeOptions<'_>) -> Result<Self, TrainError> {
        if !folder.lock().is_file() {
            return Err(TrainError::NoRun(folder.path().to_owned()));
        }
        let lock: RunLock = folder::read_toml(&folder.lock())?;
        let recipe = Recipe::read(&folder.recipe())?;
        let data = RunData::load(&recipe)?;
        lock.check_data(&data, folder.path())?;
        let part = if data.count(Part::Test) == 0 {
            Part::Validation
        } else {
            Part::Test
        };
        let path = folder.predictions(part);
        if !path.is_file() {
            return Err(TrainError::Unfinished(folder.path().to_owned()));
        }
        let index = Index::read(&recipe.data.index)?;
        let judged = judged(folder, &data, &index, part, options)?;
        Ok(Self {
            judged,
            data,
            index,
            part,
            recipe,
            lock,
        })
    }
}

/// A run's predictions, with all that its index knows of their slices.
fn judged(
    folder: &RunFolder,
    data: &RunData,
    index: &Index,
    part: Part,
    options: &JudgeOptions<'_>,
) -> Result<Judged, TrainError> {
    let mut attributes = options.attributes(Some(index))?;
    let rows = Rows::new(index);
    let mut read = |part: Part| -> Result<Vec<Case>, TrainError> {
        let predictions = falx_eval::predictions::read_csv(&folder.predictions(part))?;
        let known = predictions.into_iter().filter_map(|prediction| {
            let row = rows.get(&prediction.image_id)?;
            Some(case(prediction, row.labels, Some(row), &mut attributes))
        });
        Ok(known.collect())
    };
    let cases = read(part)?;
    // The fold that chose the epoch also finds thresholds and corrections for the patients that stayed locked.
    let development = match part {
        Part::Test => Some(read(Part::Validation)?),
        Part::Validation => None,
    };
    let mut training = Vec::new();
    for at in data.training.labelled() {
        training.push(data.training.row(at)? as usize);
    }
    let both = [Some(&cases), development.as_ref()];
    let both = both.into_iter().flatten();
    Ok(Judged {
        metadata: metadata_alone(&rows, Some(&training), &cases),
        studies: both.flat_map(|cases| reads(index, cases)).collect(),
        cases,
        development,
    })
}

/// Judges a finished run: on the locked test where its split has one, else on the validation fold.
///
/// # Errors
/// [`TrainError`] when there is no finished run, or its data cannot be found or are no longer the same.
pub fn evaluate_run(
    folder: &RunFolder,
    options: &JudgeOptions<'_>,
    progress: &dyn Progress,
) -> Result<RunEvaluation, TrainError> {
    let run = JudgedRun::read(folder, options)?;
    let evaluation = options.judge(&run.judged, Some(run.data.prevalence), progress)?;
    Ok(RunEvaluation {
        evaluation,
        part: run.part,
        cases: run.judged.cases,
        data: run.data,
        index: run.index,
        recipe: run.recipe,
        lock: run.lock,
        folder: folder.clone(),
    })
}

/// The report of a run: result, curves, and slices where the model was right and wrong.
///
/// # Errors
/// [`TrainError`] when the run's files cannot be read.
pub fn report(run: &RunEvaluation) -> Result<Report, TrainError> {
    let epochs = folder::read_lines::<EpochMetrics>(&run.folder.metrics())?;
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
            run.data.indexed.data_sets.join(", ")
        ),
        subtitle: subtitle(run),
        provenance: provenance::of_run(&run.recipe, &run.data, &run.lock, run.part)?,
        evaluation: run.evaluation.clone(),
        curves,
        pictures: pictures::examples(&run.cases, &run.index),
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
    let any = falx_core::Label::Any.index();
    let own = run.data.prevalence[any];
    let shown = run
        .data
        .sampler(&run.recipe.sampler)
        .map_or(own, |sampler| sampler.shown()[any]);
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
