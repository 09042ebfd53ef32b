//! From slices to probabilities with a bundle.

use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{ImageId, Interrupt, Prediction, Progress};
use falx_data::index::Index;
use falx_data::loader::{Loader, LoaderError, LoaderOptions, Policy, Sample};
use serde::Serialize;

use crate::{Bundle, Model, ModelError};

/// How prediction uses the machine.
#[derive(Clone, Debug)]
pub struct PredictOptions {
    /// Slices in a batch; the result does not depend on it.
    pub batch: usize,
    /// Threads that read slices, and as many that run the network.
    pub threads: usize,
    /// The most memory that batches may take, in MiB.
    pub memory_mib: usize,
}

impl Default for PredictOptions {
    fn default() -> Self {
        Self {
            batch: 16,
            threads: 2,
            memory_mib: 256,
        }
    }
}

/// A file that is no sample, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// The slice.
    pub image_id: ImageId,
    /// The names of its refusal and defects.
    pub reasons: Vec<String>,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Predicted {
    /// One a slice that could be read, in the order of the samples.
    pub predictions: Vec<Prediction>,
    /// Slices that could be read when they were indexed and no longer can.
    pub unreadable: Vec<Unreadable>,
}

/// Why there are no predictions.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The network failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Slices could not be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// Somebody asked to stop.
    #[error("stopped before all slices were predicted; nothing was written")]
    Interrupted,
}

/// The usable slices of an index as samples, in its order, and the files that are none.
pub fn samples(index: &Index) -> (Arc<[Sample]>, Vec<Unreadable>) {
    let (usable, not): (Vec<_>, Vec<_>) = index.rows.iter().partition(|row| row.usable);
    let samples = usable.into_iter().map(Sample::from);
    let unreadable = not.into_iter().map(|row| Unreadable {
        path: row.path.clone(),
        image_id: row.image_id.clone(),
        reasons: row.defects.clone(),
    });
    (samples.collect(), unreadable.collect())
}

/// Predicts every sample, with the bundle's input and its correction of the prior.
///
/// # Errors
/// [`PredictError`]: the network cannot be run, or somebody asked to stop. A file that cannot be read is counted in
/// the result and never predicted.
pub fn predict(
    bundle: &Bundle,
    samples: &Arc<[Sample]>,
    options: &PredictOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Predicted, PredictError> {
    let model = Model::load(&bundle.model_path(), options.threads)?;
    let order = (0..samples.len()).collect();
    progress.begin("predict", Some(samples.len() as u64));
    let mut loader = Loader::new(
        Arc::clone(samples),
        order,
        LoaderOptions {
            batch: options.batch,
            threads: options.threads,
            memory_mib: options.memory_mib,
            input: bundle.manifest().input.clone(),
            on_unreadable: Policy::Skip,
            ..LoaderOptions::default()
        },
    )?;
    let prior = bundle.manifest().prior;
    let mut predictions = Vec::new();
    for batch in &mut loader {
        if interrupt.is_requested() {
            return Err(PredictError::Interrupted);
        }
        let batch = batch?;
        let rows = model.probabilities(&batch.images, batch.shape)?;
        progress.advance(rows.len() as u64);
        predictions.extend(
            batch
                .ids
                .into_iter()
                .zip(rows)
                .map(|(image_id, row)| Prediction {
                    image_id,
                    probabilities: prior.map_or(row, |prior| prior.correct(row)),
                }),
        );
    }
    progress.finish();
    Ok(Predicted {
        unreadable: left_out(samples, &predictions),
        predictions,
    })
}

/// The samples without a prediction; both lists are in the same order.
fn left_out(samples: &[Sample], predictions: &[Prediction]) -> Vec<Unreadable> {
    let mut predicted = predictions.iter().peekable();
    let without = samples.iter().filter(|sample| {
        predicted
            .next_if(|p| p.image_id == sample.image_id)
            .is_none()
    });
    without
        .map(|sample| Unreadable {
            path: sample.path.clone(),
            image_id: sample.image_id.clone(),
            reasons: vec!["unreadable_since_indexed".to_owned()],
        })
        .collect()
}
