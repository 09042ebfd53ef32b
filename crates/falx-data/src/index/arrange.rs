//! From facts in any order to rows in theirs: study, series, position; in memory that does not grow with them.

use std::path::Path;

use falx_core::Millimetre;
use falx_dicom::series::{SeriesDefect, arrange};

use super::names::pseudonym;
use super::read::Fact;
use super::spill::Spill;
use super::{IndexError, IndexRow, Layout, SourceSummary};
use crate::labels::{Groups, Labels};

/// Sorts facts on the disk, and gives rows.
pub(super) struct Sorter<'a> {
    spill: Spill,
    folder: &'a Path,
    labels: &'a Labels,
    sources: &'a [SourceSummary],
}

impl<'a> Sorter<'a> {
    /// Sorts in nameless files in `folder`.
    pub(super) fn new(folder: &'a Path, labels: &'a Labels, sources: &'a [SourceSummary]) -> Self {
        Self {
            spill: Spill::new(folder),
            folder,
            labels,
            sources,
        }
    }

    fn io(&self) -> impl Fn(std::io::Error) -> IndexError + use<'a> {
        let path = self.folder.to_owned();
        move |source| IndexError::Journal {
            path: path.clone(),
            source,
        }
    }

    /// Takes a fact, with what the tables say of it.
    pub(super) fn push(&mut self, mut fact: Fact) -> Result<(), IndexError> {
        self.join(&mut fact.row);
        let io = self.io();
        let bytes = postcard::to_stdvec(&fact).map_err(|error| io(std::io::Error::other(error)))?;
        self.spill.push(&key(&fact.row), &bytes).map_err(io)
    }

    /// Labels and groups from the tables.
    fn join(&self, row: &mut IndexRow) {
        let slices = &self.labels.slices;
        let known = slices.place(&row.image_id).and_then(|at| slices.at(at));
        if let Some((_, labels, groups)) = known {
            row.labels = labels;
            if let Some(groups) = groups {
                self.regroup(row, groups);
            }
        }
        if row.labels.is_empty() {
            let is_of = |study: &&crate::labels::StudyLabels| match &study.study_uid {
                Some(uid) => row.study_uid.as_deref() == Some(uid),
                None => study.patient.is_some() && study.patient == row.patient,
            };
            if let Some(study) = self.labels.studies.iter().find(is_of) {
                // What no slice of a study shows, this slice does not show; what some slice shows is open.
                row.labels.0 = study.labels.0.map(|label| label.filter(|shown| !shown));
            }
        }
    }

    fn regroup(&self, row: &mut IndexRow, groups: &Groups) {
        let layout = self
            .sources
            .iter()
            .find(|source| source.dataset == row.dataset.as_ref())
            .map_or(Layout::Folders, |source| source.layout);
        if let Some(patient) = &groups.patient {
            row.patient = Some(pseudonym(patient, layout));
        }
        if groups.study.is_some() {
            row.study_uid.clone_from(&groups.study);
        }
        if groups.series.is_some() {
            row.series_uid.clone_from(&groups.series);
        }
    }

    /// Gives every row to `take`, in order.
    pub(super) fn rows(
        self,
        mut take: impl FnMut(IndexRow) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let io = self.io();
        let mut series = Vec::new();
        for record in self.spill.sorted().map_err(&io)? {
            let (_, bytes) = record.map_err(&io)?;
            let fact =
                postcard::from_bytes(&bytes).map_err(|error| io(std::io::Error::other(error)))?;
            next(fact, &mut series, &mut take)?;
        }
        finish(&mut series, &mut take)
    }
}

/// Sorts all of it in memory.
pub(super) fn in_memory(mut facts: Vec<Fact>) -> Result<Vec<IndexRow>, IndexError> {
    facts.sort_by_cached_key(|fact| key(&fact.row));
    let mut rows = Vec::with_capacity(facts.len());
    let mut take = |row| {
        rows.push(row);
        Ok(())
    };
    let mut series = Vec::new();
    for fact in facts {
        next(fact, &mut series, &mut take)?;
    }
    finish(&mut series, &mut take)?;
    Ok(rows)
}

/// Adds the next fact in order to its series; one that it is not of is finished before.
fn next(
    fact: Fact,
    series: &mut Vec<Fact>,
    take: &mut impl FnMut(IndexRow) -> Result<(), IndexError>,
) -> Result<(), IndexError> {
    if let Some(last) = series.last() {
        if last.row.path == fact.row.path {
            // Two sources overlap; the file is one.
            return Ok(());
        }
        if fact.row.series_uid.is_none() || group(last) != group(&fact) {
            finish(series, take)?;
        }
    }
    series.push(fact);
    Ok(())
}

/// Places the slices of one series and gives them away.
fn finish(
    series: &mut Vec<Fact>,
    take: &mut impl FnMut(IndexRow) -> Result<(), IndexError>,
) -> Result<(), IndexError> {
    let is_series = series
        .first()
        .is_some_and(|fact| fact.row.series_uid.is_some());
    if is_series {
        measure(series);
        series.sort_by(|a, b| {
            let last = |fact: &Fact| fact.row.order.unwrap_or(u32::MAX);
            last(a)
                .cmp(&last(b))
                .then_with(|| a.row.image_id.cmp(&b.row.image_id))
                .then_with(|| a.row.path.cmp(&b.row.path))
        });
    }
    series.drain(..).try_for_each(|fact| take(fact.row))
}

/// The order of an index: study, series, then what decides among slices of no series; unknown ones last.
fn key(row: &IndexRow) -> Vec<u8> {
    let mut key = Vec::with_capacity(192);
    for uid in [&row.study_uid, &row.series_uid] {
        key.push(u8::from(uid.is_none()));
        key.extend(uid.as_deref().unwrap_or_default().as_bytes());
        key.push(0);
    }
    if row.series_uid.is_none() {
        key.extend(row.image_id.as_str().as_bytes());
        key.push(0);
    }
    key.extend(row.path.as_os_str().as_encoded_bytes());
    key
}

fn group(fact: &Fact) -> (Option<&str>, Option<&str>) {
    (
        fact.row.study_uid.as_deref(),
        fact.row.series_uid.as_deref(),
    )
}

/// Order, positions, spacing, tilt and oddities of one series.
fn measure(series: &mut [Fact]) {
    if series.iter().all(|fact| fact.number.is_some()) && !series.iter().any(Fact::has_position) {
        // Numbered, but nobody knows where: the numbers run from the feet upwards.
        series.sort_by_key(|fact| fact.number);
        for (order, fact) in series.iter_mut().enumerate() {
            fact.row.order = Some(order as u32);
        }
        return;
    }
    let slices: Vec<_> = series.iter().map(Fact::geometry).collect();
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
