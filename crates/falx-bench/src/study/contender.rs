//! Processes that answer for the same studies with the same network, and wait for their turns.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use falx_infer::{MODEL_ONNX, PredictOptions, RuntimeKind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::StudyBenchOptions;
use super::material::Material;
use crate::BenchError;
use crate::python::Process;
use crate::turns::{Cost, difference};

const SCRIPT: &str = include_str!("../study_peer.py");
const NEEDS: &str = "pydicom numpy opencv-python-headless onnxruntime";
const OURS: &str = "nothing; falx has said above why it failed";
/// The peer's ways: whether threads read ahead.
const WAYS: [(bool, &str); 2] = [(false, "Python, in turn"), (true, "Python, reading ahead")];

/// What a process says of a study.
#[derive(Deserialize)]
struct Answered {
    wall_ms: f64,
    cpu_ms: f64,
    peak_mib: Option<f64>,
    probabilities: Vec<[f64; 6]>,
}

/// Who answers.
enum Who {
    /// With this program, a run-time, a bundle, and so many threads.
    Falx(PathBuf, RuntimeKind, PathBuf, usize),
    /// With this Python.
    Python(PathBuf),
}

/// A process with a loaded network, and how to start another.
pub struct Contender {
    who: Who,
    pub name: &'static str,
    setup: Value,
    process: Process,
    pub versions: String,
    pub costs: Vec<Cost>,
    /// Milliseconds from the start of a process to what it says of a slice.
    pub cold_ms: Vec<f64>,
    /// The most memory of the process.
    pub peak_mib: Option<f64>,
    /// What many thin slices take, in a process of their own.
    pub thin: Option<(f64, Option<f64>)>,
    probabilities: Vec<[f64; 6]>,
}

impl Contender {
    /// falx with its run-times, then the peer's ways.
    pub fn start_all(
        options: &StudyBenchOptions,
        material: &Material,
    ) -> Result<Vec<Self>, BenchError> {
        let threads = options.threads;
        let program = std::env::current_exe()?;
        let mut all = Vec::new();
        for &kind in &options.runtimes {
            let name = match kind {
                RuntimeKind::Falx => "falx",
                RuntimeKind::Rten => "falx with rten",
                RuntimeKind::Ort => "falx with ort",
            };
            let setup = json!({ "bundle": material.bundle, "threads": threads });
            let who = Who::Falx(program.clone(), kind, material.bundle.clone(), threads);
            all.push(Self::start(who, name, setup)?);
        }
        let windows = material.input.windows.iter();
        let windows: Vec<[f32; 2]> = windows.map(|&window| window.into()).collect();
        for (ahead, name) in WAYS {
            let Some(python) = &options.python else { break };
            let setup = json!({
                "model": material.bundle.join(MODEL_ONNX),
                "size": material.input.size,
                "windows": windows,
                "batch": PredictOptions::default().batch,
                "ahead": ahead,
                "threads": threads,
            });
            all.push(Self::start(Who::Python(python.clone()), name, setup)?);
        }
        Ok(all)
    }

    fn start(who: Who, name: &'static str, setup: Value) -> Result<Self, BenchError> {
        let mut process = who.process()?;
        let answer = process.ask(&json!({ "setup": setup }))?;
        Ok(Self {
            who,
            name,
            setup,
            process,
            versions: answer["versions"].as_str().unwrap_or_default().to_owned(),
            costs: Vec::new(),
            cold_ms: Vec::new(),
            peak_mib: None,
            thin: None,
            probabilities: Vec::new(),
        })
    }

    /// Whether it is falx.
    pub const fn is_ours(&self) -> bool {
        matches!(self.who, Who::Falx(..))
    }

    /// One answer of the process that waits, which may be a warm-up.
    pub fn answer(&mut self, study: &Path, counts: bool) -> Result<(), BenchError> {
        let answered = ask(&mut self.process, study)?;
        self.peak_mib = answered.peak_mib;
        self.probabilities = answered.probabilities;
        if counts {
            self.costs.push(Cost {
                wall_ms: answered.wall_ms,
                cpu_ms: answered.cpu_ms,
            });
        }
        Ok(())
    }

    /// One answer of a process that does not run yet: of falx `falx predict` itself.
    pub fn start_cold(&mut self, slice: &Path, counts: bool) -> Result<(), BenchError> {
        let start = Instant::now();
        let found = match &self.who {
            Who::Falx(program, kind, bundle, threads) => {
                let mut command = Command::new(program);
                command.args(["predict", "--quiet", "--format", "jsonl", "--out", "-"]);
                command.arg(slice).arg("--model").arg(bundle);
                command.args(["--runtime", kind.name()]);
                command.args(["--threads", &threads.to_string()]);
                first_finding(command)?
            }
            Who::Python(_) => {
                let mut process = self.who.process()?;
                process.ask(&json!({ "setup": self.setup }))?;
                ask(&mut process, slice)?;
                Instant::now()
            }
        };
        if counts {
            self.cold_ms.push((found - start).as_secs_f64() * 1e3);
        }
        Ok(())
    }

    /// One answer for many thin slices, by a process that has seen nothing else.
    pub fn answer_thin(&mut self, thin: &Path) -> Result<(), BenchError> {
        let mut process = self.who.process()?;
        process.ask(&json!({ "setup": self.setup }))?;
        let answered = ask(&mut process, thin)?;
        self.thin = Some((answered.wall_ms, answered.peak_mib));
        Ok(())
    }
}

impl Who {
    fn process(&self) -> Result<Process, BenchError> {
        match self {
            Self::Falx(program, kind, ..) => {
                let mut command = Command::new(program);
                command.args(["bench", "infer", "--quiet", "--study"]);
                command.args(["--serve", kind.name()]);
                Process::spawn(command, OURS)
            }
            Self::Python(python) => Process::start(python, SCRIPT, NEEDS),
        }
    }
}

fn ask(process: &mut Process, study: &Path) -> Result<Answered, BenchError> {
    let answer = process.ask(&json!({ "study": study }))?;
    serde_json::from_value(answer).map_err(|_| process.silent())
}

/// When the line came that follows the one that names the model.
fn first_finding(mut command: Command) -> Result<Instant, BenchError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let Some(out) = child.stdout.take() else {
        return Err(BenchError::Peer { needs: OURS });
    };
    let mut lines = BufReader::new(out).lines();
    let finding = lines.nth(1).transpose()?;
    let found = Instant::now();
    // Whoever writes into a pipe that nobody reads fails.
    lines.for_each(drop);
    let ended = child.wait_with_output()?;
    let finding = finding.filter(|line| ended.status.success() && line.contains("\"findings\""));
    finding.map(|_| found).ok_or_else(|| {
        BenchError::NoMeasurement(String::from_utf8_lossy(&ended.stderr).trim().to_owned())
    })
}

/// The largest difference of a probability of each to the first one's.
pub fn differences(contenders: &[Contender]) -> Vec<f64> {
    let all = contenders.iter();
    let first = contenders
        .first()
        .map(|first| first.probabilities.as_flattened());
    all.map(|other| {
        difference(
            first.unwrap_or_default(),
            other.probabilities.as_flattened(),
        )
    })
    .collect()
}
