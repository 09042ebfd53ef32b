//! Loaders of Python that do the same work on the same files.

use std::path::Path;

use falx_core::SEED_WINDOWS;
use serde::Serialize;
use serde_json::{Value, json};

use super::{LoaderBenchOptions, Rate, larger, middle, ratio};
use crate::BenchError;
use crate::python::Process;

const SCRIPT: &str = include_str!("../loader_peer.py");
const NEEDS: &str = "torch monai albumentations pydicom numpy opencv-python-headless (benches/peer_env.sh makes such an environment)";

/// A loader of Python.
#[derive(Clone, Debug, Serialize)]
pub struct LoaderPeer {
    /// Which one.
    pub name: &'static str,
    /// The versions of what it runs on.
    pub versions: String,
    /// Images a second, median.
    pub images_per_s: f64,
    /// falx from DICOM beside it, in pairs of rounds.
    pub dicom_ratio: f64,
    /// falx from its cache beside it, in pairs of rounds.
    pub cache_ratio: f64,
    /// Milliseconds of all processors for an image, its workers' start included.
    pub cpu_ms: f64,
    /// Its time beside that of falx from DICOM, in pairs of rounds.
    pub dicom_cpu_ratio: f64,
    /// Its time beside that of falx from its cache, in pairs of rounds.
    pub cache_cpu_ratio: f64,
    /// The most memory that it and its workers had in use in the middle of a round.
    pub peak_mib: Option<f64>,
}

/// Which loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Torch,
    Monai,
    MonaiInMemory,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Torch, Self::Monai, Self::MonaiInMemory];

    const fn key(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Monai => "monai",
            Self::MonaiInMemory => "monai in memory",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Torch => "PyTorch DataLoader",
            Self::Monai => "MONAI PersistentDataset",
            Self::MonaiInMemory => "MONAI CacheDataset",
        }
    }
}

/// A loader of Python that waits for its turn.
pub(super) struct Peer {
    process: Process,
    pub(super) kind: Kind,
    versions: String,
    peak_mib: Option<f64>,
}

impl Peer {
    /// Starts it with what it is to make; MONAI keeps its cache in `folder`.
    pub(super) fn start(
        python: &Path,
        kind: Kind,
        options: &LoaderBenchOptions,
        folder: &Path,
    ) -> Result<Self, BenchError> {
        let mut process = Process::start(python, SCRIPT, NEEDS)?;
        let windows: Vec<[f32; 2]> = SEED_WINDOWS.iter().map(|&w| w.into()).collect();
        let answer = process.ask(&json!({
            "setup": {
                "kind": kind.key(),
                "size": options.size,
                "batch": options.batch,
                "workers": options.threads,
                "windows": windows,
                "folder": folder,
            }
        }))?;
        let versions = answer["versions"].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            process,
            kind,
            versions,
            peak_mib: None,
        })
    }

    /// Images a second, from its first batch on: the start of its workers is not counted.
    pub(super) fn rate(&mut self, files: &[&Path], epoch: usize) -> Result<Rate, BenchError> {
        let request = json!({ "epoch": epoch, "files": files });
        let answer = self.process.ask(&request)?;
        let mib = answer["mib"].as_f64();
        self.peak_mib = larger(self.peak_mib, mib);
        Ok(Rate {
            images_per_s: self.number(&answer["images_per_s"])?,
            cpu_ms: self.number(&answer["cpu_ms"])?,
        })
    }

    /// The mean difference of its batch without augmentation to the one in the file `raw`.
    pub(super) fn difference(&mut self, files: &[&Path], raw: &Path) -> Result<f64, BenchError> {
        let answer = self
            .process
            .ask(&json!({ "difference": raw, "files": files }))?;
        self.number(&answer["mean"])
    }

    fn number(&self, value: &Value) -> Result<f64, BenchError> {
        value.as_f64().ok_or_else(|| self.process.silent())
    }

    pub(super) fn report(&self, rates: &[Rate], dicom: &[Rate], cache: &[Rate]) -> LoaderPeer {
        let speed = |rate: &Rate| rate.images_per_s;
        let cpu = |rate: &Rate| rate.cpu_ms;
        LoaderPeer {
            name: self.kind.name(),
            versions: self.versions.clone(),
            images_per_s: middle(rates, speed),
            dicom_ratio: ratio(dicom, rates, speed),
            cache_ratio: ratio(cache, rates, speed),
            cpu_ms: middle(rates, cpu),
            dicom_cpu_ratio: ratio(rates, dicom, cpu),
            cache_cpu_ratio: ratio(rates, cache, cpu),
            peak_mib: self.peak_mib,
        }
    }
}
