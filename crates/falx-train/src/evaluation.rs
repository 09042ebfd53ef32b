//! A finished run, or those of a cross-validation, judged and shown.

use falx_core::Progress;
use falx_data::index::Index;
use falx_eval::report::Report;
use falx_eval::{Case, Evaluation};

use crate::cases::{Rows, case, metadata_alone, reads};
use crate::data::RunData;
use crate::folder::{Part, RunFolder};
use crate::held::Held;
use crate::judge::{JudgeOptions, Judged};
use crate::lock::RunLock;
use crate::{Recipe, TrainError, pictures, provenance};

/// A run's evaluation and what a report needs besides.
pub struct RunEvaluation {
    /// The scores.
    pub evaluation: Evaluation,
    /// On which part they were measured.
    pub part: Part,
    cases: Vec<Case>,
    data: RunData,
    held: Held,
    index: Index,
    recipe: Recipe,
    lock: RunLock,
    folder: RunFolder,
}

/// A finished run, or several, read but not scored.
pub(crate) struct JudgedRun {
    pub(crate) judged: Judged,
    pub(crate) data: RunData,
    pub(crate) held: Held,
    pub(crate) index: Index,
    pub(crate) part: Part,
    pub(crate) recipe: Recipe,
    pub(crate) lock: RunLock,
}

impl JudgedRun {
    pub(crate) fn read(folder: &RunFolder, options: &JudgeOptions<'_>) -> Result<Self, TrainError> {
        let held = Held::of(folder)?;
        let (recipe, data, lock) = held.load(folder)?;
        let part = data.judged_part();
        if !held.predictions(folder, part).is_file() {
            return Err(TrainError::Unfinished(folder.path().to_owned()));
        }
        let index = Index::read(&recipe.data.index)?;
        let judged = judged(folder, &held, (&data, &index), part, options)?;
        Ok(Self {
            judged,
            data,
            held,
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
    held: &Held,
    (data, index): (&RunData, &Index),
    part: Part,
    options: &JudgeOptions<'_>,
) -> Result<Judged, TrainError> {
    let mut attributes = options.attributes(Some(index))?;
    let rows = Rows::new(index);
    let mut read = |part: Part| -> Result<Vec<Case>, TrainError> {
        let predictions = falx_eval::predictions::read_csv(&held.predictions(folder, part))?;
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
    let training = held.training_rows(data, part)?;
    let both = [Some(&cases), development.as_ref()];
    let both = both.into_iter().flatten();
    Ok(Judged {
        metadata: metadata_alone(&rows, training.as_deref(), &cases),
        studies: both.flat_map(|cases| reads(index, cases)).collect(),
        cases,
        development,
    })
}

/// Judges a finished run: on the locked test where its split has one, else on the validation fold. Of a cross-validation the
/// locked test is judged by the mean of its runs, and what is out of fold by one run each.
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
        held: run.held,
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
    Ok(Report {
        title: format!(
            "{} on {}",
            run.recipe.networks(),
            run.data.indexed.data_sets.join(", ")
        ),
        subtitle: subtitle(run),
        provenance: run.held.told(
            &run.folder,
            provenance::of_run(
                &run.recipe,
                &run.data,
                &run.lock,
                (run.part, run.held.chose(&run.folder)),
            )?,
            run.part,
        ),
        evaluation: run.evaluation.clone(),
        curves: run.held.curves(&run.folder)?,
        pictures: pictures::examples(&run.cases, &run.index),
        notes: notes(run),
    })
}

fn subtitle(run: &RunEvaluation) -> String {
    format!(
        "Judged on {} slices of {} {}.",
        run.evaluation.slices,
        run.evaluation.patients,
        run.held.whose(&run.folder, run.part)
    )
}

fn notes(run: &RunEvaluation) -> Vec<String> {
    let mut notes = run.held.notes(&run.folder, run.part);
    let any = falx_core::Label::Any.index();
    let own = run.data.prevalence[any];
    let shown = run
        .data
        .sampler(&run.recipe.sampler)
        .map_or(own, |sampler| sampler.shown()[any]);
    if shown != own {
        let remedy = match run.recipe.sequence {
            Some(_) => {
                "the network over series was shown every slice alike, and needs no correction"
            }
            None => "every prediction is corrected for this",
        };
        notes.push(format!(
            "Training showed the network {:.1} % slices with haemorrhage where the data has {:.1} %; {remedy}.",
            100.0 * shown,
            100.0 * own
        ));
    }
    notes
}
