//! Making a cache, shard by shard.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use atomic_write_file::AtomicWriteFile;
use falx_core::{Hu, Interrupt, Progress};
use falx_eval::text::count;
use rayon::prelude::*;
use serde::Serialize;

use super::packed::{Head, Values, pack};
use super::shard::{self, SHARD, Shard};
use super::{CacheError, CacheManifest, FORMAT, MANIFEST, PictureForm};
use crate::index::data_lock;
use crate::input::{InputError, InputSpec};
use crate::loader::Skipped;
use crate::samples::{Sample, Samples};
use crate::source::{Place, SliceReader};

/// What [`build`] reads and writes.
#[derive(Clone, Debug)]
pub struct CacheOptions {
    /// The index.
    pub index: PathBuf,
    /// The folder to write.
    pub out: PathBuf,
    /// Hold pictures of this form instead of whole slices.
    pub picture: Option<PictureForm>,
    /// Look at every slice of the shards that are there, and make damaged ones again.
    pub check: bool,
}

/// Why a shard that was there lacks a slice, in one word.
const MISSING: &str = "missing_in_cache";

/// What a cache took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CacheSummary {
    /// The folder.
    pub cache: PathBuf,
    /// Slices of the index that can be used.
    pub slices: u64,
    /// Shards in all.
    pub shards: u64,
    /// Shards that were there already.
    pub kept: u64,
    /// Shards that were there and damaged, and were made again.
    pub damaged: u64,
    /// Bytes of all shards.
    pub bytes: u64,
    /// Slices that could not be read, and are not in the cache.
    pub skipped: Skipped,
}

impl CacheSummary {
    /// The summary as the command line prints it.
    pub fn to_text(&self) -> String {
        use std::fmt::Write as _;

        let held = self.slices - self.skipped.count.min(self.slices);
        let mib = self.bytes as f64 / f64::from(1 << 20);
        let mut text = format!(
            "{}: {} in {}, {mib:.1} MiB ({:.1} KiB a slice)",
            self.cache.display(),
            count(held, "slice"),
            count(self.shards, "shard"),
            1024.0 * mib / held.max(1) as f64,
        );
        if self.kept > 0 {
            let _ = write!(text, "\n{} were there already", count(self.kept, "shard"));
        }
        if self.damaged > 0 {
            let _ = write!(
                text,
                "\n{} were damaged and made again",
                count(self.damaged, "shard")
            );
        }
        if self.skipped.count > 0 {
            let _ = write!(
                text,
                "\n{} could not be read:",
                count(self.skipped.count, "slice")
            );
            for (reason, slices) in &self.skipped.by_reason {
                let _ = write!(text, " {reason} {slices}");
            }
            for path in &self.skipped.examples {
                let _ = write!(text, "\n  {}", path.display());
            }
        }
        text
    }

    /// True where every usable slice is in the cache.
    pub fn is_complete(&self) -> bool {
        self.skipped.count == 0
    }
}

/// Makes a cache of the usable slices of an index, or goes on with one.
///
/// A shard that is there is kept; any number of runs that are interrupted give the same bytes as one that is not.
///
/// # Errors
/// [`CacheError`]; finished shards stay.
pub fn build(
    options: &CacheOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<CacheSummary, CacheError> {
    let samples = Samples::read(&options.index, None)?;
    let (data_hash, rows) = data_lock(&options.index)?;
    let manifest = CacheManifest {
        format: FORMAT,
        data_hash,
        rows,
        picture: options.picture,
    };
    enter(&options.out, &manifest)?;
    let _entered = sweep(&options.out);
    let shards = shards_of(&samples)?;
    progress.begin("cache", Some(samples.len() as u64));
    let summary = Mutex::new(CacheSummary {
        cache: options.out.clone(),
        slices: samples.len() as u64,
        shards: shards.len() as u64,
        ..CacheSummary::default()
    });
    let maker = Maker {
        samples: &samples,
        options,
        input: input(options.picture),
    };
    let done = shards
        .par_iter()
        .try_for_each_init(SliceReader::new, |reader, shard| {
            if interrupt.is_requested() {
                return Err(CacheError::Interrupted);
            }
            let made = maker.shard(shard, reader)?;
            progress.advance(shard.places.len() as u64);
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.kept += u64::from(made.kept);
            summary.damaged += u64::from(made.damaged);
            summary.bytes += made.bytes;
            summary.skipped.join(&made.skipped);
            Ok(())
        });
    progress.finish();
    done?;
    Ok(summary.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Begins a cache in `folder`, or finds the one that is there to be the same.
fn enter(folder: &Path, manifest: &CacheManifest) -> Result<(), CacheError> {
    match CacheManifest::read(folder) {
        Ok(have) if have == *manifest => return Ok(()),
        Ok(have) => {
            let what = if have.picture == manifest.picture {
                "was made from another index"
            } else {
                "holds slices in another form"
            };
            return Err(CacheError::Other {
                path: folder.to_owned(),
                what: what.to_owned(),
            });
        }
        Err(CacheError::NoCache { .. }) => {}
        Err(error) => return Err(error),
    }
    let path = folder.join(MANIFEST);
    let write = || {
        std::fs::create_dir_all(folder)?;
        let text = toml::to_string(manifest).map_err(std::io::Error::other)?;
        let mut file = AtomicWriteFile::open(&path)?;
        file.write_all(text.as_bytes())?;
        file.commit()
    };
    write().map_err(|source| CacheError::Write {
        path: path.clone(),
        source,
    })
}

/// Removes what a run that was killed left half-written, unless another run works in the folder; the file that comes
/// back says that this one does.
fn sweep(folder: &Path) -> Option<File> {
    let mark = File::open(folder.join(MANIFEST)).ok()?;
    if mark.try_lock().is_ok() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(".shard-") {
                // It takes room and does no harm: no run fails for it.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        mark.unlock().ok()?;
    }
    mark.lock_shared().ok()?;
    Some(mark)
}

/// The samples whose rows make a shard.
struct Rows {
    first: u32,
    /// Place in the shard, and place among the samples.
    places: Vec<(usize, usize)>,
}

fn shards_of(samples: &Samples) -> Result<Vec<Rows>, CacheError> {
    let mut shards: BTreeMap<u32, Vec<(usize, usize)>> = BTreeMap::new();
    for at in 0..samples.len() {
        let row = samples.row(at)?;
        let (shard, place) = (row / SHARD as u32, row as usize % SHARD);
        shards.entry(shard).or_default().push((place, at));
    }
    let rows = shards.into_iter().map(|(shard, places)| Rows {
        first: shard * SHARD as u32,
        places,
    });
    Ok(rows.collect())
}

/// The input whose planes are a picture's values; `None` for whole slices.
fn input(picture: Option<PictureForm>) -> Option<InputSpec> {
    picture.map(|picture| InputSpec {
        size: picture.size,
        mm_per_pixel: picture.mm_per_pixel,
        crop: picture.crop,
        clip_hu: picture.clip_hu,
        own_window: picture.own_window,
        ..InputSpec::default()
    })
}

struct Maker<'a> {
    samples: &'a Samples,
    options: &'a CacheOptions,
    input: Option<InputSpec>,
}

#[derive(Default)]
struct Made {
    kept: bool,
    damaged: bool,
    bytes: u64,
    skipped: Skipped,
}

impl Maker<'_> {
    fn shard(&self, shard: &Rows, reader: &mut SliceReader) -> Result<Made, CacheError> {
        let path = CacheManifest::shard_of(&self.options.out, shard.first);
        let mut made = Made::default();
        if let Ok(metadata) = std::fs::metadata(&path) {
            if let Some(missing) = self.missing(&path, shard)? {
                made.kept = true;
                made.bytes = metadata.len();
                for path in missing {
                    made.skipped.add(path, MISSING);
                }
                return Ok(made);
            }
            made.damaged = true;
        }
        let mut slices: Vec<Option<Vec<u8>>> = vec![None; SHARD];
        for &(place, at) in &shard.places {
            let sample = self.samples.get(at)?;
            match self.packed(&sample, reader) {
                Ok(bytes) => {
                    if let Some(slot) = slices.get_mut(place) {
                        *slot = Some(bytes);
                    }
                }
                Err(error) => made.skipped.add(sample.path, error.reason()),
            }
        }
        let written = shard::write(&path, &slices).and_then(|()| std::fs::metadata(&path));
        let metadata = written.map_err(|source| CacheError::Write {
            path: path.clone(),
            source,
        })?;
        made.bytes = metadata.len();
        Ok(made)
    }

    /// The slices that the shard at `path` lacks; `None` where it must be made again.
    fn missing(&self, path: &Path, shard: &Rows) -> Result<Option<Vec<PathBuf>>, CacheError> {
        let Ok(opened) = Shard::open(path) else {
            return Ok(None);
        };
        if self.options.check && !opened.is_whole().unwrap_or(false) {
            return Ok(None);
        }
        let mut missing = Vec::new();
        for &(place, at) in &shard.places {
            match opened.has(place) {
                Ok(true) => {}
                // Whoever asks for a check asks for what can be read by now, too.
                Ok(false) if self.options.check => return Ok(None),
                Ok(false) => missing.push(self.samples.get(at)?.path),
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(missing))
    }

    fn packed(&self, sample: &Sample, reader: &mut SliceReader) -> Result<Vec<u8>, InputError> {
        let place = Place {
            path: &sample.path,
            window: sample.window,
        };
        let values = if let Some(input) = &self.input {
            let mut hu = vec![Hu::PADDING.0; input.plane_len()];
            input.read_plane(reader, place, &mut None, &mut hu)?;
            let head = Head {
                rows: input.size,
                cols: input.size,
                pixel_spacing: None,
            };
            Values { head, hu }
        } else {
            let slice = reader.read(place)?;
            let head = Head {
                rows: slice.header.rows,
                cols: slice.header.cols,
                pixel_spacing: slice.header.pixel_spacing,
            };
            let hu = slice.hu.iter().map(|hu| hu.0).collect();
            Values { head, hu }
        };
        pack(&values).map_err(|_| InputError::NotPacked {
            path: sample.path.clone(),
        })
    }
}
