//! From an index to answers, study by study.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use falx_core::{Interrupt, Label, Probability, Progress, RESEARCH_USE, Silent};
use falx_data::index::{Index, IndexError, IndexRow, Layout, scan};

use crate::answer::{
    Answer, AnswerHead, Findings, LostFile, LostSlice, ModelNamed, SeriesAnswer, SliceAnswer,
    StudyAnswer,
};
use crate::calibration::calibrated;
use crate::decisions::{LabelRule, presences};
use crate::networks::Members;
use crate::predict::{Given, predict_each};
use crate::studies::{Caveat, NoSuchSeries, SeriesChoice, SeriesFacts, Study, studies};
use crate::{
    Bundle, BundleError, CalibrationLine, InvalidPrior, PredictError, PredictOptions, PriorShift,
    Unreadable, samples,
};

/// The version of an answer's form.
const FORMAT: u32 = 1;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The bundle cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The files cannot be listed or read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A series was asked for that is not there.
    #[error(transparent)]
    Series(#[from] NoSuchSeries),
    /// The slices cannot be predicted.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// A prevalence to which nothing can be shifted.
    #[error(transparent)]
    Prevalence(#[from] InvalidPrior),
}

/// A bundle that answers for studies.
///
/// ```
/// use falx_infer::{Detector, PredictOptions};
/// # use falx_core::{Interrupt, Silent};
/// # use falx_phantom::PhantomOptions;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let head_ct = folder.path().join("head-ct");
/// # let phantom = PhantomOptions { patients: 1, matrix: 64, out: head_ct.clone(), ..PhantomOptions::default() };
/// # falx_phantom::write(&phantom, &Silent, &Interrupt::default())?;
/// // With a model of your own: Detector::load("run/bundle".as_ref(), …)
/// let detector = Detector::in_the_box(PredictOptions::default())?;
/// let answer = detector.study(&[head_ct])?;
/// for study in &answer.studies {
///     if let Some(findings) = &study.findings {
///         println!("{:?}: {:.3}", study.study_uid, findings.any.probability);
///     }
/// }
/// # assert_eq!(answer.studies.len(), 1);
/// # assert!(answer.studies[0].findings.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Detector {
    bundle: Bundle,
    options: PredictOptions,
    choice: SeriesChoice,
    shift: Option<PriorShift>,
    /// Loaded for the first answer, and kept for the next ones, which take turns.
    members: Arc<Mutex<Option<Members>>>,
}

impl Detector {
    /// A detector with the bundle in a folder, whose networks are loaded and checked here.
    ///
    /// # Errors
    /// [`DetectError`] for a folder without a bundle, a damaged bundle, one that learnt from shuffled labels, or a prevalence that nothing can be shifted to.
    pub fn load(folder: &Path, options: PredictOptions) -> Result<Self, DetectError> {
        let detector = Self::new(Bundle::open_unchecked(folder)?.meaningful()?, options)?;
        let (checked, members) =
            rayon::join(|| detector.bundle.check(), || detector.loaded_members());
        // Why a changed part cannot be loaded says less.
        checked?;
        *detector.members() = Some(members?);
        Ok(detector)
    }

    /// A detector with the model that is part of the program.
    ///
    /// # Errors
    /// [`DetectError`] for a prevalence that nothing can be shifted to, or a damaged program.
    pub fn in_the_box(options: PredictOptions) -> Result<Self, DetectError> {
        Ok(Self::new(Bundle::in_the_box()?, options)?)
    }

    /// A detector with a bundle, whose networks are loaded for the first answer.
    ///
    /// # Errors
    /// [`InvalidPrior`] for a prevalence that nothing can be shifted to.
    pub fn new(bundle: Bundle, options: PredictOptions) -> Result<Self, InvalidPrior> {
        Ok(Self {
            shift: bundle.shift_to(options.prevalence)?,
            bundle,
            options,
            choice: SeriesChoice::default(),
            members: Arc::default(),
        })
    }

    fn loaded_members(&self) -> Result<Members, PredictError> {
        Ok(Members::load(&self.bundle, &self.options)?)
    }

    fn members(&self) -> MutexGuard<'_, Option<Members>> {
        // What was left half done holds no slices: these belong to one answer.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same detector with another choice of series.
    #[must_use]
    pub fn with_series(self, choice: SeriesChoice) -> Self {
        Self { choice, ..self }
    }

    /// What is said of the studies in files, folders and archives.
    ///
    /// # Errors
    /// [`DetectError`]; a file that cannot be read is no error but named in the answer.
    pub fn study(&self, sources: &[PathBuf]) -> Result<Answer, DetectError> {
        self.study_until(sources, &Interrupt::default())
    }

    /// The same, which ends early when `interrupt` asks for it.
    ///
    /// # Errors
    /// As [`Detector::study`].
    pub fn study_until(
        &self,
        sources: &[PathBuf],
        interrupt: &Interrupt,
    ) -> Result<Answer, DetectError> {
        let index = scan(sources, Layout::Auto, &Silent, interrupt)?;
        let mut answered = Vec::new();
        let mut take = |study| {
            answered.push(study);
            Ok(())
        };
        let unreadable = self.answer(&index, &mut take, &Silent, interrupt)?;
        Ok(Answer {
            head: self.head(),
            studies: answered,
            unreadable,
        })
    }

    /// The bundle that answers.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// How it uses the machine.
    pub const fn options(&self) -> &PredictOptions {
        &self.options
    }

    /// What stands above the studies.
    pub fn head(&self) -> AnswerHead {
        let manifest = self.bundle.manifest();
        let own = manifest.prevalence[Label::Any.index()];
        let decisions = manifest.decisions.as_ref();
        AnswerHead {
            format: FORMAT,
            falx_version: env!("CARGO_PKG_VERSION").to_owned(),
            notice: RESEARCH_USE.to_owned(),
            model: ModelNamed {
                network: manifest.network.clone(),
                falx_version: manifest.falx_version.clone(),
                sha256: self.bundle.sha256().to_owned(),
                presence_found_on: decisions.map(|rules| rules.found_on.clone()),
                studies_calibrated: !self.study_calibration().is_empty(),
                error_rate: decisions
                    .and_then(|rules| rules.slice.iter().chain(&rules.study).next())
                    .map(|rule| rule.error_rate),
            },
            prevalence: self.options.prevalence.map_or(own, Probability::get),
        }
    }

    /// Gives what is said of every study of an index to `take`, one after the other, as soon as it is known; memory is for
    /// one study. Then the files that are no slices.
    ///
    /// # Errors
    /// [`DetectError`]; what `take` says becomes [`PredictError::Taken`].
    pub fn answer(
        &self,
        index: &Index,
        take: &mut dyn FnMut(StudyAnswer) -> std::io::Result<()>,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Vec<LostFile>, DetectError> {
        let found = studies(index, &self.choice)?;
        let (samples, unreadable) = samples(index)?;
        let is_usable = |(at, row): (usize, &IndexRow)| row.usable.then_some(at);
        let usable: Vec<usize> = index
            .rows
            .iter()
            .enumerate()
            .filter_map(is_usable)
            .collect();
        let mut answers = Answers {
            detector: self,
            rows: &index.rows,
            waiting: found.iter().map(Waiting::new).collect(),
            take,
        };
        let is_asked = |place: &u32| {
            let row = usable.get(*place as usize);
            row.is_some_and(|&row| answers.is_answering(row))
        };
        let places: Arc<[u32]> = samples.all().into_iter().filter(is_asked).collect();
        let mut each = |given: Given| {
            let row = usable.get(given.place() as usize).copied();
            answers.add(row.unwrap_or_default(), given)
        };
        let options = &self.options;
        let mut members = self.members();
        let loaded = match members.take() {
            Some(loaded) => loaded,
            None => self.loaded_members()?,
        };
        predict_each(
            &self.bundle,
            members.insert(loaded),
            &samples,
            &places,
            options,
            &mut each,
            progress,
            interrupt,
        )?;
        answers
            .finish_before(index.rows.len())
            .map_err(PredictError::Taken)?;
        let lost = unreadable.into_iter().map(|file| LostFile {
            path: file.path,
            reasons: file.reasons,
        });
        Ok(lost.collect())
    }

    /// Shifts probabilities of the bundle to the prevalence that was asked for.
    fn shifted(&self, own: [Probability; 6]) -> [Probability; 6] {
        self.shift.map_or(own, |shift| shift.correct(own))
    }

    fn study_calibration(&self) -> &[CalibrationLine] {
        let decisions = self.bundle.manifest().decisions.as_ref();
        decisions.map_or(&[], |rules| &rules.study_calibration)
    }

    fn rules(&self) -> (&[LabelRule], &[LabelRule]) {
        let decisions = self.bundle.manifest().decisions.as_ref();
        decisions.map_or((&[], &[]), |rules| (&rules.slice, &rules.study))
    }
}

/// Studies whose slices come.
struct Answers<'a> {
    detector: &'a Detector,
    rows: &'a [IndexRow],
    waiting: VecDeque<Waiting<'a>>,
    take: &'a mut dyn FnMut(StudyAnswer) -> std::io::Result<()>,
}

impl Answers<'_> {
    /// Whether the row is of a series that answers.
    fn is_answering(&self, row: usize) -> bool {
        // Studies lie one after the other.
        let at = self
            .waiting
            .partition_point(|waiting| waiting.study.rows().end <= row);
        self.waiting
            .get(at)
            .is_some_and(|waiting| waiting.study.answers_with(row))
    }

    /// Takes what came of a row.
    fn add(&mut self, row: usize, given: Given) -> std::io::Result<()> {
        let at = self
            .waiting
            .partition_point(|waiting| waiting.study.rows().end <= row);
        let Some(waiting) = self.waiting.get_mut(at) else {
            return Ok(());
        };
        match given {
            Given::Lost(_, slice) => {
                waiting.lost.push((row, slice));
                // Predictions come later than losses: no study has ended.
                Ok(())
            }
            Given::Prediction(_, prediction) => {
                waiting.slices.push((row, prediction.probabilities));
                let begins = waiting.study.rows().start;
                self.finish_before(begins)
            }
        }
    }

    /// Answers the studies that end before a row of the index.
    fn finish_before(&mut self, row: usize) -> std::io::Result<()> {
        while self
            .waiting
            .front()
            .is_some_and(|waiting| waiting.study.rows().end <= row)
        {
            if let Some(waiting) = self.waiting.pop_front() {
                (self.take)(waiting.answer(self.detector, self.rows))?;
            }
        }
        Ok(())
    }
}

/// A study, and what came of its slices: rows of the index with the bundle's own probabilities.
struct Waiting<'a> {
    study: &'a Study,
    slices: Vec<(usize, [Probability; 6])>,
    lost: Vec<(usize, Unreadable)>,
}

impl<'a> Waiting<'a> {
    const fn new(study: &'a Study) -> Self {
        Self {
            study,
            slices: Vec::new(),
            lost: Vec::new(),
        }
    }

    fn answer(self, detector: &Detector, rows: &[IndexRow]) -> StudyAnswer {
        let study = self.study;
        let others = (0..study.series.len()).filter(|at| !study.answering.contains(at));
        let in_order = study.answering.iter().copied().chain(others);
        let series = in_order.filter_map(|at| study.series.get(at));
        let probabilities = self.slices.iter().map(|(_, own)| *own);
        StudyAnswer {
            study_uid: study.study_uid.as_deref().map(str::to_owned),
            findings: findings(probabilities, detector),
            choice: study.choice.clone(),
            series: series
                .map(|facts| self.series(facts, detector, rows))
                .collect(),
        }
    }

    fn series(&self, facts: &SeriesFacts, detector: &Detector, rows: &[IndexRow]) -> SeriesAnswer {
        let is_of = |row: usize| facts.rows.contains(&row);
        let own: Vec<_> = self.slices.iter().filter(|(row, _)| is_of(*row)).collect();
        let (rules, _) = detector.rules();
        let slices = own.iter().filter_map(|&&(row, probabilities)| {
            let row = rows.get(row)?;
            let shown = detector.shifted(probabilities);
            Some(SliceAnswer {
                image_id: row.image_id.to_string(),
                sop_uid: row.sop_uid.clone(),
                order: row.order,
                z_mm: row.z_mm.map(|z| z.0),
                findings: Findings::new(shown, presences(rules, probabilities)),
                path: row.path.clone(),
            })
        });
        let lost = self.lost.iter().filter(|(row, _)| is_of(*row));
        let lost: Vec<LostSlice> = lost
            .map(|(_, slice)| LostSlice {
                image_id: slice.image_id.to_string(),
                reasons: slice.reasons.clone(),
            })
            .collect();
        let mut caveats = facts.caveats.clone();
        if !lost.is_empty() && !caveats.contains(&Caveat::UnreadableSlices) {
            caveats.insert(0, Caveat::UnreadableSlices);
        }
        SeriesAnswer {
            series_uid: facts.series_uid.as_deref().map(str::to_owned),
            description: facts.words(),
            refused: facts.refused,
            caveats,
            findings: findings(own.iter().map(|(_, own)| *own), detector),
            slices: slices.collect(),
            lost,
        }
    }
}

/// The probabilities of a study or series from its slices' own, and what the rules of studies say of them; `None` of no
/// slices.
///
/// The highest slice's, or what the bundle makes of that.
fn findings(own: impl Iterator<Item = [Probability; 6]>, detector: &Detector) -> Option<Findings> {
    let mut highest: Option<([Probability; 6], [Probability; 6])> = None;
    for own in own {
        let shown = detector.shifted(own);
        highest = Some(highest.map_or((own, shown), |(a, b)| (higher(a, own), higher(b, shown))));
    }
    let (own, mut shown) = highest?;
    let lines = detector.study_calibration();
    if !lines.is_empty() {
        shown = detector.shifted(calibrated(lines, own));
    }
    Some(Findings::new(shown, presences(detector.rules().1, own)))
}

fn higher(a: [Probability; 6], b: [Probability; 6]) -> [Probability; 6] {
    std::array::from_fn(|at| {
        if b[at].get() > a[at].get() {
            b[at]
        } else {
            a[at]
        }
    })
}

#[cfg(test)]
mod tests;
