//! Runs and files of predictions, side by side.

use std::path::{Path, PathBuf};

use falx_core::Progress;
use falx_eval::Scale;
use falx_eval::compare::{Comparison, Entry, RunFacts, compare};

use crate::evaluation::JudgedRun;
use crate::held::Held;
use crate::judge::{JudgeOptions, Judged};
use crate::predictions::{JoinedPredictions, PredictionFiles};
use crate::{RunFolder, TrainError, run_facts};

/// A run's folder or a file of predictions, and what to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// What the table calls it.
    pub name: String,
    /// A run's folder, or predictions.
    pub path: PathBuf,
}

/// A path, or `NAME=path`; without a name the folder's, or the file's without its ending.
impl From<&str> for Contender {
    fn from(text: &str) -> Self {
        let named = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty() && !Path::new(text).exists());
        if let Some((name, path)) = named {
            return Self {
                name: name.to_owned(),
                path: path.into(),
            };
        }
        let path = PathBuf::from(text);
        let name = if path.is_dir() {
            path.file_name()
        } else {
            path.file_stem()
        };
        let name = name.map(|name| name.to_string_lossy().into_owned());
        Self {
            name: name.unwrap_or_else(|| text.to_owned()),
            path,
        }
    }
}

/// What a comparison is made from.
#[derive(Clone, Copy, Debug)]
pub struct Contest<'a> {
    /// Who is compared.
    pub contenders: &'a [Contender],
    /// The one that the others are compared with; else the first.
    pub reference: Option<&'a str>,
    /// The truth of files of predictions.
    pub labels: Option<&'a Path>,
    /// Names their patients and studies.
    pub index: Option<&'a Path>,
    /// What the numbers of files of predictions mean.
    pub scale: Scale,
}

/// Judges every run (on its locked test, else its validation fold) and every file of predictions on the slices that all
/// have.
///
/// # Errors
/// [`TrainError`] when an input cannot be used, or there is nothing in common.
pub fn compare_models(
    contest: &Contest<'_>,
    options: &JudgeOptions<'_>,
    progress: &dyn Progress,
) -> Result<Comparison, TrainError> {
    let mut entries = Vec::with_capacity(contest.contenders.len());
    for contender in contest.contenders {
        let Read {
            judged,
            train_prevalence,
            run,
        } = read(contender, contest, options)?;
        entries.push(Entry {
            name: contender.name.clone(),
            cases: judged.cases,
            train_prevalence,
            blind: judged.metadata.into_iter().collect(),
            studies: judged.studies,
            run,
        });
    }
    let options = options.evaluate(None);
    Ok(compare(&entries, contest.reference, &options, progress)?)
}

/// What is judged, and what is known of a run besides.
struct Read {
    judged: Judged,
    train_prevalence: Option<[f64; 6]>,
    run: Option<RunFacts>,
}

fn read(
    contender: &Contender,
    contest: &Contest<'_>,
    options: &JudgeOptions<'_>,
) -> Result<Read, TrainError> {
    if contender.path.is_dir() {
        let folder = RunFolder::new(&contender.path);
        let run = JudgedRun::read(&folder, options)?;
        let facts = match run.held {
            Held::Run => Some(run_facts::of(&folder, &run)?),
            Held::Folds(_) => None,
        };
        return Ok(Read {
            judged: run.judged,
            train_prevalence: Some(run.data.prevalence),
            run: facts,
        });
    }
    let files = PredictionFiles {
        predictions: &contender.path,
        labels: contest.labels,
        index: contest.index,
        development: None,
        scale: contest.scale,
    };
    Ok(Read {
        judged: JoinedPredictions::read(&files, options)?.judged,
        train_prevalence: None,
        run: None,
    })
}
