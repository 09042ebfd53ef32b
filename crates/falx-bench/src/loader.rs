//! From files to batches with full augmentation: images a second from DICOM and from a cache, beside two loaders of Python.

mod peer;
mod report;
mod resident;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use falx_core::{Interrupt, Progress, Silent, random};
use falx_data::augment::AugmentConfig;
use falx_data::cache::{self, Cache, CacheManifest, CacheOptions, PictureForm};
use falx_data::index::{self, IndexOptions};
use falx_data::input::InputSpec;
use falx_data::loader::{Loader, LoaderOptions};
use falx_data::samples::Samples;
use rand::seq::SliceRandom;
use rustix::time::{ClockId, clock_gettime};

use crate::BenchError;
use crate::index::forget_peak;
use crate::io::{files, status_mib};
use crate::report::median;
pub use peer::LoaderPeer;
use peer::{Kind, Peer};
pub use report::{LoaderReport, Speed};
pub use resident::{Resident, ResidentOptions, measure as resident};

/// What to measure of loading.
#[derive(Clone, Debug)]
pub struct LoaderBenchOptions {
    /// Files or folders with DICOM; none stands for phantoms, made for this.
    pub sources: Vec<PathBuf>,
    /// The Python whose `PyTorch` and MONAI are the peers, if there are to be any.
    pub python: Option<PathBuf>,
    /// The picture's side in pixels.
    pub size: usize,
    /// Slices in a batch.
    pub batch: usize,
    /// How often everything is measured.
    pub rounds: usize,
    /// Slices that a round loads.
    pub images: usize,
    /// Slices that a round of a peer loads.
    pub peer_images: usize,
    /// Also measure the memory in use when an epoch of so many slices is loaded, and of fewer.
    pub samples: Option<usize>,
    /// The memory budget of the loader, in MiB.
    pub memory_mib: usize,
    /// Threads to load with, beside one alone; as many workers has each peer.
    pub threads: usize,
}

/// The mean difference of a pixel, in windows, up to which a peer does the same work.
const SAME_WORK: f64 = 0.01;

/// Measures how fast files become batches.
///
/// # Errors
/// [`BenchError`] where there is nothing to read, or a peer does not run or does other work.
pub fn measure(
    options: &LoaderBenchOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<LoaderReport, BenchError> {
    let temporary = tempfile::tempdir()?;
    let folder = temporary.path();
    let found = files(&options.sources, folder, progress, interrupt)?;
    let memory = match options.samples {
        Some(largest) => resident::at_sizes(options, &found, largest, progress, interrupt)?,
        None => Vec::new(),
    };
    let course = Course::prepare(options, found, folder, progress, interrupt)?;
    let mut peers = Vec::new();
    if let Some(python) = &options.python {
        for kind in Kind::ALL {
            let mut peer = Peer::start(python, kind, options, &folder.join("monai"))?;
            course.compare(&mut peer, folder)?;
            peers.push(peer);
        }
    }
    let mut of_falx: [Vec<Rate>; WAYS.len()] = Default::default();
    let mut of_peers: Vec<Vec<Rate>> = vec![Vec::new(); peers.len()];
    let mut peak_mib = None;
    progress.begin("measuring", Some(options.rounds as u64 + 1));
    for round in 0..=options.rounds {
        let mut rates = [Rate::default(); WAYS.len()];
        forget_peak();
        for (rate, (source, threads)) in rates.iter_mut().zip(WAYS) {
            let threads = threads.unwrap_or(options.threads);
            *rate = course.rate(source, threads, interrupt)?;
        }
        let peak = status_mib("VmHWM");
        let mut beside = Vec::with_capacity(peers.len());
        for peer in &mut peers {
            beside.push(peer.rate(&course.paths(options.peer_images), round)?);
        }
        progress.advance(1);
        // The first round warms page cache and MONAI's folder up, and is not counted.
        if round > 0 {
            of_falx
                .iter_mut()
                .zip(rates)
                .for_each(|(all, rate)| all.push(rate));
            of_peers
                .iter_mut()
                .zip(beside)
                .for_each(|(all, rate)| all.push(rate));
            peak_mib = larger(peak_mib, peak);
        }
    }
    progress.finish();
    let [dicom_one, dicom, cache_one, cache, whole_one, whole] = &of_falx;
    Ok(LoaderReport {
        files: course.files.len(),
        images: course.order.len(),
        size: options.size,
        batch: options.batch,
        rounds: options.rounds,
        threads: options.threads,
        dicom: Speed::of(dicom_one, dicom),
        cache: Speed::of(cache_one, cache),
        whole: Speed::of(whole_one, whole),
        cache_kib: course.pictures.kib,
        whole_kib: course.whole.kib,
        peak_mib,
        peers: peers
            .iter()
            .zip(&of_peers)
            .map(|(peer, rates)| peer.report(rates, dicom, cache))
            .collect(),
        spread_percent: resident::spread(&memory),
        memory,
    })
}

/// Where slices are read.
#[derive(Clone, Copy, Debug)]
enum Source {
    Files,
    /// A cache of pictures of the same size.
    Pictures,
    /// A cache of whole slices.
    Whole,
}

/// From everywhere, on one thread and on all.
const WAYS: [(Source, Option<usize>); 6] = [
    (Source::Files, Some(1)),
    (Source::Files, None),
    (Source::Pictures, Some(1)),
    (Source::Pictures, None),
    (Source::Whole, Some(1)),
    (Source::Whole, None),
];

/// A cache that was made for this.
struct Made {
    cache: Arc<Cache>,
    /// What a slice takes in it.
    kib: f64,
}

impl Made {
    fn of(
        index: &Path,
        out: PathBuf,
        input: &InputSpec,
        picture: Option<PictureForm>,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Self, BenchError> {
        let caching = CacheOptions {
            index: index.to_owned(),
            out,
            picture,
            check: false,
        };
        let made = cache::build(&caching, progress, interrupt)?;
        let CacheManifest { data_hash, .. } = CacheManifest::read(&caching.out)?;
        Ok(Self {
            cache: Arc::new(Cache::open(&caching.out, &data_hash, input)?),
            kib: made.bytes as f64 / 1024.0 / made.slices.max(1) as f64,
        })
    }
}

/// The slices, and what is done with them.
struct Course {
    files: Vec<PathBuf>,
    samples: Arc<Samples>,
    order: Arc<[u32]>,
    pictures: Made,
    whole: Made,
    loader: LoaderOptions,
}

impl Course {
    fn prepare(
        options: &LoaderBenchOptions,
        found: Vec<PathBuf>,
        folder: &Path,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Self, BenchError> {
        let input = InputSpec {
            size: options.size,
            ..InputSpec::default()
        };
        let index = folder.join("index.parquet");
        let indexing = IndexOptions {
            sources: found,
            out: index.clone(),
            ..IndexOptions::default()
        };
        index::build(&indexing, &Silent, interrupt)?;
        let made = |name: &str, picture: Option<PictureForm>| {
            let out = folder.join(name);
            Made::of(&index, out, &input, picture, progress, interrupt)
        };
        let pictures = made("pictures", Some(PictureForm::of(&input)))?;
        let whole = made("whole", None)?;
        let samples = Samples::read(&index, None)?;
        let mut files = Vec::with_capacity(samples.len());
        for at in 0..samples.len() {
            files.push(samples.get(at)?.path);
        }
        let images = options.images.max(options.batch);
        let mut order: Vec<u32> = samples.all().into_iter().cycle().take(images).collect();
        order.shuffle(&mut random::stream(1, "bench loader", &[]));
        Ok(Self {
            files,
            samples: Arc::new(samples),
            order: order.into(),
            pictures,
            whole,
            loader: LoaderOptions {
                batch: options.batch,
                memory_mib: options.memory_mib,
                input,
                augment: Some(without_mixing()),
                ..LoaderOptions::default()
            },
        })
    }

    /// The files of the first `count` places of the order.
    fn paths(&self, count: usize) -> Vec<&Path> {
        let places = self.order.iter().cycle().take(count);
        let path = |&at: &u32| self.files.get(at as usize).map(PathBuf::as_path);
        places.filter_map(path).collect()
    }

    /// Images a second, from before the first thread starts to after the last batch.
    fn rate(
        &self,
        source: Source,
        threads: usize,
        interrupt: &Interrupt,
    ) -> Result<Rate, BenchError> {
        let cache = match source {
            Source::Files => None,
            Source::Pictures => Some(&self.pictures),
            Source::Whole => Some(&self.whole),
        };
        let options = LoaderOptions {
            threads,
            cache: cache.map(|made| Arc::clone(&made.cache)),
            ..self.loader.clone()
        };
        let (start, cpu) = (Instant::now(), cpu_ms());
        let mut loader = Loader::new(Arc::clone(&self.samples), Arc::clone(&self.order), options)?;
        let mut images = 0;
        while let Some(batch) = loader.next() {
            if interrupt.is_requested() {
                return Err(BenchError::Interrupted);
            }
            let batch = batch?;
            images += batch.ids.len();
            loader.recycle(batch.images.into_parts().0);
        }
        drop(loader);
        Ok(Rate {
            images_per_s: images as f64 / start.elapsed().as_secs_f64(),
            cpu_ms: (cpu_ms() - cpu) / images.max(1) as f64,
        })
    }

    /// Holds a batch without augmentation beside the peer's.
    fn compare(&self, peer: &mut Peer, folder: &Path) -> Result<(), BenchError> {
        let options = LoaderOptions {
            augment: None,
            ..self.loader.clone()
        };
        let mut loader = Loader::new(Arc::clone(&self.samples), Arc::clone(&self.order), options)?;
        let Some(batch) = loader.next().transpose()? else {
            return Ok(());
        };
        let raw = folder.join("batch.f32");
        let bytes: Vec<u8> = batch.images.iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(&raw, bytes)?;
        let difference = peer.difference(&self.paths(batch.ids.len()), &raw)?;
        if difference > SAME_WORK {
            return Err(BenchError::OtherWork {
                peer: peer.kind.name(),
                difference,
            });
        }
        Ok(())
    }
}

/// Full augmentation but for mixing, which the peers do not do.
fn without_mixing() -> AugmentConfig {
    AugmentConfig {
        mixup: 0.0,
        cutmix: 0.0,
        ..AugmentConfig::full()
    }
}

/// The larger of what is known.
fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

/// How fast a round was.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    images_per_s: f64,
    /// Milliseconds of all processors for an image: what other processes on the machine do not change much.
    cpu_ms: f64,
}

/// Milliseconds that all threads of this process have computed.
pub(crate) fn cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

/// The median of a number of all rounds.
fn middle(rates: &[Rate], number: fn(&Rate) -> f64) -> f64 {
    median(&rates.iter().map(number).collect::<Vec<_>>())
}

/// The median ratio of rounds that were measured side by side.
fn ratio(ours: &[Rate], theirs: &[Rate], number: fn(&Rate) -> f64) -> f64 {
    let pairs = ours.iter().zip(theirs);
    let ratios: Vec<f64> = pairs.map(|(a, b)| number(a) / number(b)).collect();
    median(&ratios)
}
