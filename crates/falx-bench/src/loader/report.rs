//! What came out.

use std::fmt::Write as _;

use serde::Serialize;

use super::peer::LoaderPeer;
use super::resident::Resident;
use super::{Rate, middle, ratio};

/// What came out; ratios above 1 mean that falx is better.
#[derive(Clone, Debug, Serialize)]
pub struct LoaderReport {
    /// Files that the slices are from.
    pub files: usize,
    /// Slices that a round loads.
    pub images: usize,
    /// The picture's side in pixels.
    pub size: usize,
    /// Slices in a batch.
    pub batch: usize,
    /// How often everything was measured.
    pub rounds: usize,
    /// Threads, and workers of each peer.
    pub threads: usize,
    /// From the files.
    pub dicom: Speed,
    /// From a cache of pictures of the same size.
    pub cache: Speed,
    /// From a cache of whole slices.
    pub whole: Speed,
    /// What a slice takes in the cache of pictures, in KiB.
    pub cache_kib: f64,
    /// What it takes in the cache of whole slices, in KiB.
    pub whole_kib: f64,
    /// Peak memory of falx's process while it loaded.
    pub peak_mib: Option<f64>,
    /// The peers.
    pub peers: Vec<LoaderPeer>,
    /// The memory in use, by slices of the epoch.
    pub memory: Vec<Resident>,
    /// How far the largest of these is above the smallest, in per cent.
    pub spread_percent: Option<f64>,
}

/// Images a second.
#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    /// On one thread, median.
    pub one_thread: f64,
    /// On all threads, median.
    pub all_threads: f64,
    /// All beside one, in pairs of rounds.
    pub threads_ratio: f64,
    /// Milliseconds of all processors for an image, on all threads.
    pub cpu_ms: f64,
}

impl Speed {
    pub(super) fn of(one: &[Rate], all: &[Rate]) -> Self {
        let speed = |rate: &Rate| rate.images_per_s;
        Self {
            one_thread: middle(one, speed),
            all_threads: middle(all, speed),
            threads_ratio: ratio(all, one, speed),
            cpu_ms: middle(all, |rate| rate.cpu_ms),
        }
    }
}

impl LoaderReport {
    /// As text.
    pub fn to_text(&self) -> String {
        let Self {
            files,
            images,
            size,
            batch,
            rounds,
            threads,
            ..
        } = self;
        let mut text = format!(
            "{images} slices of {files} files, {size} × {size}, three windows, full augmentation, batches of {batch}, {rounds} rounds; images a second, median\n"
        );
        // Writing to a String cannot fail.
        let mut line = |words: String| _ = writeln!(text, "{words}");
        for (name, speed) in [
            ("falx from DICOM", &self.dicom),
            ("falx from its cache", &self.cache),
            ("  of whole slices", &self.whole),
        ] {
            line(format!(
                "  {name:<24} {:>8.0}   ({threads} threads; one alone {:.0}, ratio {:.2}); {:.2} ms of CPU an image",
                speed.all_threads, speed.one_thread, speed.threads_ratio, speed.cpu_ms
            ));
        }
        for peer in &self.peers {
            line(format!(
                "  {:<24} {:>8.1}   ({threads} workers; falx from DICOM {:.1} x, from its cache {:.1} x); {:.2} ms of CPU an image ({:.1} x, {:.1} x)",
                peer.name,
                peer.images_per_s,
                peer.dicom_ratio,
                peer.cache_ratio,
                peer.cpu_ms,
                peer.dicom_cpu_ratio,
                peer.cache_cpu_ratio
            ));
        }
        line(format!(
            "a slice takes {:.1} KiB in the cache, {:.1} KiB in that of whole slices",
            self.cache_kib, self.whole_kib
        ));
        let mib =
            |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
        let mut peaks = format!("peak memory: falx {}", mib(self.peak_mib));
        for peer in &self.peers {
            let _ = write!(peaks, ", {} {}", peer.name, mib(peer.peak_mib));
        }
        line(peaks);
        for size in &self.memory {
            line(format!(
                "{:>9} slices: {} in use, epoch planned in {:.1} ms",
                size.samples,
                mib(size.rss_mib),
                size.plan_ms
            ));
        }
        if let Some(spread) = self.spread_percent {
            line(format!(
                "the largest of these is {spread:.1} % above the smallest"
            ));
        }
        if let Some(peer) = self.peers.first() {
            line(format!("peers: {}", peer.versions));
        }
        text
    }
}
