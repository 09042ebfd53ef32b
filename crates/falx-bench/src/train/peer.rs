//! `PyTorch`, which trains the same network from the same weights on the same batch.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Cost, TrainBenchOptions, ratio};
use crate::BenchError;
use crate::python::Process;
use crate::report::median;

const SCRIPT: &str = include_str!("../train_peer.py");
const NEEDS: &str = "torch torchvision numpy (benches/peer_env.sh makes an environment with them)";

/// `PyTorch` with one order of its images in memory.
#[derive(Clone, Debug, Serialize)]
pub struct TrainPeer {
    /// Which order.
    pub name: &'static str,
    /// The versions of what it runs on.
    pub versions: String,
    /// Milliseconds of a step, median.
    pub wall_ms: f64,
    /// Milliseconds of all processors for a step, median.
    pub cpu_ms: f64,
    /// Its wall time beside falx's, in pairs of rounds.
    pub wall_ratio: f64,
    /// Its processor time beside falx's, in pairs of rounds.
    pub cpu_ratio: f64,
    /// The memory of its process before the first step.
    pub idle_mib: Option<f64>,
    /// The most memory of its process.
    pub peak_mib: Option<f64>,
}

/// A process of `PyTorch` that waits for its turn.
pub(super) struct Peer {
    process: Process,
    name: &'static str,
    versions: String,
    idle_mib: Option<f64>,
    peak_mib: Option<f64>,
    pub(super) costs: Vec<Cost>,
}

impl Peer {
    /// Both orders, each in a process of its own; `folder` holds the weights and the batch.
    pub(super) fn start_both(
        python: &Path,
        options: &TrainBenchOptions,
        folder: &Path,
    ) -> Result<[Self; 2], BenchError> {
        let start = |name, channels_last| Self::start(python, name, channels_last, options, folder);
        Ok([
            start("PyTorch", false)?,
            start("PyTorch, channels last", true)?,
        ])
    }

    fn start(
        python: &Path,
        name: &'static str,
        channels_last: bool,
        options: &TrainBenchOptions,
        folder: &Path,
    ) -> Result<Self, BenchError> {
        let mut process = Process::start(python, SCRIPT, NEEDS)?;
        let answer = process.ask(&json!({
            "setup": {
                "network": options.network,
                "threads": options.threads,
                "channels_last": channels_last,
                "lr": super::LR,
                "weights": folder.join(super::WEIGHTS),
                "batch": folder.join(super::BATCH),
            }
        }))?;
        Ok(Self {
            process,
            name,
            versions: answer["versions"].as_str().unwrap_or_default().to_owned(),
            idle_mib: answer["idle_mib"].as_f64(),
            peak_mib: None,
            costs: Vec::new(),
        })
    }

    /// One step; its loss and what it cost.
    pub(super) fn step(&mut self) -> Result<(f64, Cost), BenchError> {
        let answer = self.process.ask(&json!({}))?;
        let number = |value: &Value| value.as_f64().ok_or_else(|| self.process.silent());
        let loss = number(&answer["loss"])?;
        let cost = Cost {
            wall_ms: number(&answer["wall_ms"])?,
            cpu_ms: number(&answer["cpu_ms"])?,
        };
        self.peak_mib = answer["peak_mib"].as_f64();
        Ok((loss, cost))
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn report(&self, falx: &[Cost]) -> TrainPeer {
        let middle =
            |number: fn(&Cost) -> f64| median(&self.costs.iter().map(number).collect::<Vec<_>>());
        TrainPeer {
            name: self.name,
            versions: self.versions.clone(),
            wall_ms: middle(|cost| cost.wall_ms),
            cpu_ms: middle(|cost| cost.cpu_ms),
            wall_ratio: ratio(&self.costs, falx, |cost| cost.wall_ms),
            cpu_ratio: ratio(&self.costs, falx, |cost| cost.cpu_ms),
            idle_mib: self.idle_mib,
            peak_mib: self.peak_mib,
        }
    }
}
