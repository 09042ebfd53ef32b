//! What was measured, as a table and as JSON. Ratios above 1 mean that falx is better.

use std::fmt::Write;

use serde::Serialize;

/// Median and mean of times.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Half of the times are below.
    pub median: f64,
    /// The mean.
    pub mean: f64,
}

impl Spread {
    pub(crate) fn of(times: &[f64]) -> Self {
        Self {
            median: median(times),
            mean: times.iter().sum::<f64>() / times.len().max(1) as f64,
        }
    }

    fn less(self, other: Self) -> Self {
        Self {
            median: self.median - other.median,
            mean: self.mean - other.mean,
        }
    }
}

pub(crate) fn median(list: &[f64]) -> f64 {
    let mut list = list.to_vec();
    list.sort_by(f64::total_cmp);
    list.get(list.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Where falx's time goes, in CPU ms a file.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Parts {
    /// Opening the file and copying its bytes into a buffer: what nobody can do without.
    pub floor: Spread,
    /// Opening the file, reading its first bytes and checking the header (a measurement of its own).
    pub header: Spread,
    /// From bytes to the square in HU: header, cells, mean; falx makes no table where the cells are whole units.
    pub resample: Spread,
    /// From the square in HU to the channels.
    pub windows: Spread,
}

impl Parts {
    pub(crate) fn of(floor: &[f64], header: &[f64], fitted: &[f64], tensor: &[f64]) -> Self {
        let [floor, header, fitted, tensor] = [floor, header, fitted, tensor].map(Spread::of);
        Self {
            floor,
            header,
            resample: fitted.less(floor),
            windows: tensor.less(fitted),
        }
    }
}

/// falx.
#[derive(Clone, Debug, Serialize)]
pub struct Falx {
    /// CPU ms a file, from its path to its tensor.
    pub cpu_ms: Spread,
    /// Where they go.
    pub parts: Parts,
    /// Files a second on one thread.
    pub files_per_s_one_thread: f64,
    /// Files a second on all threads.
    pub files_per_s: f64,
    /// How many those are.
    pub threads: usize,
    /// All threads beside one, in pairs of rounds.
    pub threads_ratio: f64,
    /// Peak memory, where the system tells it.
    pub peak_mib: Option<f64>,
}

/// The peer: CPU ms a file of each of its ways.
#[derive(Clone, Debug, Serialize)]
pub struct Python {
    /// What it runs on.
    pub versions: String,
    /// As the notebooks of 2019 did.
    pub seed: Spread,
    /// Look-up tables, then resizing: windows first.
    pub lookup: Spread,
    /// Resizing in HU, then windows: what falx computes.
    pub mean: Spread,
    /// The faster of the two fair ways, one process for each of falx's threads.
    pub files_per_s: Option<f64>,
    /// Peak memory of one process.
    pub peak_mib: f64,
}

/// Memory in use on the way through many files.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// How many files had been read.
    pub files: usize,
    /// Memory in use, where the system tells it.
    pub rss_mib: Option<f64>,
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct IoReport {
    files: usize,
    size: usize,
    windows: usize,
    rounds: usize,
    falx: Falx,
    python: Option<Python>,
    /// CPU time: the faster of the two fair ways beside falx.
    best_ratio: Option<f64>,
    /// CPU time: the seed's way beside falx.
    seed_ratio: Option<f64>,
    /// CPU time: look-up tables, then resizing, beside falx.
    lookup_ratio: Option<f64>,
    /// CPU time: what falx computes, by `OpenCV`, beside falx.
    mean_ratio: Option<f64>,
    /// Files a second of falx beside the faster fair way, all cores, in pairs of rounds.
    throughput_ratio: Option<f64>,
    /// Peak memory of one Python process beside falx with all its threads.
    memory_ratio: Option<f64>,
    /// Of falx's pictures to `OpenCV`'s; both are 0 to 1.
    largest_difference: Option<f64>,
    memory: Vec<Memory>,
}

impl IoReport {
    #[expect(clippy::too_many_arguments, reason = "each is a part of the report")]
    pub(crate) fn new(
        files: usize,
        size: usize,
        rounds: usize,
        falx: Falx,
        python: Option<Python>,
        throughput_ratio: Option<f64>,
        largest_difference: Option<f64>,
        memory: Vec<Memory>,
    ) -> Self {
        let ratio = |of: fn(&Python) -> f64, to: f64| python.as_ref().map(|python| of(python) / to);
        let cpu = falx.cpu_ms.median;
        Self {
            files,
            size,
            windows: falx_core::SEED_WINDOWS.len(),
            rounds,
            best_ratio: ratio(|python| python.lookup.median.min(python.mean.median), cpu),
            seed_ratio: ratio(|python| python.seed.median, cpu),
            lookup_ratio: ratio(|python| python.lookup.median, cpu),
            mean_ratio: ratio(|python| python.mean.median, cpu),
            memory_ratio: falx
                .peak_mib
                .and_then(|mib| ratio(|python| python.peak_mib, mib)),
            throughput_ratio,
            falx,
            python,
            largest_difference,
            memory,
        }
    }

    /// A table.
    pub fn to_text(&self) -> String {
        let Self {
            files,
            size,
            windows,
            rounds,
            falx,
            ..
        } = self;
        let mut text = format!(
            "{files} files -> {windows} x {size} x {size}, {rounds} rounds; CPU ms a file, median (mean)\n"
        );
        let mut row = |name: &str, spread: Spread, ratio: Option<f64>| {
            let ratio = ratio.map_or(String::new(), |ratio| format!("   {ratio:5.1} x"));
            let Spread { median, mean } = spread;
            let _ = writeln!(text, "  {name:<42}{median:8.3}  ({mean:.3}){ratio}");
        };
        let parts = &falx.parts;
        row("falx", falx.cpu_ms, None);
        row("  the bytes alone (the floor)", parts.floor, None);
        row("  header, cells and mean in HU", parts.resample, None);
        row("  windows", parts.windows, None);
        row(
            "  (header alone, with opening the file)",
            parts.header,
            None,
        );
        if let Some(python) = &self.python {
            row(
                "Python, resized in HU, then windows",
                python.mean,
                self.mean_ratio,
            );
            row(
                "Python, look-up tables, then resized",
                python.lookup,
                self.lookup_ratio,
            );
            row("Python, the seed's way", python.seed, self.seed_ratio);
        }
        let _ = writeln!(
            text,
            "files a second: {:.0} with 1 thread, {:.0} with {} ({:.2} x)",
            falx.files_per_s_one_thread, falx.files_per_s, falx.threads, falx.threads_ratio
        );
        if let (Some(python), Some(ratio)) = (&self.python, self.throughput_ratio) {
            let speed = python.files_per_s.unwrap_or(f64::NAN);
            let _ = writeln!(
                text,
                "Python, the faster fair way in {} processes: {speed:.0} files a second ({ratio:.1} x)",
                falx.threads
            );
        }
        let mib =
            |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
        let _ = write!(text, "peak memory: falx {}", mib(falx.peak_mib));
        if let Some(python) = &self.python {
            let _ = write!(text, ", one Python process {}", mib(Some(python.peak_mib)));
        }
        text.push('\n');
        for step in &self.memory {
            let _ = writeln!(
                text,
                "memory after {} files: {}",
                step.files,
                mib(step.rss_mib)
            );
        }
        if let (Some(python), Some(largest)) = (&self.python, self.largest_difference) {
            let _ = writeln!(
                text,
                "largest difference to OpenCV's picture: {largest:.1e} ({})",
                python.versions
            );
        }
        text
    }
}
