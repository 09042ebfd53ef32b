//! Processes that run the same network on the same batch, and wait for their turns.

use std::path::Path;
use std::process::Command;

use falx_infer::RuntimeKind;
use serde_json::{Value, json};

use super::{InferBenchOptions, MODEL, WEIGHTS};
use crate::BenchError;
use crate::python::Process;
use crate::turns::{Cost, difference};

const SCRIPT: &str = include_str!("../infer_peer.py");
const NEEDS: &str =
    "onnxruntime torch torchvision numpy (benches/peer_env.sh makes an environment with them)";
/// The peers by the name their script knows, and by the one people do.
const PEERS: [(&str, &str); 3] = [
    ("onnxruntime", "ONNX Runtime (Python)"),
    ("torch", "PyTorch"),
    ("torch channels last", "PyTorch, channels last"),
];

/// A process with a loaded network.
pub struct Contender {
    process: Process,
    name: String,
    /// Whether it is a run-time of falx.
    pub ours: bool,
    pub versions: String,
    pub load_ms: f64,
    pub first_ms: f64,
    pub peak_mib: Option<f64>,
    pub costs: Vec<Cost>,
    probabilities: Vec<f64>,
}

impl Contender {
    /// falx's run-times, then the peers.
    pub fn start_all(
        options: &InferBenchOptions,
        folder: &Path,
        images: &Path,
        shape: [usize; 4],
    ) -> Result<Vec<Self>, BenchError> {
        let setup = |contender: &str| {
            json!({ "setup": {
                "contender": contender,
                "network": options.network,
                "model": folder.join(MODEL),
                "weights": folder.join(WEIGHTS),
                "images": images,
                "shape": shape,
                "threads": options.threads,
            } })
        };
        let program = std::env::current_exe()?;
        let mut all = Vec::new();
        for kind in &options.runtimes {
            let process = serving(&program, *kind)?;
            all.push(Self::start(
                process,
                &format!("falx with {kind}"),
                true,
                &setup(""),
            )?);
        }
        if let Some(python) = &options.python {
            for (key, name) in PEERS {
                let process = Process::start(python, SCRIPT, NEEDS)?;
                all.push(Self::start(process, name, false, &setup(key))?);
            }
        }
        Ok(all)
    }

    fn start(
        mut process: Process,
        name: &str,
        ours: bool,
        setup: &Value,
    ) -> Result<Self, BenchError> {
        let answer = process.ask(setup)?;
        let number = |value: &Value| value.as_f64().ok_or_else(|| process.silent());
        let logits = answer["logits"]
            .as_array()
            .ok_or_else(|| process.silent())?;
        Ok(Self {
            name: name.to_owned(),
            ours,
            versions: answer["versions"].as_str().unwrap_or_default().to_owned(),
            load_ms: number(&answer["load_ms"])?,
            first_ms: number(&answer["first_ms"])?,
            peak_mib: None,
            costs: Vec::new(),
            probabilities: logits
                .iter()
                .filter_map(Value::as_f64)
                .map(|logit| 1.0 / (1.0 + (-logit).exp()))
                .collect(),
            process,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One run, which may be a warm-up.
    pub fn run(&mut self, counts: bool) -> Result<(), BenchError> {
        let answer = self.process.ask(&json!({}))?;
        let number = |value: &Value| value.as_f64().ok_or_else(|| self.process.silent());
        let cost = Cost {
            wall_ms: number(&answer["wall_ms"])?,
            cpu_ms: number(&answer["cpu_ms"])?,
        };
        self.peak_mib = answer["peak_mib"].as_f64();
        if counts {
            self.costs.push(cost);
        }
        Ok(())
    }
}

/// `falx bench infer --serve`
fn serving(program: &Path, kind: RuntimeKind) -> Result<Process, BenchError> {
    let mut command = Command::new(program);
    command.args(["bench", "infer", "--quiet", "--serve", kind.name()]);
    Process::spawn(
        command,
        "nothing; falx has said above why this run-time failed",
    )
}

/// The largest difference of a probability of each to the first one's.
pub fn differences(contenders: &[Contender]) -> Vec<f64> {
    let all = contenders.iter();
    let first = contenders
        .first()
        .map(|first| first.probabilities.as_slice());
    all.map(|other| difference(first.unwrap_or_default(), &other.probabilities))
        .collect()
}
