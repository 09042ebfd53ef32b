//! What was measured of answers for studies, as a table and as JSON. Ratios above 1 mean that falx is better.

use std::fmt::Write as _;

use serde::Serialize;

use super::StudyBenchOptions;
use super::contender::Contender;
use crate::report::median;
use crate::turns::paired_ratio;

/// A run-time of falx, or a way of the peer's.
#[derive(Clone, Debug, Serialize)]
pub struct StudyContender {
    /// Which one.
    pub name: String,
    /// The versions of what it runs on.
    pub versions: String,
    /// Milliseconds from the study's files to its findings, median, of a process that waits for studies.
    pub wall_ms: f64,
    /// Milliseconds of all processors for that, median.
    pub cpu_ms: f64,
    /// Studies an hour, one after the other.
    pub studies_per_h: f64,
    /// Of falx: the faster way of the peer beside its own time, in pairs of rounds.
    pub wall_ratio: Option<f64>,
    /// The same of processor time, which a machine that others share disturbs less.
    pub cpu_ratio: Option<f64>,
    /// Milliseconds from the start of a process to what it says of a study of one slice, median.
    pub cold_ms: f64,
    /// Of falx: the faster way of the peer beside its own cold start, in pairs of rounds.
    pub cold_ratio: Option<f64>,
    /// The most memory of the process that waits for studies.
    pub peak_mib: Option<f64>,
    /// Milliseconds for the study of thin slices, by a process that has seen nothing else.
    pub thin_ms: Option<f64>,
    /// The most memory of that process.
    pub thin_peak_mib: Option<f64>,
    /// The largest difference of a probability to the first contender's.
    pub difference: f64,
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct StudyReport {
    network: String,
    size: usize,
    slices: usize,
    thin_slices: usize,
    threads: usize,
    rounds: usize,
    contenders: Vec<StudyContender>,
}

/// The smallest of the peer's ratios to `ours`; each is the median of rounds that were measured side by side.
fn best_ratio(
    contenders: &[Contender],
    ours: &Contender,
    times: impl Fn(&Contender) -> Vec<f64>,
) -> Option<f64> {
    let own = times(ours);
    let peers = contenders
        .iter()
        .filter(|peer| ours.is_ours() && !peer.is_ours());
    let ratios = peers.map(|peer| paired_ratio(&times(peer), &own));
    ratios.reduce(f64::min)
}

fn walls(contender: &Contender) -> Vec<f64> {
    contender.costs.iter().map(|cost| cost.wall_ms).collect()
}

fn cpus(contender: &Contender) -> Vec<f64> {
    contender.costs.iter().map(|cost| cost.cpu_ms).collect()
}

impl StudyReport {
    pub(super) fn new(
        options: &StudyBenchOptions,
        contenders: &[Contender],
        differences: &[f64],
    ) -> Self {
        let of = |(contender, &difference): (&Contender, &f64)| {
            let wall_ms = median(&walls(contender));
            StudyContender {
                name: contender.name.to_owned(),
                versions: contender.versions.clone(),
                wall_ms,
                cpu_ms: median(&cpus(contender)),
                studies_per_h: 3.6e6 / wall_ms,
                wall_ratio: best_ratio(contenders, contender, walls),
                cpu_ratio: best_ratio(contenders, contender, cpus),
                cold_ms: median(&contender.cold_ms),
                cold_ratio: best_ratio(contenders, contender, |one| one.cold_ms.clone()),
                peak_mib: contender.peak_mib,
                thin_ms: contender.thin.map(|(ms, _)| ms),
                thin_peak_mib: contender.thin.and_then(|(_, mib)| mib),
                difference,
            }
        };
        Self {
            network: options.network.clone(),
            size: options.size,
            slices: options.slices,
            thin_slices: options.thin_slices,
            threads: options.threads,
            rounds: options.rounds,
            contenders: contenders.iter().zip(differences).map(of).collect(),
        }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        let Self {
            network,
            size,
            slices,
            thin_slices,
            threads,
            rounds,
            contenders,
        } = self;
        let mut text = format!(
            "{network} on {size} x {size}, a study of {slices} slices, {threads} threads, {rounds} rounds; medians\n"
        );
        let mib =
            |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
        let times =
            |ratio: Option<f64>| ratio.map_or(String::new(), |r| format!(" (ratio {r:.2})"));
        for one in contenders {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  {:<22} {:>7.0} ms a study{}, {:.0} ms of CPU{}, {:.0} studies an hour; cold start to the first finding {:.0} ms{}; \
                 peak memory {}",
                one.name,
                one.wall_ms,
                times(one.wall_ratio),
                one.cpu_ms,
                times(one.cpu_ratio),
                one.studies_per_h,
                one.cold_ms,
                times(one.cold_ratio),
                mib(one.peak_mib)
            );
            if let Some(ms) = one.thin_ms {
                let _ = writeln!(
                    text,
                    "  {:<22} {thin_slices} thin slices: {:.1} s, peak memory {}",
                    "",
                    ms / 1e3,
                    mib(one.thin_peak_mib)
                );
            }
        }
        let largest = contenders.iter().map(|one| one.difference);
        let largest = largest.fold(0.0, f64::max);
        let _ = writeln!(
            text,
            "ratios above 1: falx is faster than the faster way of the peer; the largest difference of a probability is \
             {largest:.1e}"
        );
        text
    }
}
