//! Indexing: files a second, beside a loop of pydicom; time, memory and resumption at the scale of a whole data set.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use falx_core::{Interrupt, Progress, SEED_WINDOWS, Silent};
use falx_data::index::{IndexOptions, build};
use serde::Serialize;

use crate::BenchError;
use crate::io::{files, status_mib};
use crate::python::{Peer, Way};
use crate::report::median;

/// What to measure of indexing.
#[derive(Clone, Debug)]
pub struct IndexBenchOptions {
    /// Files or folders with DICOM; none stands for phantoms, made for this.
    pub sources: Vec<PathBuf>,
    /// The Python whose pydicom is the peer, if there is to be one.
    pub python: Option<PathBuf>,
    /// How often everything is measured.
    pub rounds: usize,
    /// Index a tree of so many hard links too, and a tenth of it, each with an id of its own.
    pub entries: Option<usize>,
    /// Where the links are made, on the disk of the sources; none stands for a temporary folder with copies.
    pub folder: Option<PathBuf>,
    /// Threads to read with.
    pub threads: usize,
}

/// What came out; ratios above 1 mean that falx is better.
#[derive(Clone, Debug, Serialize)]
pub struct IndexReport {
    /// Files of a round.
    pub files: usize,
    /// How often everything was measured.
    pub rounds: usize,
    /// Threads.
    pub threads: usize,
    /// Files a second with pixels: hash, range, fractions.
    pub files_per_s: f64,
    /// Files a second, headers only.
    pub headers_per_s: f64,
    /// Files a second of a loop over pydicom, in one process.
    pub python_headers_per_s: Option<f64>,
    /// Files a second of pydicom in as many processes as falx has threads.
    pub python_headers_per_s_all: Option<f64>,
    /// Headers of falx beside pydicom's loop, in pairs of rounds.
    pub headers_ratio: Option<f64>,
    /// Headers of falx beside pydicom in as many processes, in pairs of rounds.
    pub headers_ratio_all: Option<f64>,
    /// At scale.
    pub scale: Vec<Scale>,
    /// Peak memory of the larger tree beside the smaller one's.
    pub memory_growth: Option<f64>,
}

/// One tree.
#[derive(Clone, Debug, Serialize)]
pub struct Scale {
    /// Files in it.
    pub entries: usize,
    /// Seconds for an index with pixels.
    pub seconds: f64,
    /// Seconds for an update of that index when nothing has changed.
    pub update_seconds: f64,
    /// Peak memory of the process while it indexed.
    pub peak_mib: Option<f64>,
    /// The index's size.
    pub index_mib: f64,
}

impl IndexReport {
    /// As text.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{} files, {} rounds, {} threads; files a second, median\n",
            self.files, self.rounds, self.threads
        );
        // Writing to a String cannot fail.
        let mut line = |words: String| _ = writeln!(text, "{words}");
        line(format!(
            "  falx, with pixel hash    {:>9.0}",
            self.files_per_s
        ));
        line(format!(
            "  falx, headers only       {:>9.0}",
            self.headers_per_s
        ));
        for (name, rate, ratio) in [
            (
                "pydicom, a loop",
                self.python_headers_per_s,
                self.headers_ratio,
            ),
            (
                "pydicom, all processes",
                self.python_headers_per_s_all,
                self.headers_ratio_all,
            ),
        ] {
            if let (Some(rate), Some(ratio)) = (rate, ratio) {
                line(format!("  {name:<24} {rate:>9.0}   (falx {ratio:.1} x)"));
            }
        }
        for Scale {
            entries,
            seconds,
            update_seconds,
            peak_mib,
            index_mib,
        } in &self.scale
        {
            let peak = peak_mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
            line(format!(
                "{entries} entries: {seconds:.1} s, update {update_seconds:.1} s, peak memory {peak}, index {index_mib:.1} MiB"
            ));
        }
        if let Some(growth) = self.memory_growth {
            line(format!(
                "peak memory of the larger beside the smaller: {growth:.2}"
            ));
        }
        text
    }
}

/// Measures how fast files become an index.
///
/// # Errors
/// [`BenchError`] where there is nothing to read, or the peer does not run.
pub fn measure(
    options: &IndexBenchOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<IndexReport, BenchError> {
    let temporary = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let folder = temporary.path();
    let files = near(
        &files(&options.sources, folder, progress, interrupt)?,
        folder,
    )?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()?;
    let count = files.len().max(4000);
    let links = Tree::plant(&files, count, count, &folder.join("links"), progress)?;
    let python = options.python.as_deref();
    let mut peer = python
        .map(|python| Peer::start(python, 256, &SEED_WINDOWS))
        .transpose()?;
    let (mut full, mut headers) = (Vec::new(), Vec::new());
    let (mut loops, mut pools, mut beside, mut beside_all) = (vec![], vec![], vec![], vec![]);
    progress.begin("measuring", Some(options.rounds as u64 + 1));
    for round in 0..=options.rounds {
        if interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        let with_pixels = count as f64 / pool.install(|| links.index(false, false))?.0;
        let without = count as f64 / pool.install(|| links.index(true, false))?.0;
        let mut of_peer = [None; 2];
        if let Some(peer) = &mut peer {
            let some = files.get(..files.len().min(400)).unwrap_or_default();
            for (rate, processes) in of_peer.iter_mut().zip([1, options.threads]) {
                *rate = Some(some.len() as f64 / peer.wall_s(Way::Headers, some, processes)?);
            }
        }
        progress.advance(1);
        // The first round warms caches up and is not counted.
        if round == 0 {
            continue;
        }
        full.push(with_pixels);
        headers.push(without);
        if let [Some(alone), Some(all)] = of_peer {
            loops.push(alone);
            pools.push(all);
            beside.push(without / alone);
            beside_all.push(without / all);
        }
    }
    progress.finish();
    let mut scale = Vec::new();
    if let Some(entries) = options.entries {
        drop(peer);
        for count in [entries / 10, entries] {
            let place = folder.join(format!("tree{count}"));
            let tree = Tree::plant(&files, count.max(1), entries, &place, progress)?;
            scale.push(pool.install(|| tree.scale())?);
        }
    }
    let growth = match scale.as_slice() {
        [small, large] => large
            .peak_mib
            .zip(small.peak_mib)
            .map(|(large, small)| large / small),
        _ => None,
    };
    let some = |list: &[f64]| (!list.is_empty()).then(|| median(list));
    Ok(IndexReport {
        files: count,
        rounds: options.rounds,
        threads: options.threads,
        files_per_s: median(&full),
        headers_per_s: median(&headers),
        python_headers_per_s: some(&loops),
        python_headers_per_s_all: some(&pools),
        headers_ratio: some(&beside),
        headers_ratio_all: some(&beside_all),
        scale,
        memory_growth: growth,
    })
}

/// The files where hard links to them can be made: copies, where they lie on another disk.
fn near(files: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>, BenchError> {
    let place = folder.join("files");
    std::fs::create_dir(&place)?;
    let mut near = Vec::with_capacity(files.len());
    for (number, file) in files.iter().enumerate() {
        let copy = place.join(format!("{number}.dcm"));
        if std::fs::hard_link(file, &copy).is_err() {
            std::fs::copy(file, &copy)?;
        }
        near.push(copy);
    }
    Ok(near)
}

/// A flat folder of links with RSNA's names, and a label table that gives every link its own patient and series.
struct Tree {
    folder: PathBuf,
    labels: PathBuf,
    out: PathBuf,
    entries: usize,
}

/// Slices of a series, and of a patient: about RSNA's.
const SERIES: usize = 35;

impl Tree {
    /// Makes `count` links; the table names `named` ids, so that trees of any size are joined with one table.
    fn plant(
        files: &[PathBuf],
        count: usize,
        named: usize,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Self, BenchError> {
        let images = folder.join("images");
        std::fs::create_dir_all(&images)?;
        progress.begin("linking files", Some(count as u64));
        for (number, file) in files.iter().cycle().take(count).enumerate() {
            std::fs::hard_link(file, images.join(format!("ID_{number:09x}.dcm")))?;
            progress.advance(1);
        }
        progress.finish();
        let labels = folder.join("labels.csv");
        let mut csv = BufWriter::new(File::create(&labels)?);
        writeln!(
            csv,
            "image_id,patient,study_uid,series_uid,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any"
        )?;
        for number in 0..named {
            let series = number / SERIES;
            let any = u8::from(number % 7 == 0);
            writeln!(
                csv,
                "ID_{number:09x},ID_{series:08x},ID_a{series:08x},ID_b{series:08x},0,0,0,0,{any},{any}"
            )?;
        }
        csv.flush()?;
        Ok(Self {
            labels,
            out: folder.join("index.parquet"),
            folder: images,
            entries: count,
        })
    }

    /// Seconds, and rows.
    fn index(&self, headers_only: bool, update: bool) -> Result<(f64, u64), BenchError> {
        let options = IndexOptions {
            sources: vec![self.folder.clone()],
            labels: vec![self.labels.clone()],
            headers_only,
            update,
            out: self.out.clone(),
            ..IndexOptions::default()
        };
        let start = Instant::now();
        let summary = build(&options, &Silent, &Interrupt::default())?;
        Ok((start.elapsed().as_secs_f64(), summary.rows))
    }

    fn scale(&self) -> Result<Scale, BenchError> {
        forget_peak();
        let (seconds, rows) = self.index(false, false)?;
        debug_assert_eq!(rows as usize, self.entries);
        let peak_mib = status_mib("VmHWM");
        let (update_seconds, _) = self.index(false, true)?;
        Ok(Scale {
            entries: self.entries,
            seconds,
            update_seconds,
            peak_mib,
            index_mib: std::fs::metadata(&self.out)?.len() as f64 / f64::from(1 << 20),
        })
    }
}

/// Lets the system count this process's peak memory from now on, where it can.
pub(crate) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
