//! What came out.

use std::fmt::Write as _;

use serde::Serialize;

use super::course::Course;
use super::peer::{Peer, TrainPeer};
use super::{Cost, TrainBenchOptions};
use crate::report::median;

/// One of falx's engines; ratios are to the better peer of the same precision, and above 1 mean that falx is better.
#[derive(Clone, Debug, Serialize)]
pub struct TrainFalx {
    /// The engine, with its device.
    pub engine: String,
    /// Whether it computes with `bfloat16` where that is enough.
    pub mixed_precision: bool,
    /// Milliseconds of a step in the rounds that are not counted: a card's engine looks for its kernels in them.
    pub warm_up_ms: Vec<f64>,
    /// Milliseconds of a step, median.
    pub wall_ms: f64,
    /// Milliseconds of all processors for it, median.
    pub cpu_ms: f64,
    /// The memory of falx's process before the first step.
    pub idle_mib: Option<f64>,
    /// The most memory of falx's process.
    pub peak_mib: Option<f64>,
    /// The card's memory that came into use with it: libraries, tensors, and what the allocator holds.
    pub card_mib: Option<f64>,
    /// Wall time, the median of pairs of rounds.
    pub wall_ratio: Option<f64>,
    /// Processor time, the median of pairs of rounds.
    pub cpu_ratio: Option<f64>,
    /// Peak memory of the process.
    pub memory_ratio: Option<f64>,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct TrainReport {
    /// The network.
    pub network: String,
    /// Images in a batch.
    pub batch: usize,
    /// An image's side in pixels.
    pub size: usize,
    /// Segments whose values falx computed again on the way back.
    pub checkpoints: usize,
    /// How often everything was measured.
    pub rounds: usize,
    /// Steps of a round.
    pub steps: usize,
    /// Threads of falx and of the peer.
    pub threads: usize,
    /// falx, once for each engine.
    pub falx: Vec<TrainFalx>,
    /// The peer, once for each order of its images in memory and each precision.
    pub peers: Vec<TrainPeer>,
}

/// The median ratio of rounds that were measured side by side, to the better of the peers.
fn ratio(peers: &[&Peer], falx: &Course, number: fn(&Cost) -> f64) -> Option<f64> {
    let ratios = peers.iter().map(|peer| {
        let pairs = peer.costs.iter().zip(&falx.costs);
        let ratios: Vec<f64> = pairs.map(|(a, b)| number(a) / number(b)).collect();
        median(&ratios)
    });
    ratios.reduce(f64::min)
}

impl TrainFalx {
    fn new(course: &Course, peers: &[Peer]) -> Self {
        let mixed_precision = course.engine.mixed_precision();
        let alike = |peer: &&Peer| peer.mixed_precision == mixed_precision;
        let peers: Vec<&Peer> = peers.iter().filter(alike).collect();
        let middle =
            |number: fn(&Cost) -> f64| median(&course.costs.iter().map(number).collect::<Vec<_>>());
        let memory = peers.iter().filter_map(|peer| peer.report().peak_mib);
        let memory = memory.reduce(f64::min).zip(course.peak_mib);
        Self {
            engine: course.engine.to_string(),
            mixed_precision,
            warm_up_ms: course.warm_up.clone(),
            wall_ms: middle(|cost| cost.wall_ms),
            cpu_ms: middle(|cost| cost.cpu_ms),
            idle_mib: course.idle_mib,
            peak_mib: course.peak_mib,
            card_mib: course.card_mib,
            wall_ratio: ratio(&peers, course, |cost| cost.wall_ms),
            cpu_ratio: ratio(&peers, course, |cost| cost.cpu_ms),
            memory_ratio: memory.map(|(theirs, ours)| theirs / ours),
        }
    }
}

impl TrainReport {
    pub(super) fn new(options: &TrainBenchOptions, courses: &[Course], peers: &[Peer]) -> Self {
        Self {
            network: options.network.clone(),
            batch: options.batch,
            size: options.size,
            checkpoints: options.checkpoints,
            rounds: options.rounds,
            steps: options.steps,
            threads: options.threads,
            falx: courses
                .iter()
                .map(|course| TrainFalx::new(course, peers))
                .collect(),
            peers: peers.iter().map(Peer::report).collect(),
        }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}, batch {}, {} x {}, {} threads, {} checkpoints, {} rounds of {}; a training step, medians\n",
            self.network,
            self.batch,
            self.size,
            self.size,
            self.threads,
            self.checkpoints,
            self.rounds,
            self.steps
        );
        // Writing to a String cannot fail.
        let mut line = |words: String| _ = writeln!(text, "{words}");
        for falx in &self.falx {
            let name = format!("falx with {}", falx.engine);
            let times = [falx.wall_ms, falx.cpu_ms];
            let memory = memory([falx.peak_mib, falx.idle_mib], [falx.card_mib, None]);
            line(contender(&name, times, &memory));
            let warm_up = falx.warm_up_ms.iter().map(|ms| format!("{ms:.0} ms"));
            let warm_up: Vec<String> = warm_up.collect();
            line(format!("    before, not counted: {}", warm_up.join(", ")));
        }
        for peer in &self.peers {
            let times = [peer.wall_ms, peer.cpu_ms];
            let card = [peer.card_mib, peer.tensors_mib];
            let memory = memory([peer.peak_mib, peer.idle_mib], card);
            line(contender(peer.name, times, &memory));
        }
        for falx in &self.falx {
            if let (Some(wall), Some(cpu)) = (falx.wall_ratio, falx.cpu_ratio) {
                let memory = falx
                    .memory_ratio
                    .map_or("unknown".to_owned(), |ratio| format!("{ratio:.2}"));
                line(format!(
                    "{}: ratios to the best peer of its precision: time {wall:.2}, CPU {cpu:.2}, memory {memory} (above 1: falx is better)",
                    falx.engine
                ));
            }
        }
        if let Some(peer) = self.peers.first() {
            line(format!("peer: {}", peer.versions));
        }
        text
    }
}

fn contender(name: &str, [wall, cpu]: [f64; 2], memory: &str) -> String {
    format!("  {name:<34} {wall:>8.1} ms, {cpu:>8.1} ms of CPU; {memory}")
}

fn memory([peak, idle]: [Option<f64>; 2], [card, tensors]: [Option<f64>; 2]) -> String {
    let mib = |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
    let mut text = format!("peak memory {} ({} before)", mib(peak), mib(idle));
    if card.is_some() {
        let _ = write!(text, "; on the card {}", mib(card));
    }
    if tensors.is_some() {
        let _ = write!(text, " (tensors {})", mib(tensors));
    }
    text
}
