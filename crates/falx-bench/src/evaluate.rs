//! Scores with their intervals: time and memory of a bootstrap by patient at the scale of a whole data set, beside `NumPy`.

mod numpy;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use falx_core::{
    ImageId, Interrupt, LABELS, LabelRow, PatientId, Probability, Progress, Silent, random,
};
use falx_data::index::read_listing;
use falx_eval::{Case, EvaluateOptions};
use rand::RngExt;
use serde::Serialize;
use serde_json::Value;

use crate::BenchError;
use crate::files::{self, FilesReport};
use crate::index::forget_peak;
use crate::io::status_mib;
use crate::report::median;

/// Slices of RSNA's stage 2, and how many of them are positive for each label.
const SLICES: usize = 752_803;
const POSITIVES: [f64; 6] = [3145.0, 36118.0, 26205.0, 35675.0, 47166.0, 107_933.0];

/// What to measure of evaluating.
#[derive(Clone, Debug)]
pub struct EvaluateBenchOptions {
    /// A Parquet table of labelled slices; none stands for labels of the same shape and prevalence, made for this.
    pub table: Option<PathBuf>,
    /// Slices to make where there is no table; none stands for as many as RSNA's stage 2 has.
    pub slices: Option<usize>,
    /// The Python whose `NumPy` is the peer, if there is to be one.
    pub python: Option<PathBuf>,
    /// Resamples of the patients.
    pub draws: u32,
    /// Resamples that the peer makes; its time is scaled to `draws`.
    pub peer_draws: u32,
    /// How often everything is measured.
    pub rounds: usize,
    /// Measure the linter and the readers of predictions too.
    pub files: bool,
    /// Threads.
    pub threads: usize,
    /// Where the scores start.
    pub seed: u64,
}

/// What came out; ratios above 1 mean that falx is better.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluateReport {
    /// Slices scored.
    pub slices: usize,
    /// Patients resampled.
    pub patients: usize,
    /// Resamples.
    pub draws: u32,
    /// How often everything was measured.
    pub rounds: usize,
    /// Threads of falx; `NumPy` has one.
    pub threads: usize,
    /// Seconds for all scores and their intervals, median.
    pub seconds: f64,
    /// Peak memory of the process while it evaluated, cases included.
    pub peak_mib: Option<f64>,
    /// Beside `NumPy`.
    pub numpy: Option<Numpy>,
    /// Seconds of `NumPy` beside falx's, in pairs of rounds.
    pub time_ratio: Option<f64>,
    /// Peak memory of `NumPy` beside falx's.
    pub memory_ratio: Option<f64>,
    /// The linter and the readers.
    pub files: Option<FilesReport>,
}

/// The peer's side.
#[derive(Clone, Debug, Serialize)]
pub struct Numpy {
    /// Resamples made.
    pub draws_made: u32,
    /// Seconds for those, median.
    pub seconds_made: f64,
    /// Seconds for sorting and the point values, once.
    pub setup_seconds: f64,
    /// Seconds for as many resamples as falx made: set-up, and the draws scaled linearly.
    pub seconds: f64,
    /// Its peak memory.
    pub peak_mib: f64,
    /// The largest distance of a point value to falx's.
    pub largest_difference: f64,
    /// How many point values were compared.
    pub compared: usize,
    /// What it runs on.
    pub versions: String,
}

impl EvaluateReport {
    /// As text.
    pub fn to_text(&self) -> String {
        let mib =
            |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
        // Writing to a String cannot fail.
        let mut text = format!(
            "{} slices of {} patients, {} draws, {} rounds; median\n  falx, {} threads    {:>8.2} s   peak memory {}\n",
            self.slices,
            self.patients,
            self.draws,
            self.rounds,
            self.threads,
            self.seconds,
            mib(self.peak_mib)
        );
        if let Some(numpy) = &self.numpy {
            let ratio = |r: Option<f64>| r.map_or(String::new(), |r| format!(" (falx {r:.1} x)"));
            let _ = writeln!(
                text,
                "  NumPy, 1 thread    {:>8.2} s{}   peak memory {}{}",
                numpy.seconds,
                ratio(self.time_ratio),
                mib(Some(numpy.peak_mib)),
                ratio(self.memory_ratio)
            );
            let _ = writeln!(
                text,
                "NumPy made {} draws in {:.2} s after {:.2} s of sorting; the draws are scaled to {}",
                numpy.draws_made, numpy.seconds_made, numpy.setup_seconds, self.draws
            );
            let _ = writeln!(
                text,
                "largest difference of {} point values: {:.1e} ({})",
                numpy.compared, numpy.largest_difference, numpy.versions
            );
        }
        if let Some(files) = &self.files {
            text.push_str(&files.to_text());
        }
        text
    }
}

/// Measures how fast cases become scores with intervals.
///
/// # Errors
/// [`BenchError`] where there is nothing to score, the peer does not run, or its point values differ from falx's.
pub fn measure(
    options: &EvaluateBenchOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<EvaluateReport, BenchError> {
    let folder = tempfile::tempdir()?;
    let cases = match &options.table {
        Some(table) => scored(labelled(table)?, options.seed),
        None => scored(
            made(options.slices.unwrap_or(SLICES), options.seed),
            options.seed,
        ),
    };
    let patients = number(&cases);
    let mut peer = options
        .python
        .as_deref()
        .map(|python| numpy::start(python, folder.path(), &cases, &patients))
        .transpose()?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()?;
    let settings = EvaluateOptions {
        replicates: options.draws,
        seed: options.seed,
        ..EvaluateOptions::default()
    };
    let (mut ours, mut theirs, mut made, mut beside) = (vec![], vec![], vec![], vec![]);
    let mut point = Value::Null;
    let mut peak_mib = None;
    progress.begin("measuring", Some(options.rounds as u64));
    for round in 0..options.rounds {
        if interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        forget_peak();
        let start = Instant::now();
        let evaluation = pool.install(|| falx_eval::evaluate(&cases, &settings, &Silent))?;
        let seconds = start.elapsed().as_secs_f64();
        peak_mib = peak_mib
            .into_iter()
            .chain(status_mib("VmHWM"))
            .reduce(f64::max);
        point = serde_json::to_value(&evaluation).unwrap_or_default();
        ours.push(seconds);
        if let Some(peer) = &mut peer {
            let for_these = peer.draw(options.peer_draws, round as u64)?;
            let scale = f64::from(options.draws) / f64::from(options.peer_draws.max(1));
            let all = peer.setup_seconds + for_these * scale;
            made.push(for_these);
            theirs.push(all);
            beside.push(all / seconds);
        }
        progress.advance(1);
    }
    progress.finish();
    let numpy = peer
        .map(|mut peer| {
            let (compared, largest_difference) = numpy::compare(&point, &peer.point)?;
            Ok::<_, BenchError>(Numpy {
                draws_made: options.peer_draws,
                seconds_made: median(&made),
                setup_seconds: peer.setup_seconds,
                seconds: median(&theirs),
                peak_mib: peer.peak_mib()?,
                largest_difference,
                compared,
                versions: peer.point["versions"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            })
        })
        .transpose()?;
    let files = options
        .files
        .then(|| pool.install(|| files::measure(&cases, options.rounds, folder.path(), interrupt)))
        .transpose()?;
    Ok(EvaluateReport {
        slices: cases.len(),
        patients: patients.1,
        draws: options.draws,
        rounds: options.rounds,
        threads: options.threads,
        seconds: median(&ours),
        peak_mib,
        time_ratio: numpy.as_ref().map(|_| median(&beside)),
        memory_ratio: numpy
            .as_ref()
            .zip(peak_mib)
            .map(|(numpy, mib)| numpy.peak_mib / mib),
        numpy,
        files,
    })
}

/// A slice's id, its patient, and its labels.
type Labelled = (ImageId, PatientId, LabelRow);

/// Slices of a table that have all six labels. Without a patient the study, then the slice itself stands for one.
fn labelled(table: &Path) -> Result<Vec<Labelled>, BenchError> {
    let rows: Vec<Labelled> = read_listing(table)?
        .into_iter()
        .filter(|row| row.labels.is_complete())
        .map(|row| {
            let patient = row.patient.unwrap_or_else(|| {
                let study = row.study_uid.as_deref();
                PatientId::from(study.unwrap_or(row.image_id.as_str()))
            });
            (row.image_id, patient, row.labels)
        })
        .collect();
    if rows.is_empty() {
        return Err(BenchError::NoLabels {
            table: table.to_owned(),
        });
    }
    Ok(rows)
}

/// Slices of RSNA's prevalence, forty a patient; two patients of five have a haemorrhage.
fn made(slices: usize, seed: u64) -> Vec<Labelled> {
    let ill = 0.4;
    (0..slices)
        .map(|slice| {
            let patient = slice / 40;
            let mut chance = random::stream(seed, "bench patients", &[patient as u64]);
            let is_ill = chance.random::<f64>() < ill;
            let mut chance = random::stream(seed, "bench labels", &[slice as u64]);
            let mut labels = LabelRow([Some(false); 6]);
            for (label, positives) in LABELS.into_iter().zip(POSITIVES) {
                let share = positives / SLICES as f64 / ill;
                labels.set(label, is_ill && chance.random::<f64>() < share);
            }
            let image = ImageId(format!("ID_{slice:09x}"));
            (image, PatientId(format!("P{patient:06}")), labels)
        })
        .collect()
}

/// Cases whose predictions know something: a logit that is 2.5 higher for positives, with normal noise.
fn scored(rows: Vec<Labelled>, seed: u64) -> Vec<Case> {
    let mut chance = random::stream(seed, "bench scores", &[]);
    let mut normal = move || {
        let (a, b): (f64, f64) = (chance.random(), chance.random());
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    };
    rows.into_iter()
        .map(|(image_id, patient, truth)| {
            let mut prediction = [Probability::default(); 6];
            for ((p, truth), positives) in prediction.iter_mut().zip(truth.0).zip(POSITIVES) {
                let share = positives / SLICES as f64;
                let shift = if truth == Some(true) { 2.5 } else { 0.0 };
                *p = Probability::from_logit(
                    (share / (1.0 - share)).ln() - 1.0 + shift + 1.2 * normal(),
                );
            }
            Case {
                image_id,
                patient,
                study: None,
                series: None,
                order: None,
                attributes: None,
                truth,
                prediction,
            }
        })
        .collect()
}

/// Each case's patient as a number, and how many patients there are.
fn number(cases: &[Case]) -> (Vec<u32>, usize) {
    let mut numbers: HashMap<&PatientId, u32> = HashMap::new();
    let list = cases
        .iter()
        .map(|case| {
            let next = numbers.len() as u32;
            *numbers.entry(&case.patient).or_insert(next)
        })
        .collect();
    (list, numbers.len())
}

#[cfg(test)]
mod tests;
