//! The slices that are judged: those whose mask marks a label, with what every map reaches on them.

use std::collections::BTreeMap;

use falx_core::{Interrupt, Label, PatientId, Progress, SUBTYPES};
use falx_data::index::{Index, IndexRow};
use falx_data::mask::{Mask, MaskKind, MaskReader, PlaceInSeries};
use falx_data::samples::Samples;
use falx_data::source::SliceReader;
use falx_dicom::SliceHeader;
use rayon::prelude::*;

use super::{JudgeOptions, Localisation, TOLERANCE_MM, localise};
use crate::baseline::Baseline;
use crate::batches::{Loading, Pictures, slice_at};
use crate::explainer::Explainer;
use crate::region::pixel_mm;
use crate::{ExplainError, HeatMap};

/// A slice with the labels that its mask marks.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Its place among the samples.
    pub place: u32,
    /// Its patient's number.
    pub patient: u32,
    /// The labels that are marked.
    pub labels: Vec<Label>,
    mask: MaskOf,
}

/// Where a slice's mask is.
#[derive(Clone, Debug)]
enum MaskOf {
    /// As the index says.
    Own(std::path::PathBuf),
    /// In the folder of masks, by series.
    Beside {
        series: std::sync::Arc<str>,
        place: Option<PlaceInSeries>,
    },
}

/// The case that a slice is, if it is one, and whether it has a mask.
type Looked = (Option<Case>, bool);

/// What was found.
pub(super) struct Found {
    /// In the samples' order.
    pub cases: Vec<Case>,
    /// Slices without a mask.
    pub without_mask: usize,
}

/// What every map reaches on a slice for one label.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub patient: u32,
    pub label: Label,
    /// The share of the slice's pixels that the mask marks.
    pub marked: f64,
    /// Methods, then baselines.
    pub maps: Vec<Localisation>,
}

/// Finds the slices whose mask marks one of the labels.
pub(super) fn find(
    index: &Index,
    samples: &Samples,
    options: &JudgeOptions,
    (progress, interrupt): (&dyn Progress, &Interrupt),
) -> Result<Found, ExplainError> {
    let mut in_series: BTreeMap<&str, u32> = BTreeMap::new();
    for row in &index.rows {
        if let (Some(series), Some(_)) = (&row.series_uid, row.order) {
            *in_series.entry(series).or_default() += 1;
        }
    }
    let mut patients: BTreeMap<&str, u32> = BTreeMap::new();
    let mut candidates = Vec::new();
    for place in 0..samples.len() {
        let Some(row) = index.rows.get(samples.row(place)? as usize) else {
            continue;
        };
        let next = patients.len() as u32;
        let patient = *patients.entry(patient_of(row)).or_insert(next);
        let mask = row.mask.clone().map(MaskOf::Own).or_else(|| {
            let series = row.series_uid.clone()?;
            let place = row.order.zip(in_series.get(&*series));
            let place = place.map(|(order, &of)| PlaceInSeries { order, of });
            options.masks.as_ref()?;
            Some(MaskOf::Beside { series, place })
        });
        candidates.push((place as u32, patient, row, mask));
    }
    progress.begin("read masks", Some(candidates.len() as u64));
    let threads = options.predict.threads.max(1);
    // Slices of a series lie together: a thread reads each volume once.
    let parts: Vec<_> = candidates
        .chunks(candidates.len().div_ceil(threads).max(1))
        .collect();
    let found: Result<Vec<Vec<Looked>>, ExplainError> = parts
        .into_par_iter()
        .map(|part| {
            let (mut slices, mut masks) = (SliceReader::new(), MaskReader::new());
            let mut found = Vec::with_capacity(part.len());
            for (place, patient, row, mask) in part {
                if interrupt.is_requested() {
                    return Err(ExplainError::Interrupted);
                }
                progress.advance(1);
                let Some(of) = mask else {
                    found.push((None, false));
                    continue;
                };
                let Ok(slice) = slices.read(row.place()) else {
                    found.push((None, false));
                    continue;
                };
                let mask = open(of, &slice.header, &mut masks, options)?;
                let Some(mask) = mask else {
                    found.push((None, false));
                    continue;
                };
                let labels = options.labels.iter().copied().filter(|&label| {
                    row.labels.get(label) != Some(false)
                        && marked(&mask, label, row).is_some_and(|m| m.contains(&true))
                });
                let labels: Vec<Label> = labels.collect();
                let case = (!labels.is_empty()).then(|| Case {
                    place: *place,
                    patient: *patient,
                    labels,
                    mask: of.clone(),
                });
                found.push((case, true));
            }
            Ok(found)
        })
        .collect();
    progress.finish();
    let found: Vec<Looked> = found?.into_iter().flatten().collect();
    let masks = found.iter().filter(|(_, has_mask)| *has_mask).count();
    let without_mask = found.len() - masks;
    if masks == 0 {
        return Err(ExplainError::NoMasks {
            slices: index.rows.len(),
        });
    }
    let cases: Vec<Case> = found.into_iter().filter_map(|(case, _)| case).collect();
    if cases.is_empty() {
        return Err(ExplainError::NothingMarked {
            masks,
            labels: options.labels.clone(),
        });
    }
    Ok(Found {
        cases,
        without_mask,
    })
}

/// Slices of no known patient are patients of their own.
fn patient_of(row: &IndexRow) -> &str {
    let known = row.patient.as_ref().map(PatientId::as_str);
    known
        .or(row.study_uid.as_deref())
        .or(row.series_uid.as_deref())
        .unwrap_or(row.image_id.as_str())
}

fn open(
    of: &MaskOf,
    header: &SliceHeader,
    masks: &mut MaskReader,
    options: &JudgeOptions,
) -> Result<Option<Mask>, ExplainError> {
    Ok(match (of, &options.masks) {
        (MaskOf::Own(path), _) => Some(masks.read(path, header)?),
        (MaskOf::Beside { series, place }, Some(folder)) => {
            masks.beside(folder, series, *place, header)?
        }
        (MaskOf::Beside { .. }, None) => None,
    })
}

/// Which pixels show a label. A mask that does not tell subtypes apart is that of the slice's only one.
fn marked(mask: &Mask, label: Label, row: &IndexRow) -> Option<Vec<bool>> {
    let is_only = || {
        let mut present = SUBTYPES
            .into_iter()
            .filter(|&subtype| row.labels.get(subtype) == Some(true));
        present.next() == Some(label) && present.next().is_none()
    };
    match mask.kind() {
        MaskKind::Any if label != Label::Any && is_only() => mask.of(Label::Any),
        _ => mask.of(label),
    }
}

/// Scores every map of the slices of a batch.
pub(super) fn score(
    pictures: &Pictures<'_>,
    loading: Loading<'_>,
    index: &Index,
    cases: &[Case],
    explainers: &mut [Explainer],
    options: &JudgeOptions,
) -> Result<Vec<Scored>, ExplainError> {
    let case = |place: &u32| {
        let at = cases.binary_search_by_key(place, |case| case.place);
        at.ok().and_then(|at| cases.get(at))
    };
    let cases: Vec<&Case> = pictures.places.iter().filter_map(case).collect();
    let labels: Vec<Vec<Label>> = cases.iter().map(|case| case.labels.clone()).collect();
    let mut methods = Vec::with_capacity(explainers.len());
    for explainer in explainers {
        methods.push(explainer.maps(pictures.images, pictures.shape, &labels)?);
    }
    let scored: Result<Vec<Vec<Scored>>, ExplainError> = cases
        .par_iter()
        .enumerate()
        .map_init(
            || (SliceReader::new(), MaskReader::new()),
            |(slices, masks), (at, case)| {
                let maps: Vec<&[HeatMap]> = methods
                    .iter()
                    .filter_map(|of| Some(of.get(at)?.as_slice()))
                    .collect();
                of_slice(case, &maps, loading, index, (slices, masks), options)
            },
        )
        .collect();
    Ok(scored?.into_iter().flatten().collect())
}

fn of_slice(
    case: &Case,
    methods: &[&[HeatMap]],
    loading: Loading<'_>,
    index: &Index,
    (slices, masks): (&mut SliceReader, &mut MaskReader),
    options: &JudgeOptions,
) -> Result<Vec<Scored>, ExplainError> {
    let place = case.place as usize;
    let read = slice_at(loading.samples, loading.input, place, slices)?;
    let row = index.rows.get(loading.samples.row(place)? as usize);
    let (Some((slice, grid)), Some(row)) = (read, row) else {
        return Ok(Vec::new());
    };
    let Some(mask) = open(&case.mask, &slice.header, masks, options)? else {
        return Ok(Vec::new());
    };
    let size = [slice.header.rows, slice.header.cols];
    let tolerance = pixel_mm(&slice).map(|mm| TOLERANCE_MM / mm);
    let baselines = Baseline::ALL.map(|baseline| baseline.map(&slice));
    let mut scored = Vec::with_capacity(case.labels.len());
    for (at, &label) in case.labels.iter().enumerate() {
        let Some(truth) = marked(&mask, label, row) else {
            continue;
        };
        let drawn = methods.iter().filter_map(|maps| maps.get(at));
        let drawn: Vec<Vec<f32>> = drawn.map(|map| map.on_slice(&grid, size)).collect();
        let maps = drawn.iter().chain(&baselines);
        let maps: Option<Vec<Localisation>> = maps
            .map(|map| localise(map, &truth, size, tolerance))
            .collect();
        let count = truth.iter().filter(|is| **is).count();
        scored.extend(maps.map(|maps| Scored {
            patient: case.patient,
            label,
            marked: count as f64 / truth.len().max(1) as f64,
            maps,
        }));
    }
    Ok(scored)
}
