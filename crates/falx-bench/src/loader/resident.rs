//! The memory in use when epochs of growing size are planned and loaded.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use falx_core::{ImageId, Interrupt, LabelRow, Progress};
use falx_data::input::InputSpec;
use falx_data::loader::{Loader, LoaderOptions};
use falx_data::sampler::{Sampler, SamplerConfig};
use falx_data::samples::{Sample, Samples};
use serde::{Deserialize, Serialize};

use super::{LoaderBenchOptions, without_mixing};
use crate::BenchError;
use crate::io::status_mib;
use crate::report::median;

/// Slices that are loaded before the memory is looked at: some seconds, after which the allocator has given back what the
/// start alone needed.
const LOADED: usize = 8192;
/// Slices that are loaded of one epoch: as many of every size, so that epochs begin equally often.
const OF_EPOCH: usize = 1000;
/// Files under the rows of an epoch.
const FILES: usize = 64;
/// Processes for each size.
const PROCESSES: usize = 3;

/// One epoch, in a process that does nothing else.
#[derive(Clone, Debug)]
pub struct ResidentOptions {
    /// The files, under as many rows as the epoch needs.
    pub files: Vec<PathBuf>,
    /// Slices of the epoch.
    pub samples: usize,
    /// The picture's side in pixels.
    pub size: usize,
    /// Slices in a batch.
    pub batch: usize,
    /// The memory budget of the loader, in MiB.
    pub memory_mib: usize,
    /// Threads to load with.
    pub threads: usize,
}

/// The memory that an epoch takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resident {
    /// Slices of the epoch.
    pub samples: usize,
    /// Milliseconds to draw an epoch's order, at most.
    pub plan_ms: f64,
    /// Memory in use after some thousand slices, of several epochs, while the loader runs.
    pub rss_mib: Option<f64>,
    /// The most that was in use.
    pub peak_mib: Option<f64>,
    /// The loader's budget.
    pub budget_mib: usize,
}

/// Plans an epoch, loads some thousand slices, and says how much memory this process has in use.
///
/// # Errors
/// [`BenchError`] where there is no file, or one cannot be loaded.
pub fn measure(options: &ResidentOptions, interrupt: &Interrupt) -> Result<Resident, BenchError> {
    if options.files.is_empty() {
        return Err(BenchError::NoSlices { files: 0 });
    }
    let rows = options.files.iter().cycle().zip(0..options.samples as u32);
    let samples = Samples::of_list(rows.map(|(path, row)| Sample {
        path: path.clone(),
        window: None,
        image_id: ImageId(format!("ID_{row:09x}")),
        labels: LabelRow([Some(row % 7 == 0); 6]),
        row,
    }))?;
    let sampler = Sampler::new(&samples, &SamplerConfig::default())?;
    let samples = Arc::new(samples);
    let loading = LoaderOptions {
        batch: options.batch,
        threads: options.threads,
        memory_mib: options.memory_mib,
        input: InputSpec {
            size: options.size,
            ..InputSpec::default()
        },
        augment: Some(without_mixing()),
        ..LoaderOptions::default()
    };
    let (mut loaded, mut plan_ms) = (0, 0.0_f64);
    for epoch in 0.. {
        let start = Instant::now();
        let order = sampler.order(1, epoch)?;
        plan_ms = plan_ms.max(start.elapsed().as_secs_f64() * 1e3);
        let loading = LoaderOptions {
            epoch,
            ..loading.clone()
        };
        let mut loader = Loader::new(Arc::clone(&samples), order, loading)?;
        let before = loaded;
        let enough = loaded + OF_EPOCH;
        while loaded < enough {
            let Some(batch) = loader.next().transpose()? else {
                break;
            };
            if interrupt.is_requested() {
                return Err(BenchError::Interrupted);
            }
            loaded += batch.ids.len();
            loader.recycle(batch.images.into_parts().0);
            if loaded >= LOADED {
                return Ok(Resident {
                    samples: options.samples,
                    plan_ms,
                    rss_mib: status_mib("VmRSS"),
                    peak_mib: status_mib("VmHWM"),
                    budget_mib: options.memory_mib,
                });
            }
        }
        if loaded == before {
            break;
        }
    }
    Err(BenchError::NoSlices { files: 0 })
}

/// Measures epochs of 1,000, 100,000 and `largest` slices, each in processes of their own.
pub(super) fn at_sizes(
    options: &LoaderBenchOptions,
    files: &[PathBuf],
    largest: usize,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Vec<Resident>, BenchError> {
    let mut sizes = vec![1_000, 100_000, largest];
    sizes.retain(|&size| size <= largest);
    sizes.sort_unstable();
    sizes.dedup();
    let program = std::env::current_exe()?;
    progress.begin("memory", Some((sizes.len() * PROCESSES) as u64));
    let mut measured = Vec::with_capacity(sizes.len());
    for samples in sizes {
        let mut of_size = Vec::with_capacity(PROCESSES);
        for _ in 0..PROCESSES {
            if interrupt.is_requested() {
                return Err(BenchError::Interrupted);
            }
            of_size.push(in_process(&program, options, files, samples)?);
            progress.advance(1);
        }
        let middle = |value: fn(&Resident) -> Option<f64>| {
            let values: Vec<f64> = of_size.iter().filter_map(value).collect();
            (!values.is_empty()).then(|| median(&values))
        };
        measured.push(Resident {
            samples,
            plan_ms: middle(|one| Some(one.plan_ms)).unwrap_or_default(),
            rss_mib: middle(|one| one.rss_mib),
            peak_mib: middle(|one| one.peak_mib),
            budget_mib: options.memory_mib,
        });
    }
    progress.finish();
    Ok(measured)
}

/// Runs `falx bench loader --resident`.
fn in_process(
    program: &Path,
    options: &LoaderBenchOptions,
    files: &[PathBuf],
    samples: usize,
) -> Result<Resident, BenchError> {
    let number = |value: usize| value.to_string();
    let output = Command::new(program)
        .args(["bench", "loader", "--json", "--quiet"])
        .args(["--resident", &number(samples)])
        .args(["--size", &number(options.size)])
        .args(["--batch", &number(options.batch)])
        .args(["--memory-mib", &number(options.memory_mib)])
        .args(["--threads", &number(options.threads)])
        .args(files.iter().step_by(files.len().div_ceil(FILES)))
        .output()?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        BenchError::NoMeasurement(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    })
}

/// How far the largest memory in use is above the smallest, in per cent.
pub(super) fn spread(memory: &[Resident]) -> Option<f64> {
    let sizes = || memory.iter().filter_map(|size| size.rss_mib);
    let smallest = sizes().fold(f64::INFINITY, f64::min);
    let largest = sizes().fold(0.0, f64::max);
    (memory.len() > 1 && smallest > 0.0 && smallest.is_finite())
        .then(|| 100.0 * (largest / smallest - 1.0))
}
