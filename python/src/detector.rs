//! A model that answers for studies.

use std::path::PathBuf;
use std::thread::{self, available_parallelism};

use crossbeam_channel::{RecvTimeoutError, bounded};
use falx_core::{Interrupt, Probability};
use falx_infer::{Answer, PredictOptions, SeriesChoice};
use pyo3::prelude::*;

use crate::LISTEN;
use crate::error::Failure;
use crate::options;

/// A trained model that answers for studies: a path of a bundle, or nothing for the model in the box.
///
/// It is loaded once and answers often; threads that share it take turns. Answers do not depend on `threads`.
#[pyclass(frozen, module = "falx")]
pub struct Detector {
    detector: falx_infer::Detector,
}

/// Paths as Python gives them.
#[derive(FromPyObject)]
pub enum Paths {
    /// One.
    One(PathBuf),
    /// Several.
    Several(Vec<PathBuf>),
}

/// Which series are answered.
#[derive(FromPyObject)]
pub enum Series {
    /// `best` or `all`.
    Word(String),
    /// Series Instance UIDs.
    These(Vec<String>),
}

#[pymethods]
impl Detector {
    #[new]
    #[pyo3(signature = (model=None, *, series=None, prevalence=None, flip=false, threads=None, memory="256MiB"))]
    fn new(
        py: Python<'_>,
        model: Option<PathBuf>,
        series: Option<Series>,
        prevalence: Option<f64>,
        flip: bool,
        threads: Option<usize>,
        memory: &str,
    ) -> PyResult<Self> {
        let options = PredictOptions {
            memory_mib: options::mebibytes("memory", memory)?,
            threads: threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)),
            prevalence: prevalence.map(share).transpose()?,
            flip,
            ..PredictOptions::default()
        };
        let choice = choice(series)?;
        let detector = py.detach(|| match model {
            Some(model) => falx_infer::Detector::load(&model, options),
            None => falx_infer::Detector::in_the_box(options),
        });
        let detector = detector.map_err(Failure::from)?.with_series(choice);
        Ok(Self { detector })
    }

    /// What the model says of the studies in files, folders and archives, as `falx predict --format json` writes it.
    ///
    /// A file that cannot be read is no error: the answer names it.
    fn study(&self, py: Python<'_>, paths: Paths) -> PyResult<Py<PyAny>> {
        let paths = match paths {
            Paths::One(path) => vec![path],
            Paths::Several(paths) => paths,
        };
        if paths.is_empty() {
            return Err(Failure::option("give at least one path").into());
        }
        let interrupt = Interrupt::default();
        let (detector, paths, stop) = (&self.detector, &paths, &interrupt);
        let answer = thread::scope(|scope| -> PyResult<Answer> {
            let (answers, answer) = bounded(1);
            let work = move || _ = answers.send(detector.study_until(paths, stop));
            let worker = thread::Builder::new().name("falx-detector".to_owned());
            worker
                .spawn_scoped(scope, work)
                .map_err(|error| Failure::bug(format!("no thread can be started: {error}")))?;
            loop {
                // Other Python threads run while this one waits.
                match py.detach(|| answer.recv_timeout(LISTEN)) {
                    Ok(answer) => return answer.map_err(|error| Failure::from(error).into()),
                    Err(RecvTimeoutError::Timeout) => {
                        // The worker ends after its batch.
                        py.check_signals().inspect_err(|_| stop.request())?;
                    }
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Failure::bug("the detector's thread ended early").into());
                    }
                }
            }
        });
        let answer = serde_json::to_string(&answer?).map_err(Failure::bug)?;
        let answer = py.import("json")?.call_method1("loads", (answer,))?;
        Ok(answer.unbind())
    }

    fn __repr__(&self) -> String {
        format!("<falx.Detector {}>", self.detector.head().model.network)
    }
}

/// A share that odds can be made of.
fn share(prevalence: f64) -> Result<Probability, Failure> {
    let share = Probability::new(prevalence).ok();
    let share = share.filter(|_| prevalence > 0.0 && prevalence < 1.0);
    share.ok_or_else(|| Failure::option("prevalence: give a share between 0 and 1, as 0.14"))
}

fn choice(series: Option<Series>) -> Result<SeriesChoice, Failure> {
    match series {
        None => Ok(SeriesChoice::Best),
        Some(Series::These(uids)) => Ok(SeriesChoice::These(uids)),
        Some(Series::Word(word)) => match word.as_str() {
            "best" => Ok(SeriesChoice::Best),
            "all" => Ok(SeriesChoice::All),
            _ => Err(Failure::option(
                "series: give \"best\", \"all\", or a list of Series Instance UIDs",
            )),
        },
    }
}
