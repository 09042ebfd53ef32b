//! Slices as their network sees them, a batch after the other, by their places among the samples.

use std::sync::Arc;

use falx_core::{Interrupt, Progress};
use falx_data::input::{Crop, InputSpec};
use falx_data::loader::{Loader, LoaderOptions, Policy};
use falx_data::samples::Samples;
use falx_data::source::{Place, SliceReader};
use falx_dicom::CtSlice;
use falx_dicom::picture::PictureGrid;

use crate::ExplainError;

/// How slices are loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loading<'a> {
    pub samples: &'a Arc<Samples>,
    pub input: &'a InputSpec,
    pub batch: usize,
    pub threads: usize,
    pub memory_mib: usize,
}

/// Some slices as the network sees them.
pub(crate) struct Pictures<'a> {
    /// Where each lies among the samples.
    pub places: Vec<u32>,
    /// N × C × H × W.
    pub images: &'a [f32],
    pub shape: [usize; 4],
}

/// Gives the slices at `places` to `take`, batch by batch in their order. A slice that can no longer be read is left out.
pub(crate) fn each(
    loading: Loading<'_>,
    places: Vec<u32>,
    (progress, interrupt): (&dyn Progress, &Interrupt),
    mut take: impl FnMut(&Pictures<'_>) -> Result<(), ExplainError>,
) -> Result<(), ExplainError> {
    let places: Arc<[u32]> = places.into();
    let mut loader = Loader::new(
        Arc::clone(loading.samples),
        Arc::clone(&places),
        LoaderOptions {
            batch: loading.batch,
            threads: loading.threads,
            memory_mib: loading.memory_mib,
            input: loading.input.clone(),
            on_unreadable: Policy::Skip,
            ..LoaderOptions::default()
        },
    )?;
    for batch in &mut loader {
        if interrupt.is_requested() {
            return Err(ExplainError::Interrupted);
        }
        let batch = batch?;
        let read = batch.positions(loading.batch);
        let pictures = Pictures {
            places: read.filter_map(|at| places.get(at).copied()).collect(),
            images: &batch.images,
            shape: batch.shape,
        };
        if pictures.places.is_empty() {
            continue;
        }
        take(&pictures)?;
        progress.advance(pictures.places.len() as u64);
    }
    Ok(())
}

/// The slice at a place among the samples, and how its picture lies in it; `None` where it can no longer be read or drawn.
pub(crate) fn slice_at(
    samples: &Samples,
    input: &InputSpec,
    place: usize,
    reader: &mut SliceReader,
) -> Result<Option<(CtSlice, PictureGrid)>, ExplainError> {
    let sample = samples.get(place)?;
    let read = |path, window| Place { path, window };
    let Ok(slice) = reader.read(read(&sample.path, sample.window)) else {
        return Ok(None);
    };
    // All planes show the part that is shown of the first one's slice.
    let offset = input.planes_mm.first().copied().unwrap_or(0.0);
    let other = match input.crop {
        Crop::Head if offset != 0.0 => samples.near(place, &[offset])?.first().copied(),
        _ => None,
    };
    let view = match other.filter(|other| *other != place) {
        None => input.view(&slice),
        Some(other) => {
            let other = samples.get(other)?;
            let other = reader.read(read(&other.path, other.window));
            other.ok().and_then(|other| input.view(&other))
        }
    };
    Ok(view.map(|view| {
        let grid = PictureGrid::of(&slice.header, view, input.size);
        (slice, grid)
    }))
}
