//! Series as batches of sequences: the embeddings of their slices in order, padded to the longest.

use std::sync::Arc;

use falx_core::{LabelRow, TargetRow};
use falx_data::samples::Samples;
use falx_nn::{Targets, Tensor};

use super::embed::Embeddings;
use crate::TrainError;

/// Where a series' slices lie among the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first slice's place.
    pub first: usize,
    /// How many slices.
    pub slices: usize,
}

/// The series of `samples`, in their order; a slice of no known series is one of its own.
///
/// # Errors
/// [`TrainError::Samples`] when their list cannot be read.
pub fn spans(samples: &Samples) -> Result<Vec<Span>, TrainError> {
    let series = samples.series()?;
    let chunks = series.chunk_by(|a, b| a == b).map(<[u32]>::len);
    let mut first = 0;
    let spans = chunks.map(|slices| {
        let span = Span { first, slices };
        first += slices;
        span
    });
    Ok(spans.collect())
}

/// The series of one part, with their slices' embeddings.
pub struct Series {
    samples: Arc<Samples>,
    /// Where its series lie.
    pub spans: Vec<Span>,
    /// One file a view.
    pub views: Vec<Embeddings>,
    features: usize,
}

/// Some series as the network sees them.
pub struct SeriesBatch {
    /// N, T, features.
    pub values: Tensor,
    /// N lengths.
    pub lengths: Vec<usize>,
    /// N·T rows, unknown past the end.
    pub targets: Targets,
    /// Slices with a label.
    pub labelled: usize,
}

impl Series {
    /// The series of `samples` whose embeddings are `views`.
    ///
    /// # Errors
    /// [`TrainError::Samples`] when their list cannot be read.
    pub fn new(
        samples: &Arc<Samples>,
        views: Vec<Embeddings>,
        features: usize,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            spans: spans(samples)?,
            samples: Arc::clone(samples),
            views,
            features,
        })
    }

    /// Keeps only series of which a slice has a label: others teach nothing.
    pub fn labelled(mut self) -> Self {
        let samples = Arc::clone(&self.samples);
        self.spans
            .retain(|span| rows(&samples, *span).any(|row| !row.is_empty()));
        self
    }

    /// The series at `picked` places, each in one of the views, padded to `steps` slices.
    ///
    /// # Errors
    /// [`TrainError::Io`] when embeddings cannot be read.
    pub fn batch(
        &mut self,
        picked: &[(usize, usize)],
        steps: usize,
    ) -> Result<SeriesBatch, TrainError> {
        let of_series = steps * self.features;
        let mut data = vec![0.0; picked.len() * of_series];
        let mut lengths = Vec::with_capacity(picked.len());
        let mut labels = Vec::with_capacity(picked.len() * steps);
        for (&(at, view), data) in picked.iter().zip(data.chunks_mut(of_series.max(1))) {
            let Some(&span) = self.spans.get(at) else {
                continue;
            };
            let known = data.get_mut(..span.slices * self.features);
            if let (Some(view), Some(known)) = (self.views.get_mut(view), known) {
                view.read(span.first, known)?;
            }
            lengths.push(span.slices);
            labels.extend(rows(&self.samples, span).map(TargetRow::from));
            labels.resize(lengths.len() * steps, TargetRow::default());
        }
        let labelled = labels.iter().filter(|row| !row.is_empty()).count();
        Ok(SeriesBatch {
            values: Tensor {
                shape: vec![picked.len(), steps, self.features],
                data,
            },
            lengths,
            targets: Targets {
                labels,
                weights: Vec::new(),
            },
            labelled,
        })
    }

    /// Whether each slice of a series has a label.
    pub fn has_label(&self, span: Span) -> impl Iterator<Item = bool> + '_ {
        rows(&self.samples, span).map(|row| !row.is_empty())
    }
}

fn rows(samples: &Samples, span: Span) -> impl Iterator<Item = LabelRow> + '_ {
    (span.first..span.first + span.slices).map(|at| samples.labels(at))
}
