//! What was measured of a network in use, as a table and as JSON. Ratios above 1 mean that falx is better.

use std::fmt::Write as _;

use serde::Serialize;

use super::InferBenchOptions;
use super::contender::Contender;
use crate::report::median;
use crate::turns::{Cost, paired_ratio};

/// A run-time of falx, or a peer.
#[derive(Clone, Debug, Serialize)]
pub struct InferContender {
    /// Which one.
    pub name: String,
    /// The versions of what it runs on.
    pub versions: String,
    /// Milliseconds of a run, median.
    pub wall_ms: f64,
    /// Milliseconds of all processors for a run, median.
    pub cpu_ms: f64,
    /// Of a run-time of falx: the fastest peer's wall time beside its own, in pairs of rounds.
    pub wall_ratio: Option<f64>,
    /// The same of processor time.
    pub cpu_ratio: Option<f64>,
    /// Milliseconds to load the network.
    pub load_ms: f64,
    /// Milliseconds of the first run after that.
    pub first_ms: f64,
    /// The most memory of its process.
    pub peak_mib: Option<f64>,
    /// The largest difference of a probability to the first contender's.
    pub difference: f64,
}

/// Everything of one batch size.
#[derive(Clone, Debug, Serialize)]
pub struct InferReport {
    network: String,
    batch: usize,
    size: usize,
    threads: usize,
    rounds: usize,
    contenders: Vec<InferContender>,
}

fn numbers(contender: &Contender, number: fn(&Cost) -> f64) -> Vec<f64> {
    contender.costs.iter().map(number).collect()
}

impl InferReport {
    pub(super) fn new(
        options: &InferBenchOptions,
        batch: usize,
        contenders: &[Contender],
        differences: &[f64],
    ) -> Self {
        let best = |ours: &Contender, number: fn(&Cost) -> f64| {
            let peers = contenders.iter().filter(|peer| ours.ours && !peer.ours);
            let own = numbers(ours, number);
            let ratios = peers.map(|peer| paired_ratio(&numbers(peer, number), &own));
            ratios.reduce(f64::min)
        };
        let contender = |(contender, &difference): (&Contender, &f64)| {
            let middle = |number: fn(&Cost) -> f64| median(&numbers(contender, number));
            InferContender {
                name: contender.name().to_owned(),
                versions: contender.versions.clone(),
                wall_ms: middle(|cost| cost.wall_ms),
                cpu_ms: middle(|cost| cost.cpu_ms),
                wall_ratio: best(contender, |cost| cost.wall_ms),
                cpu_ratio: best(contender, |cost| cost.cpu_ms),
                load_ms: contender.load_ms,
                first_ms: contender.first_ms,
                peak_mib: contender.peak_mib,
                difference,
            }
        };
        Self {
            network: options.network.clone(),
            batch,
            size: options.size,
            threads: options.threads,
            rounds: options.rounds,
            contenders: contenders.iter().zip(differences).map(contender).collect(),
        }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}, batch {}, {} x {}, {} threads, {} rounds; medians\n",
            self.network, self.batch, self.size, self.size, self.threads, self.rounds
        );
        for one in &self.contenders {
            let mib = one
                .peak_mib
                .map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "  {:<24} {:>8.1} ms, {:>8.1} ms of CPU; loaded in {:.0} ms, first run {:.0} ms; peak memory {mib}",
                one.name, one.wall_ms, one.cpu_ms, one.load_ms, one.first_ms
            );
            if let (Some(wall), Some(cpu)) = (one.wall_ratio, one.cpu_ratio) {
                let _ = write!(text, "; ratio to the best peer {wall:.2}, CPU {cpu:.2}");
            }
            text.push('\n');
        }
        let largest = self.contenders.iter().map(|one| one.difference);
        let largest = largest.fold(0.0, f64::max);
        let _ = writeln!(
            text,
            "ratios above 1: falx is faster; the largest difference of a probability is {largest:.1e}"
        );
        text
    }
}
