//! `PyTorch`, which trains the same network from the same weights on the same batch.

use std::path::Path;

use falx_nn::TorchDevice;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Cost, TrainBenchOptions, card};
use crate::BenchError;
use crate::python::Process;
use crate::report::median;

const SCRIPT: &str = include_str!("../train_peer.py");
const NEEDS: &str = "torch torchvision numpy (benches/peer_env.sh makes an environment with them)";

/// `PyTorch` with one order of its images in memory and one precision.
#[derive(Clone, Debug, Serialize)]
pub struct TrainPeer {
    /// Which order and precision.
    pub name: &'static str,
    /// Whether it computes with `bfloat16` where `PyTorch`'s autocast does.
    pub mixed_precision: bool,
    /// The versions of what it runs on.
    pub versions: String,
    /// Milliseconds of a step, median.
    pub wall_ms: f64,
    /// Milliseconds of all processors for a step, median.
    pub cpu_ms: f64,
    /// The memory of its process before the first step.
    pub idle_mib: Option<f64>,
    /// The most memory of its process.
    pub peak_mib: Option<f64>,
    /// The card's memory that came into use with it: libraries, tensors, and what the allocator holds.
    pub card_mib: Option<f64>,
    /// The most memory of its tensors on the card.
    pub tensors_mib: Option<f64>,
}

/// A process of `PyTorch` that waits for its turn.
pub(super) struct Peer {
    process: Process,
    pub(super) name: &'static str,
    pub(super) mixed_precision: bool,
    pub(super) first_loss: Option<f64>,
    pub(super) costs: Vec<Cost>,
    versions: String,
    idle_mib: Option<f64>,
    peak_mib: Option<f64>,
    card_mib: Option<f64>,
    tensors_mib: Option<f64>,
}

/// Each in a process of its own: on the processor both orders, on a card channels-last alone, and with `bfloat16` where an
/// engine computes so. `folder` holds the weights and the batch.
pub(super) fn start_all(
    python: &Path,
    device: TorchDevice,
    options: &TrainBenchOptions,
    folder: &Path,
) -> Result<Vec<Peer>, BenchError> {
    let any = |mixed| {
        let mut engines = options.engines.iter();
        engines.any(|engine| engine.mixed_precision() == mixed)
    };
    let on_card = device != TorchDevice::Cpu;
    let kinds = [
        ("PyTorch", false, false, any(false) && !on_card),
        ("PyTorch, channels last", true, false, any(false)),
        ("PyTorch, channels last, bfloat16", true, true, any(true)),
    ];
    let kinds = kinds.into_iter().filter(|&(.., wanted)| wanted);
    let start = |(name, channels_last, mixed_precision, _): (&'static str, bool, bool, bool)| {
        let before = card::used_mib(device);
        let mut process = Process::start(python, SCRIPT, NEEDS)?;
        let answer = process.ask(&json!({
            "setup": {
                "network": options.network,
                "threads": options.threads,
                "device": device.to_string(),
                "channels_last": channels_last,
                "mixed_precision": mixed_precision,
                "lr": super::LR,
                "weights": folder.join(super::WEIGHTS),
                "batch": folder.join(super::BATCH),
            }
        }))?;
        let mut peer = Peer {
            process,
            name,
            mixed_precision,
            first_loss: None,
            costs: Vec::new(),
            versions: answer["versions"].as_str().unwrap_or_default().to_owned(),
            idle_mib: answer["idle_mib"].as_f64(),
            peak_mib: None,
            card_mib: None,
            tensors_mib: None,
        };
        if before.is_some() {
            peer.round(1)?;
            let after = card::used_mib(device);
            peer.card_mib = after.zip(before).map(|(after, before)| after - before);
        }
        Ok(peer)
    };
    kinds.map(start).collect()
}

impl Peer {
    /// So many steps, measured together.
    pub(super) fn round(&mut self, steps: usize) -> Result<(), BenchError> {
        let answer = self.process.ask(&json!({ "steps": steps.max(1) }))?;
        let number = |value: &Value| value.as_f64().ok_or_else(|| self.process.silent());
        let loss = number(&answer["loss"])?;
        self.costs.push(Cost {
            wall_ms: number(&answer["wall_ms"])?,
            cpu_ms: number(&answer["cpu_ms"])?,
        });
        self.first_loss.get_or_insert(loss);
        self.peak_mib = answer["peak_mib"].as_f64();
        self.tensors_mib = answer["tensors_mib"].as_f64();
        Ok(())
    }

    pub(super) fn report(&self) -> TrainPeer {
        let middle =
            |number: fn(&Cost) -> f64| median(&self.costs.iter().map(number).collect::<Vec<_>>());
        TrainPeer {
            name: self.name,
            mixed_precision: self.mixed_precision,
            versions: self.versions.clone(),
            wall_ms: middle(|cost| cost.wall_ms),
            cpu_ms: middle(|cost| cost.cpu_ms),
            idle_mib: self.idle_mib,
            peak_mib: self.peak_mib,
            card_mib: self.card_mib,
            tensors_mib: self.tensors_mib,
        }
    }
}
