//! From files to rows.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{Interrupt, Millimetre, Progress};
use falx_dicom::series::{SeriesDefect, SeriesSlice, arrange};
use rayon::prelude::*;

use super::files::{Found, detect, find};
use super::read::{Fact, Read, read};
use super::{Index, IndexError, IndexOptions, IndexRow, IndexSummary, Layout};
use crate::labels::{self, LabelTable};

/// Reads every DICOM file of the sources and writes the index.
///
/// Runs on rayon's current pool; the file's bytes do not depend on the number of threads.
///
/// # Errors
/// [`IndexError`]; a file that cannot be read is no error but a row that is not usable.
pub fn build(
    options: &IndexOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<IndexSummary, IndexError> {
    // The labels come first: a mistake in them should not show after hours of reading.
    let labels = options.labels.as_ref().map(labels::read).transpose()?;
    let mut index = scan(&options.sources, options.layout, progress, interrupt)?;
    if let Some(labels) = &labels {
        join(&mut index.rows, labels);
        let before = index.summary;
        index.summary = IndexSummary::of(&index.rows, before.layout, before.files);
        index.summary.layout_detected = before.layout_detected;
        index.summary.add_labels(&index.rows, labels);
    }
    index.write(&options.out)?;
    Ok(index.summary)
}

/// Reads every DICOM file of the sources into an index that is not written and has no labels.
///
/// # Errors
/// [`IndexError`]; a file that cannot be read is no error but a row that is not usable.
pub fn scan(
    sources: &[PathBuf],
    layout: Layout,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Index, IndexError> {
    let mut found = find(sources)?;
    let files = found.len() as u64;
    let layout_detected = layout == Layout::Auto;
    let layout = match layout {
        Layout::Auto => detect(&found),
        given => given,
    };
    if layout == Layout::Rsna {
        found.retain(Found::is_dcm);
    }
    let mut facts = read_all(&found, layout, progress, interrupt)?;
    if facts
        .iter()
        .all(|fact| fact.row.defects.iter().any(|name| name == NOT_DICOM))
    {
        let path = sources.first().cloned().unwrap_or_default();
        return Err(IndexError::NoDicom { path, files });
    }
    place(&mut facts);
    let mut rows: Vec<IndexRow> = facts.into_iter().map(|fact| fact.row).collect();
    intern(&mut rows);
    let mut summary = IndexSummary::of(&rows, layout, files);
    summary.layout_detected = layout_detected;
    Ok(Index { rows, summary })
}

const NOT_DICOM: &str = falx_dicom::Refusal::NotDicom.name();

/// Reads all files in parallel; the result is in the files' order.
fn read_all(
    found: &[Found],
    layout: Layout,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Vec<Fact>, IndexError> {
    progress.begin("reading DICOM files", Some(found.len() as u64));
    let read: Vec<Option<Read>> = found
        .par_iter()
        .map_init(Default::default, |(reader, slice), file| {
            if interrupt.is_requested() {
                return None;
            }
            let read = read(reader, slice, file, layout);
            progress.advance(1);
            Some(read)
        })
        .collect();
    progress.finish();
    let mut facts = Vec::with_capacity(read.len());
    for read in read {
        match read.ok_or(IndexError::Interrupted)? {
            Read::Row(fact) => facts.push(*fact),
            Read::NotDicom => {}
        }
    }
    Ok(facts)
}

/// Gives every slice its place in its series, and sorts: study, series, position, id; unknown ones last.
fn place(facts: &mut [Fact]) {
    facts.sort_by(|a, b| {
        group(a)
            .cmp(&group(b))
            .then_with(|| a.row.path.cmp(&b.row.path))
    });
    facts
        .chunk_by_mut(|a, b| group(a) == group(b))
        .filter(|series| {
            series
                .first()
                .is_some_and(|fact| fact.row.series_uid.is_some())
        })
        .for_each(measure);
    facts.sort_by(|a, b| {
        let last = |fact: &Fact| fact.row.order.unwrap_or(u32::MAX);
        group(a)
            .cmp(&group(b))
            .then_with(|| last(a).cmp(&last(b)))
            .then_with(|| a.row.image_id.cmp(&b.row.image_id))
            .then_with(|| a.row.path.cmp(&b.row.path))
    });
}

type Group<'a> = (bool, Option<&'a str>, bool, Option<&'a str>);

fn group(fact: &Fact) -> Group<'_> {
    let (study, series) = (
        fact.row.study_uid.as_deref(),
        fact.row.series_uid.as_deref(),
    );
    (study.is_none(), study, series.is_none(), series)
}

/// Order, positions, spacing, tilt and oddities of one series.
fn measure(series: &mut [Fact]) {
    let slices: Vec<SeriesSlice<'_>> = series.iter().map(Fact::geometry).collect();
    let geometry = arrange(&slices);
    for fact in series.iter_mut() {
        fact.row.spacing_mm = geometry.spacing_mm.map(Millimetre);
        fact.row.tilt_deg = geometry.tilt_deg;
    }
    for (order, (&at, &z)) in geometry.order.iter().zip(&geometry.positions).enumerate() {
        if let Some(fact) = series.get_mut(at) {
            fact.row.order = Some(order as u32);
            fact.row.z_mm = Some(z);
        }
    }
    let everyone: Vec<usize> = (0..series.len()).collect();
    let twins = geometry
        .duplicates
        .iter()
        .flat_map(|&(a, b)| [a, b])
        .collect::<Vec<_>>();
    let namesakes = geometry.duplicate_uids.concat();
    for &defect in &geometry.defects {
        let concerned = match defect {
            // Columns say these already, and they are no faults.
            SeriesDefect::GantryTilt | SeriesDefect::SingleSlice | SeriesDefect::MultipleSeries => {
                continue;
            }
            SeriesDefect::DuplicatePosition => &twins,
            SeriesDefect::DuplicateSopInstanceUid => &namesakes,
            _ => &everyone,
        };
        for &at in concerned {
            if let Some(fact) = series.get_mut(at)
                && !fact.row.defects.iter().any(|name| name == defect.name())
            {
                fact.row.defects.push(defect.name().to_owned());
            }
        }
    }
}

/// Lets rows share the texts they have in common.
fn intern(rows: &mut [IndexRow]) {
    let mut known = HashSet::new();
    let mut share = |text: &mut Option<Arc<str>>| {
        if let Some(text) = text {
            *text = super::file::intern(&mut known, text);
        }
    };
    for row in rows {
        share(&mut row.study_uid);
        share(&mut row.series_uid);
        share(&mut row.transfer_syntax);
    }
}

fn join(rows: &mut [IndexRow], labels: &LabelTable) {
    for row in rows {
        row.labels = labels.get(&row.image_id).unwrap_or_default();
    }
}
