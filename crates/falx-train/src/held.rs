//! What a folder holds that can be judged: one run, or the runs of a cross-validation.

use std::path::PathBuf;

use falx_eval::Provenance;
use falx_eval::report::TrainingCurve;

use crate::cross_validation::{self, CrossValidation, fold_folder, out_of_fold};
use crate::data::RunData;
use crate::folder::{self, CROSS_VALIDATION, Part, RunFolder};
use crate::lock::RunLock;
use crate::{EpochMetrics, Recipe, TrainError};

/// What a folder holds that can be judged.
pub(crate) enum Held {
    /// One run.
    Run,
    /// A run a fold: its validation fold is all folds, each predicted by the run that did not learn from it.
    Folds(Box<CrossValidation>),
}

impl Held {
    pub(crate) fn of(folder: &RunFolder) -> Result<Self, TrainError> {
        let path = folder.path();
        if folder.lock().is_file() {
            return Ok(Self::Run);
        }
        if path.join(CROSS_VALIDATION).is_file() {
            return Ok(Self::Folds(Box::new(cross_validation::read(path)?)));
        }
        Err(if cross_validation::has_folds(path) {
            TrainError::UnfinishedFolds(path.to_owned())
        } else {
            TrainError::NoRun(path.to_owned())
        })
    }

    /// The recipe, data and lock, checked to be those that were trained with; of several runs the first one's.
    pub(crate) fn load(
        &self,
        folder: &RunFolder,
    ) -> Result<(Recipe, RunData, RunLock), TrainError> {
        let runs = self.runs(folder);
        let mut first = None;
        for run in &runs {
            if !run.lock().is_file() {
                return Err(TrainError::NoRun(run.path().to_owned()));
            }
            let lock: RunLock = folder::read_toml(&run.lock())?;
            let recipe = Recipe::read(&run.recipe())?;
            let data = RunData::load(&recipe)?;
            lock.check_data(&data, run.path())?;
            first.get_or_insert((recipe, data, lock));
        }
        let Some((recipe, data, lock)) = first else {
            return Err(TrainError::NoRun(folder.path().to_owned()));
        };
        let data = match self {
            Self::Run => data,
            Self::Folds(_) => RunData::of_folds(&recipe, &self.folds())?,
        };
        Ok((recipe, data, lock))
    }

    /// Where the predictions of a part lie.
    pub(crate) fn predictions(&self, folder: &RunFolder, part: Part) -> PathBuf {
        match (self, part) {
            (Self::Folds(_), Part::Validation) => out_of_fold(folder.path()),
            _ => folder.predictions(part),
        }
    }

    /// The slices, by their rows, that were learnt from and that nobody is judged on.
    pub(crate) fn training_rows(
        &self,
        data: &RunData,
        judged: Part,
    ) -> Result<Option<Vec<usize>>, TrainError> {
        // Out of fold, every judged slice was learnt from by some run: a baseline must be found across them likewise.
        if matches!((self, judged), (Self::Folds(_), Part::Validation)) {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for at in data.training.labelled() {
            rows.push(data.training.row(at)? as usize);
        }
        Ok(Some(rows))
    }

    fn folds(&self) -> Vec<u32> {
        match self {
            Self::Run => Vec::new(),
            Self::Folds(reached) => reached.folds.iter().map(|fold| fold.fold).collect(),
        }
    }

    /// The runs.
    pub(crate) fn runs(&self, folder: &RunFolder) -> Vec<RunFolder> {
        match self {
            Self::Run => vec![folder.clone()],
            Self::Folds(_) => {
                let folds = self.folds().into_iter();
                folds.map(|fold| fold_folder(folder.path(), fold)).collect()
            }
        }
    }

    /// How training went, stage by stage: of several runs, the validation losses alone.
    pub(crate) fn curves(&self, folder: &RunFolder) -> Result<Vec<TrainingCurve>, TrainError> {
        let mut curves = Vec::new();
        for (run, fold) in self.runs(folder).iter().zip(self.names()) {
            let second = RunFolder::new(run.sequence());
            for (stage, of) in [(run, ""), (&second, " over series")] {
                let epochs = folder::read_lines::<EpochMetrics>(&stage.metrics())?;
                if epochs.is_empty() {
                    continue;
                }
                let points = |value: fn(&EpochMetrics) -> f64| {
                    let points = epochs.iter();
                    points
                        .map(|line| (line.epoch as f64, value(line)))
                        .collect()
                };
                curves.push(TrainingCurve {
                    name: format!("{fold}validation loss{of}"),
                    points: points(|line| line.validation_loss),
                    baseline: epochs.last().map(|line| line.validation_baseline),
                });
                if matches!(self, Self::Run) {
                    curves.push(TrainingCurve {
                        name: format!("training loss{of}"),
                        points: points(|line| line.training_loss),
                        baseline: None,
                    });
                }
            }
        }
        Ok(curves)
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Run => vec![String::new()],
            Self::Folds(_) => {
                let folds = self.folds().into_iter();
                folds.map(|fold| format!("fold {fold}, ")).collect()
            }
        }
    }

    /// Whether an epoch was chosen on the validation fold: where weights were averaged, none was.
    pub(crate) fn chose(&self, folder: &RunFolder) -> bool {
        match self {
            // A second stage chooses one of its own epochs, whatever the first does.
            Self::Run => !folder.averaged().is_file() || folder.sequence().is_dir(),
            Self::Folds(reached) => reached.folds.iter().any(|fold| fold.epoch.is_some()),
        }
    }

    /// Whose slices are judged, as the report says it.
    pub(crate) fn whose(&self, folder: &RunFolder, part: Part) -> &'static str {
        match (self, part, self.chose(folder)) {
            (Self::Run, Part::Test, _) => {
                "patients that neither training nor the choice of the epoch ever saw"
            }
            (Self::Run, Part::Validation, true) => {
                "patients that training never saw, and that chose the epoch"
            }
            (Self::Run, Part::Validation, false) => {
                "patients that training never saw, and that chose no epoch"
            }
            (Self::Folds(_), Part::Test, _) => {
                "patients that no run ever saw, neither in training nor in the choice of its epoch; predicted is the mean of \
                 all runs"
            }
            (Self::Folds(_), Part::Validation, true) => {
                "patients, each predicted by the run that never learnt from them, and whose epoch was chosen on their fold"
            }
            (Self::Folds(_), Part::Validation, false) => {
                "patients, each predicted by the run that never learnt from them, and that chose no epoch"
            }
        }
    }

    /// What a reader must know of scores on the validation fold, or of thresholds found there.
    pub(crate) fn notes(&self, folder: &RunFolder, part: Part) -> Vec<String> {
        let is_several = matches!(self, Self::Folds(_));
        let notes: &[&str] = match (part, is_several) {
            (Part::Test, false) => &[],
            (Part::Test, true) => &[
                "Thresholds and corrections are found on predictions out of fold, each by one run, and used on the mean of all \
                 runs, which is less extreme.",
            ],
            (Part::Validation, _) if !self.chose(folder) => &[
                "The split locks no patients away. The weights are the mean of several epochs', so none was chosen on the slices \
                 judged here; whatever else was chosen in view of them makes the scores too good.",
            ],
            (Part::Validation, _) => &[
                "The split locks no patients away, so the slices judged here also chose the best epoch: the scores are \
                 a little too good. `falx split --test-fraction 0.2` locks a fifth of the patients.",
            ],
        };
        let mut notes: Vec<String> = notes.iter().map(|&note| note.to_owned()).collect();
        if is_several && part == Part::Validation {
            notes.push(
                "The scores are those of single runs; the mean of all runs, which the bundle predicts, was judged on nothing."
                    .to_owned(),
            );
        }
        notes
    }

    /// What several runs have that one has not.
    pub(crate) fn told(
        &self,
        folder: &RunFolder,
        provenance: Provenance,
        judged: Part,
    ) -> Provenance {
        let Self::Folds(reached) = self else {
            return provenance;
        };
        let folds: Vec<String> = self.folds().iter().map(ToString::to_string).collect();
        let folds = folds.join(", ");
        let whole = &reached.out_of_fold;
        let choice = if self.chose(folder) {
            "which chooses its epoch"
        } else {
            "which chooses nothing"
        };
        let slices = match judged {
            Part::Test => reached.locked_test.map_or(0, |test| test.slices),
            Part::Validation => whole.slices,
        };
        Provenance {
            partition: Some(format!(
                "By patient; no patient, study, series, id or picture is on two sides. One run for each of the folds {folds}, \
                 {choice}; fold −1 is locked"
            )),
            learnt_from: Some("by each run, the slices of all folds but its own".to_owned()),
            developed_on: Some(format!("{} slices out of fold", whole.slices)),
            judged_on: Some(format!("{slices} slices of {}", self.whose(folder, judged))),
            selection: if self.chose(folder) {
                Some(
                    "Of each run, the epoch with the lowest weighted log loss on its fold"
                        .to_owned(),
                )
            } else {
                provenance.selection.clone()
            },
            ensemble: Some(format!(
                "The mean of the probabilities of {} runs, one a fold; out of fold one run alone",
                reached.folds.len()
            )),
            commands: [
                "falx train recipe.toml --folds all --out CV",
                "falx evaluate CV --html report.html",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..provenance
        }
    }
}
