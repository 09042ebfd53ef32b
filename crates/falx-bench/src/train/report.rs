//! What came out.

use std::fmt::Write as _;

use serde::Serialize;

use super::peer::TrainPeer;
use super::{Cost, TrainBenchOptions};
use crate::report::median;

/// What came out; ratios above 1 mean that falx is better.
#[derive(Clone, Debug, Serialize)]
pub struct TrainReport {
    /// The network.
    pub network: String,
    /// The engine, with its device.
    pub engine: String,
    /// Images in a batch.
    pub batch: usize,
    /// An image's side in pixels.
    pub size: usize,
    /// Segments whose values falx computed again on the way back.
    pub checkpoints: usize,
    /// How often everything was measured.
    pub rounds: usize,
    /// Threads of falx and of the peer.
    pub threads: usize,
    /// The loss of the first step.
    pub first_loss: Option<f64>,
    /// Milliseconds of the steps of falx that are not counted: a graphics card's engine looks for its kernels in them.
    pub warm_up_ms: Vec<f64>,
    /// Milliseconds of a step of falx, median.
    pub wall_ms: f64,
    /// Milliseconds of all processors for it, median.
    pub cpu_ms: f64,
    /// The memory of falx's process before the first step.
    pub idle_mib: Option<f64>,
    /// The most memory of falx's process.
    pub peak_mib: Option<f64>,
    /// The peer, once for each order of its images in memory.
    pub peers: Vec<TrainPeer>,
    /// Wall time: the faster peer beside falx.
    pub wall_ratio: Option<f64>,
    /// Processor time: the faster peer beside falx.
    pub cpu_ratio: Option<f64>,
    /// Peak memory: the smaller peer beside falx.
    pub memory_ratio: Option<f64>,
}

impl TrainReport {
    pub(super) fn new(
        options: &TrainBenchOptions,
        falx: &[Cost],
        [idle_mib, peak_mib]: [Option<f64>; 2],
        peers: Vec<TrainPeer>,
    ) -> Self {
        let middle =
            |number: fn(&Cost) -> f64| median(&falx.iter().map(number).collect::<Vec<_>>());
        let least = |number: fn(&TrainPeer) -> Option<f64>| {
            peers.iter().filter_map(number).reduce(f64::min)
        };
        Self {
            network: options.network.clone(),
            engine: options.engine.to_string(),
            batch: options.batch,
            size: options.size,
            checkpoints: options.checkpoints,
            rounds: options.rounds,
            threads: options.threads,
            first_loss: None,
            warm_up_ms: Vec::new(),
            wall_ms: middle(|cost| cost.wall_ms),
            cpu_ms: middle(|cost| cost.cpu_ms),
            idle_mib,
            peak_mib,
            wall_ratio: least(|peer| Some(peer.wall_ratio)),
            cpu_ratio: least(|peer| Some(peer.cpu_ratio)),
            memory_ratio: least(|peer| peer.peak_mib)
                .zip(peak_mib)
                .map(|(theirs, ours)| theirs / ours),
            peers,
        }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        let mib =
            |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
        let mut text = format!(
            "{}, batch {}, {} x {}, {} threads, {} checkpoints, {} rounds; a training step, medians\n",
            self.network,
            self.batch,
            self.size,
            self.size,
            self.threads,
            self.checkpoints,
            self.rounds
        );
        // Writing to a String cannot fail.
        let mut line = |words: String| _ = writeln!(text, "{words}");
        line(format!(
            "  {:<24} {:>8.1} ms, {:>8.1} ms of CPU; peak memory {} ({} before)",
            format!("falx with {}", self.engine),
            self.wall_ms,
            self.cpu_ms,
            mib(self.peak_mib),
            mib(self.idle_mib)
        ));
        let warm_up = self.warm_up_ms.iter().map(|ms| format!("{ms:.0} ms"));
        let warm_up: Vec<String> = warm_up.collect();
        line(format!("  before, not counted: {}", warm_up.join(", ")));
        for peer in &self.peers {
            line(format!(
                "  {:<24} {:>8.1} ms, {:>8.1} ms of CPU; peak memory {} ({} before); falx {:.2} x, CPU {:.2} x",
                peer.name,
                peer.wall_ms,
                peer.cpu_ms,
                mib(peer.peak_mib),
                mib(peer.idle_mib),
                peer.wall_ratio,
                peer.cpu_ratio
            ));
        }
        if let (Some(wall), Some(cpu)) = (self.wall_ratio, self.cpu_ratio) {
            let memory = self
                .memory_ratio
                .map_or("unknown".to_owned(), |ratio| format!("{ratio:.2}"));
            line(format!(
                "ratios to the better of both: time {wall:.2}, CPU {cpu:.2}, memory {memory} (above 1: falx is better)"
            ));
        }
        if let Some(peer) = self.peers.first() {
            line(format!("peer: {}", peer.versions));
        }
        text
    }
}
