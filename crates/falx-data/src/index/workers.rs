//! Reading all files on several threads, as the disk lists them.

use std::collections::HashSet;
use std::sync::Mutex;

use crossbeam_channel::{Receiver, Sender, bounded};
use falx_core::{Interrupt, Progress};

use super::files::{Found, Source, Unlisted};
use super::journal::Record;
use super::read::{ReadOptions, RowReader};
use super::{IndexError, Part};

/// The most files that travel together from the lister to a worker, and their records back.
const MOST_TOGETHER: u64 = 32;
/// The least parts that a worker's share of the files is cut into: the files of one study, too, keep every worker busy.
const LEAST_PARTS: u64 = 8;

/// How many files travel together.
pub(super) fn together(files: u64, threads: usize) -> usize {
    let parts = LEAST_PARTS * threads as u64;
    (files / parts).clamp(1, MOST_TOGETHER) as usize
}

/// What is read, and how.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) sources: &'a [Source],
    pub(super) options: ReadOptions,
    pub(super) part: Option<Part>,
    /// Identities of files that need not be read again.
    pub(super) done: &'a HashSet<u64>,
}

/// What a worker has of a file.
pub(super) enum Outcome {
    /// It was read.
    Read(Record),
    /// It had been read before.
    Known(u64),
}

impl Job<'_> {
    /// Reads every file and gives what came out to `take`, in no particular order; says what could not be listed.
    ///
    /// Memory does not grow with the number of files: the lister waits for the workers, and they for `take`.
    pub(super) fn run(
        &self,
        mut take: impl FnMut(Outcome) -> Result<(), IndexError>,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Vec<Unlisted>, IndexError> {
        let threads = rayon::current_num_threads();
        let total: u64 = self.sources.iter().map(|source| source.files).sum();
        let total = self.part.map_or(total, |part| total / u64::from(part.of));
        progress.begin("reading files", Some(total));
        let together = together(total, threads);
        let unlisted = Mutex::new(Vec::new());
        let outcome = std::thread::scope(|scope| {
            let (files, to_read) = bounded::<Vec<Found>>(4 * threads);
            let (results, read) = bounded::<Vec<Outcome>>(4 * threads);
            let missing = &unlisted;
            scope.spawn(move || self.list(&files, together, missing, interrupt));
            for _ in 0..threads {
                let (to_read, results) = (to_read.clone(), results.clone());
                scope.spawn(move || self.work(&to_read, &results, interrupt));
            }
            drop((to_read, results));
            let mut outcome = Ok(());
            for chunk in &read {
                let count = chunk.len() as u64;
                outcome = chunk.into_iter().try_for_each(&mut take);
                progress.advance(count);
                if outcome.is_err() {
                    break;
                }
            }
            // Whoever still sends finds nobody listening, and ends.
            drop(read);
            outcome
        });
        progress.finish();
        outcome?;
        let mut unlisted = unlisted.into_inner().unwrap_or_default();
        unlisted.sort();
        unlisted.dedup();
        if interrupt.is_requested() {
            return Err(IndexError::Interrupted);
        }
        Ok(unlisted)
    }

    fn list(
        &self,
        files: &Sender<Vec<Found>>,
        together: usize,
        missing: &Mutex<Vec<Unlisted>>,
        interrupt: &Interrupt,
    ) {
        let mut chunk = Vec::with_capacity(together);
        for (number, source) in self.sources.iter().enumerate() {
            let mut take = |found: Found| {
                if !self.is_mine(&found) {
                    return true;
                }
                chunk.push(found);
                if chunk.len() < together {
                    return true;
                }
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(together));
                !interrupt.is_requested() && files.send(full).is_ok()
            };
            let mut note = |path: Unlisted| {
                if let Ok(mut all) = missing.lock() {
                    all.push(path);
                }
            };
            source.walk(number, &mut take, &mut note);
        }
        // Nobody may be listening any more; then nothing is lost.
        let _ = files.send(chunk);
    }

    /// True where the file is of this part: a matter of its path below the source alone.
    fn is_mine(&self, found: &Found) -> bool {
        let Some(part) = self.part else {
            return true;
        };
        let hash = blake3::hash(found.relative.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(first) % u64::from(part.of) == u64::from(part.number) - 1
    }

    fn work(
        &self,
        to_read: &Receiver<Vec<Found>>,
        results: &Sender<Vec<Outcome>>,
        interrupt: &Interrupt,
    ) {
        let mut reader = RowReader::new(self.options);
        for chunk in to_read {
            let mut outcomes = Vec::with_capacity(chunk.len());
            for found in chunk {
                if interrupt.is_requested() {
                    break;
                }
                outcomes.extend(self.file(&mut reader, &found));
            }
            if results.send(outcomes).is_err() {
                return;
            }
        }
    }

    fn file(&self, reader: &mut RowReader, found: &Found) -> Option<Outcome> {
        let source = self.sources.get(found.source)?;
        // A file that is gone by now has no state; reading it says so.
        let identity = match std::fs::metadata(&found.path) {
            Ok(state) => reader.identity(found, source, &state),
            Err(_) => 0,
        };
        if identity != 0 && self.done.contains(&identity) {
            return Some(Outcome::Known(identity));
        }
        Some(Outcome::Read(Record {
            identity,
            facts: reader.read(found, source),
        }))
    }
}
