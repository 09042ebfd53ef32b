//! From DICOM files to a network's input: the time of every part, threads, memory.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use falx_core::{Interrupt, Progress, SEED_WINDOWS, Silent};
use falx_dicom::{DicomError, Reader};
use rayon::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use crate::python::{Peer, Way};
use crate::report::{Falx, IoReport, Memory, Parts, Python, Spread, median};
use crate::{BenchError, IoOptions};

/// Files whose pictures are compared with the peer's.
const COMPARED: usize = 16;

/// Measures how files become a network's input.
///
/// # Errors
/// [`BenchError`] where there is nothing to read, or the peer does not run.
pub fn measure(
    options: &IoOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<IoReport, BenchError> {
    let phantoms = tempfile::tempdir()?;
    let files = files(&options.sources, phantoms.path(), progress, interrupt)?;
    let &IoOptions { size, rounds, .. } = options;
    let python = options.python.as_deref();
    let mut peer = python
        .map(|python| Peer::start(python, size, &SEED_WINDOWS))
        .transpose()?;
    let parts_at_a_time = 4 + peer.as_ref().map_or(0, |_| Way::ALL.len());
    let steps = (rounds + 1) * parts_at_a_time;
    progress.begin("measuring", Some(steps as u64));
    let mut falx = Measured::default();
    let mut python: [Vec<f64>; 3] = Default::default();
    for round in 0..=rounds {
        if interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        // The first round warms caches up and is not counted.
        let mut times = Measured::default();
        times.round(&files, size, &|| progress.advance(1))?;
        let mut of_peer: [Vec<f64>; 3] = Default::default();
        if let Some(peer) = &mut peer {
            for (times, way) in of_peer.iter_mut().zip(Way::ALL) {
                *times = peer.cpu_ms(way, &files)?;
                progress.advance(1);
            }
        }
        if round > 0 {
            falx.extend(times);
            for (all, times) in python.iter_mut().zip(of_peer) {
                all.extend(times);
            }
        }
    }
    progress.finish();
    let walls = walls(&files, options, interrupt, &mut peer)?;
    let largest_difference = match &mut peer {
        Some(peer) => Some(compare(&files, size, phantoms.path(), peer)?),
        None => None,
    };
    let memory = match options.memory_files {
        Some(count) => memory(&files, size, count, phantoms.path(), progress)?,
        None => Vec::new(),
    };
    let parts = Parts::of(&falx.floor, &falx.header, &falx.fitted, &falx.tensor);
    let of_way = |way: usize| Spread::of(python.get(way).map_or(&[], Vec::as_slice));
    let python = peer.as_mut().map(|peer| -> Result<Python, BenchError> {
        let [seed, lookup, mean] = [0, 1, 2].map(of_way);
        Ok(Python {
            versions: peer.versions.clone(),
            seed,
            lookup,
            mean,
            files_per_s: walls.python,
            peak_mib: peer.peak_mib()?,
        })
    });
    Ok(IoReport::new(
        files.len(),
        size,
        rounds,
        Falx {
            cpu_ms: Spread::of(&falx.tensor),
            parts,
            files_per_s_one_thread: walls.one,
            files_per_s: walls.all,
            threads: options.threads,
            threads_ratio: walls.threads_ratio,
            peak_mib: status_mib("VmHWM"),
        },
        python.transpose()?,
        walls.python_ratio,
        largest_difference,
        memory,
    ))
}

/// The DICOM files to read: those of the sources that give a slice, or phantoms.
pub(crate) fn files(
    sources: &[PathBuf],
    folder: &Path,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Vec<PathBuf>, BenchError> {
    let sources = if sources.is_empty() {
        let options = falx_phantom::PhantomOptions {
            patients: 3,
            masks: false,
            out: folder.join("phantoms"),
            ..falx_phantom::PhantomOptions::default()
        };
        let made = falx_phantom::write(&options, progress, interrupt)?;
        vec![made.images]
    } else {
        sources.to_vec()
    };
    let report = falx_data::check::check(&sources, &Silent, interrupt)?;
    let found = report.files.len();
    let usable = report.files.into_iter().filter(|file| file.frames == 1);
    let files: Vec<PathBuf> = usable.map(|file| file.path).collect();
    if files.is_empty() {
        return Err(BenchError::NoSlices { files: found });
    }
    Ok(files)
}

/// CPU milliseconds of each file, by what was done with it.
#[derive(Default)]
struct Measured {
    floor: Vec<f64>,
    header: Vec<f64>,
    fitted: Vec<f64>,
    tensor: Vec<f64>,
}

impl Measured {
    fn round(&mut self, files: &[PathBuf], size: usize, done: &dyn Fn()) -> Result<(), BenchError> {
        let mut reader = Reader::new();
        let mut bytes = Vec::new();
        let mut out = vec![0.0; SEED_WINDOWS.len() * size * size];
        self.floor = times(files, |path| read_bytes(path, &mut bytes))?;
        done();
        self.header = times(files, |path| reader.read_header(path).map(drop))?;
        done();
        self.fitted = times(files, |path| {
            reader.read_fitted(path, size, &mut out).map(drop)
        })?;
        done();
        self.tensor = times(files, |path| tensor(&mut reader, path, size, &mut out))?;
        done();
        Ok(())
    }

    fn extend(&mut self, other: Self) {
        self.floor.extend(other.floor);
        self.header.extend(other.header);
        self.fitted.extend(other.fitted);
        self.tensor.extend(other.tensor);
    }
}

fn tensor(
    reader: &mut Reader,
    path: &Path,
    size: usize,
    out: &mut [f32],
) -> Result<(), DicomError> {
    reader.read_tensor(path, size, &SEED_WINDOWS, out)?;
    black_box(out);
    Ok(())
}

/// Reads a file's bytes into a buffer that is used again: what no reader can do without.
fn read_bytes(path: &Path, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len() as usize;
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    file.read_exact(buffer.get_mut(..length).unwrap_or_default())?;
    black_box(buffer);
    Ok(())
}

fn times<E: Into<BenchError>>(
    files: &[PathBuf],
    mut act: impl FnMut(&Path) -> Result<(), E>,
) -> Result<Vec<f64>, BenchError> {
    let mut times = Vec::with_capacity(files.len());
    for path in files {
        let start = thread_cpu_ms();
        act(path).map_err(Into::into)?;
        times.push(thread_cpu_ms() - start);
    }
    Ok(times)
}

fn thread_cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

/// Files a second, in pairs of rounds.
struct Walls {
    one: f64,
    all: f64,
    threads_ratio: f64,
    python: Option<f64>,
    python_ratio: Option<f64>,
}

fn walls(
    files: &[PathBuf],
    options: &IoOptions,
    interrupt: &Interrupt,
    peer: &mut Option<Peer>,
) -> Result<Walls, BenchError> {
    let &IoOptions { size, threads, .. } = options;
    // Some seconds a round, so that a thread's start does not count.
    let many: Vec<PathBuf> = files
        .iter()
        .cycle()
        .take(files.len().max(2000))
        .cloned()
        .collect();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let (one, all) = (pool(1)?, pool(threads)?);
    let (mut ones, mut alls, mut ratios, mut pythons, mut beside) =
        (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..options.rounds {
        if interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        let alone = one.install(|| files_per_s(&many, size))?;
        let together = all.install(|| files_per_s(&many, size))?;
        ones.push(alone);
        alls.push(together);
        ratios.push(together / alone);
        if let Some(peer) = peer {
            let fewer = many
                .get(..files.len().max(400).min(many.len()))
                .unwrap_or(files);
            let ways = [Way::Lookup, Way::Mean].map(|way| peer.wall_s(way, fewer, threads));
            let [lookup, mean] = ways;
            let best = fewer.len() as f64 / lookup?.min(mean?);
            pythons.push(best);
            beside.push(together / best);
        }
    }
    let some = |list: Vec<f64>| (!list.is_empty()).then(|| median(&list));
    Ok(Walls {
        one: median(&ones),
        all: median(&alls),
        threads_ratio: median(&ratios),
        python: some(pythons),
        python_ratio: some(beside),
    })
}

fn files_per_s(files: &[PathBuf], size: usize) -> Result<f64, DicomError> {
    let start = Instant::now();
    read_all(files, size)?;
    Ok(files.len() as f64 / start.elapsed().as_secs_f64())
}

fn read_all(files: &[PathBuf], size: usize) -> Result<(), DicomError> {
    let buffers = || (Reader::new(), vec![0.0; SEED_WINDOWS.len() * size * size]);
    let shares = files.par_chunks(16);
    shares.try_for_each_init(buffers, |(reader, out), share| {
        share
            .iter()
            .try_for_each(|path| tensor(reader, path, size, out))
    })
}

/// The largest difference of a picture to the peer's.
fn compare(
    files: &[PathBuf],
    size: usize,
    folder: &Path,
    peer: &mut Peer,
) -> Result<f64, BenchError> {
    let mut reader = Reader::new();
    let mut out = vec![0.0; SEED_WINDOWS.len() * size * size];
    let raw = folder.join("tensor.f32");
    let mut largest = 0.0_f64;
    for path in files.iter().step_by(files.len().div_ceil(COMPARED)) {
        tensor(&mut reader, path, size, &mut out)?;
        let bytes: Vec<u8> = out.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(&raw, bytes)?;
        largest = largest.max(peer.difference(Way::Mean, path, &raw)?);
    }
    Ok(largest)
}

/// The memory in use after 1,000, 10,000 and all of `count` files, which are links to those given.
fn memory(
    files: &[PathBuf],
    size: usize,
    count: usize,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<Memory>, BenchError> {
    let folder = folder.join("links");
    std::fs::create_dir(&folder)?;
    progress.begin("linking files", Some(count as u64));
    let links: Vec<PathBuf> = files
        .iter()
        .cycle()
        .take(count)
        .enumerate()
        .map(|(number, file)| {
            let link = folder.join(format!("{number:06}.dcm"));
            progress.advance(1);
            link_to(&std::path::absolute(file)?, &link)?;
            Ok(link)
        })
        .collect::<std::io::Result<_>>()?;
    progress.finish();
    let mut done = 0;
    let mut steps: Vec<usize> = vec![1000, 10_000, count];
    steps.retain(|&step| step <= count);
    steps.dedup();
    let mut memory = Vec::new();
    for step in steps {
        read_all(links.get(done..step).unwrap_or_default(), size)?;
        done = step;
        memory.push(Memory {
            files: step,
            rss_mib: status_mib("VmRSS"),
        });
    }
    Ok(memory)
}

#[cfg(unix)]
fn link_to(file: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(file, link)
}

#[cfg(not(unix))]
fn link_to(file: &Path, link: &Path) -> std::io::Result<()> {
    std::fs::hard_link(file, link)
}

/// A size in this process's status, where the system tells it.
pub(crate) fn status_mib(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line
        .trim_start_matches(':')
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(kib / 1024.0)
}
