//! From files to an index.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Progress};

use super::arrange::{Sorter, in_memory};
use super::file::Writer;
use super::files::{Source, Unlisted, survey};
use super::journal::{self, Ending, Journal, Manner, Record};
use super::read::ReadOptions;
use super::summary::{SourceSummary, Tally};
use super::workers::{Job, Outcome};
use super::{Index, IndexError, IndexOptions, IndexSummary, Layout, read_listing};
use crate::labels::{self, ColumnMap, Labels, Table};

/// Counts what changes the rows of a file from one version of falx to the next.
const READER: u32 = 4;

/// Reads every file of the sources and writes the index.
///
/// What has been read is kept in a journal beside the index: after an interruption the same call goes on from there,
/// and [`IndexOptions::update`] reads only what is new or has changed. Memory does not grow with the number of files.
/// Runs on as many threads as rayon's current pool has; the file's bytes do not depend on it.
///
/// # Errors
/// [`IndexError`]; a file that cannot be read is no error but a row that is not usable.
pub fn build(
    options: &IndexOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<IndexSummary, IndexError> {
    if options.sources.iter().any(|source| is_listing(source)) {
        return list(options);
    }
    let sources = survey(&options.sources, options.layout)?;
    // The labels come first: a mistake in them should not show after hours of reading.
    let labels = labels::read_all(&tables(options, &sources), &options.columns)?;
    let manner = Manner {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        reader: READER,
        headers_only: options.headers_only,
        part: options.part,
    };
    let log = match options.part {
        Some(_) => options.out.clone(),
        None => journal::path_of(&options.out),
    };
    let mut journal = Journal::open(&log, &manner, options.update)?;
    let done = std::mem::take(&mut journal.done);
    let resumed = !done.is_empty();
    let job = Job {
        sources: &sources,
        options: ReadOptions {
            headers_only: options.headers_only,
            window: options.window,
        },
        part: options.part,
        done: &done,
    };
    // What of the journal is still on the disk; all of it where the journal is new.
    let mut live = HashSet::new();
    let mut reused = 0;
    let unlisted = job.run(
        |outcome| match outcome {
            Outcome::Known(identity) => {
                reused += 1;
                live.insert(identity);
                Ok(())
            }
            Outcome::Read(record) => {
                if resumed {
                    live.insert(record.identity);
                }
                journal.add(record)
            }
        },
        progress,
        interrupt,
    );
    let unlisted = match unlisted {
        Ok(unlisted) => unlisted,
        Err(error) => {
            // What has been read is kept; the first error is the one that matters.
            let _ = journal.flush();
            return Err(error);
        }
    };
    let ending = Ending {
        sources: sources
            .iter()
            .map(|source| SourceSummary::of(source, options.window))
            .collect(),
        unlisted,
    };
    journal.end(ending)?;
    let live = resumed.then_some(&live);
    if options.part.is_some() {
        let mut tally = Tally::default();
        let (_, ending) = journal::replay(&log, |record| {
            if live.is_none_or(|live| live.contains(&record.identity)) {
                tally.file(!record.facts.is_empty());
                for fact in &record.facts {
                    tally.add(&fact.row);
                }
            }
            Ok(())
        })?;
        return Ok(tally.finish(&ending, &labels, reused));
    }
    let summary = write(&[log.as_path()], live, &labels, &options.out, progress)?;
    if let Some(empty) = summary.holds_nothing() {
        // Nothing to go on with.
        let _ = std::fs::remove_file(&log);
        let path = options.sources.first().cloned().unwrap_or_default();
        return Err(IndexError::NoDicom { path, files: empty });
    }
    Ok(IndexSummary { reused, ..summary })
}

/// True for a Parquet file: a table that names slices without their files.
fn is_listing(source: &Path) -> bool {
    let is_parquet = source
        .extension()
        .is_some_and(|ext| ext.eq_ignore_ascii_case("parquet"));
    is_parquet && source.is_file()
}

/// Writes the index of one listing.
fn list(options: &IndexOptions) -> Result<IndexSummary, IndexError> {
    let [table] = options.sources.as_slice() else {
        return Err(IndexError::ListingAlone);
    };
    if !options.headers_only || options.part.is_some() || !options.labels.is_empty() {
        return Err(IndexError::ListingAlone);
    }
    let rows = read_listing(table)?;
    let mut summary = IndexSummary::of(&rows);
    summary.has_labels = summary.labelled > 0;
    let index = Index {
        rows,
        summary: summary.clone(),
        study_labels: Vec::new(),
    };
    index.write(&options.out)?;
    Ok(summary)
}

/// Makes the whole index from parts that [`build`] read: byte for byte what it would have written at once.
///
/// # Errors
/// [`IndexError::PartUnusable`], [`IndexError::Parts`], or as [`build`].
pub fn merge(
    parts: &[PathBuf],
    labels: &[PathBuf],
    columns: &ColumnMap,
    out: &Path,
    progress: &dyn Progress,
) -> Result<IndexSummary, IndexError> {
    let mut numbers = Vec::new();
    let mut first: Option<(Manner, Ending)> = None;
    for path in parts {
        let (manner, ending) = journal::replay(path, |_| Ok(()))?;
        let Some(part) = manner.part else {
            return Err(IndexError::PartUnusable {
                path: path.clone(),
                what: "it is the journal of a whole index".to_owned(),
            });
        };
        numbers.push(part.number);
        let manner = Manner {
            part: Some(super::Part { number: 1, ..part }),
            ..manner
        };
        match &first {
            None => first = Some((manner, ending)),
            Some(known) if *known == (manner, ending) => {}
            Some(_) => {
                return Err(IndexError::Parts {
                    what: format!(
                        "{} is of other sources, or was made otherwise",
                        path.display()
                    ),
                });
            }
        }
    }
    let Some((
        Manner {
            part: Some(part), ..
        },
        ending,
    )) = first
    else {
        return Err(IndexError::Parts {
            what: "no part was given".to_owned(),
        });
    };
    numbers.sort_unstable();
    let wanted: Vec<u32> = (1..=part.of).collect();
    if numbers != wanted {
        let missing: Vec<_> = wanted
            .iter()
            .filter(|number| !numbers.contains(number))
            .map(ToString::to_string)
            .collect();
        let what = if missing.is_empty() {
            "a part is given twice".to_owned()
        } else {
            format!(
                "of {} parts these are missing: {}",
                part.of,
                missing.join(", ")
            )
        };
        return Err(IndexError::Parts { what });
    }
    let own = ending
        .sources
        .iter()
        .flat_map(|source| own_tables(&source.path, source.layout, !labels.is_empty()));
    let tables: Vec<_> = labels
        .iter()
        .cloned()
        .map(Table::Given)
        .chain(own)
        .collect();
    let labels = labels::read_all(&tables, columns)?;
    let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    write(&parts, None, &labels, out, progress)
}

/// Sorts the records of journals and writes the index.
fn write(
    journals: &[&Path],
    live: Option<&HashSet<u64>>,
    labels: &Labels,
    out: &Path,
    progress: &dyn Progress,
) -> Result<IndexSummary, IndexError> {
    // The ending is a journal's last word, but sorting needs the sources before: it is read twice.
    let mut ending = None;
    let mut records = 0_u64;
    for journal in journals {
        let (_, end) = journal::replay(journal, |record| {
            records += record.facts.len() as u64;
            Ok(())
        })?;
        ending = Some(end);
    }
    let ending = ending.ok_or_else(|| IndexError::Parts {
        what: "no part was given".to_owned(),
    })?;
    progress.begin("sorting slices", Some(2 * records));
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut sorter = Sorter::new(folder, labels, &ending.sources);
    let mut tally = Tally::default();
    for journal in journals {
        journal::replay(journal, |Record { identity, facts }| {
            progress.advance(facts.len() as u64);
            if live.is_some_and(|live| !live.contains(&identity)) {
                return Ok(());
            }
            tally.file(!facts.is_empty());
            facts.into_iter().try_for_each(|fact| sorter.push(fact))
        })?;
    }
    let mut writer = Writer::create(out)?;
    let labelled = &labels.slices;
    sorter.rows(|row| {
        progress.advance(1);
        tally.add(&row);
        tally.labelled(labelled.place(&row.image_id), &row, labelled);
        Ok(writer.push(row)?)
    })?;
    progress.finish();
    let summary = tally.finish(&ending, labels, 0);
    if summary.holds_nothing().is_none() {
        writer.finish(&summary, &labels.studies)?;
    }
    Ok(summary)
}

/// The tables that were given, and those that sources bring along.
fn tables(options: &IndexOptions, sources: &[Source]) -> Vec<Table> {
    let given = options.labels.iter().cloned().map(Table::Given);
    let own = sources
        .iter()
        .flat_map(|source| own_tables(&source.folder, source.layout, !options.labels.is_empty()));
    given.chain(own).collect()
}

/// The tables that a published set has beside its files.
fn own_tables(folder: &Path, layout: Layout, has_labels: bool) -> Vec<Table> {
    let existing =
        |folder: &Path, name: &str| Some(folder.join(name)).filter(|path| path.is_file());
    match layout {
        Layout::CtIch => [
            "hemorrhage_diagnosis.csv",
            "hemorrhage_diagnosis_raw_ct.csv",
        ]
        .iter()
        .find_map(|name| existing(folder, name).or_else(|| existing(folder.parent()?, name)))
        .map(Table::CtIch)
        .into_iter()
        .collect(),
        Layout::Cq500 => existing(folder, "reads.csv")
            .or_else(|| existing(folder.parent()?, "reads.csv"))
            .map(Table::Cq500)
            .into_iter()
            .collect(),
        Layout::Images if !has_labels => existing(folder, "labels.csv")
            .map(Table::Given)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Reads every file of the sources into an index that is not written and has no labels.
///
/// # Errors
/// [`IndexError`]; a file that cannot be read is no error but a row that is not usable.
pub fn scan(
    sources: &[PathBuf],
    layout: Layout,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Index, IndexError> {
    let found = survey(sources, layout)?;
    let job = Job {
        sources: &found,
        options: ReadOptions::default(),
        part: None,
        done: &HashSet::new(),
    };
    let mut tally = Tally::default();
    let mut facts = Vec::new();
    let unlisted = job.run(
        |outcome| {
            if let Outcome::Read(record) = outcome {
                tally.file(!record.facts.is_empty());
                facts.extend(record.facts);
            }
            Ok(())
        },
        progress,
        interrupt,
    )?;
    if let Some(Unlisted { path, why }) = unlisted.into_iter().next() {
        return Err(IndexError::List {
            path,
            source: std::io::Error::other(why),
        });
    }
    let rows = in_memory(facts)?;
    for row in &rows {
        tally.add(row);
    }
    let ending = Ending {
        sources: found
            .iter()
            .map(|source| SourceSummary::of(source, None))
            .collect(),
        unlisted: Vec::new(),
    };
    let summary = tally.finish(&ending, &Labels::default(), 0);
    if let Some(files) = summary.holds_nothing() {
        let path = sources.first().cloned().unwrap_or_default();
        return Err(IndexError::NoDicom { path, files });
    }
    Ok(Index {
        rows,
        summary,
        study_labels: Vec::new(),
    })
}
