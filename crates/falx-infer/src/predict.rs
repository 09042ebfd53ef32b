//! From slices to probabilities with a bundle.

use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{ImageId, Interrupt, Label, Prediction, Probability, Progress};
use falx_data::index::Index;
use falx_data::loader::{Loader, LoaderError, LoaderOptions, Policy};
use falx_data::samples::{Samples, SamplesError};
use serde::Serialize;

use crate::networks::Networks;
use crate::{Bundle, InvalidPrior, ModelError, PriorShift, RuntimeKind};

/// How prediction uses the machine.
#[derive(Clone, Debug)]
pub struct PredictOptions {
    /// Slices in a batch; the result does not depend on it.
    pub batch: usize,
    /// What runs the network; the result is the same to four digits.
    pub runtime: RuntimeKind,
    /// Threads that read slices, and as many that run the network.
    pub threads: usize,
    /// The most memory that batches may take, in MiB.
    pub memory_mib: usize,
    /// The share of slices with haemorrhage where the predictions are used; left out = that of the training data.
    pub prevalence: Option<Probability>,
    /// Predict the mean of each picture and its left–right mirror, even where the bundle does not ask for it.
    pub flip: bool,
}

impl Default for PredictOptions {
    fn default() -> Self {
        Self {
            batch: 16,
            runtime: RuntimeKind::default(),
            threads: 2,
            memory_mib: 256,
            prevalence: None,
            flip: false,
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
    /// The list of slices cannot be kept.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// A prevalence to which nothing can be shifted.
    #[error(transparent)]
    Prevalence(#[from] InvalidPrior),
    /// Somebody asked to stop.
    #[error("stopped before all slices were predicted; nothing was written")]
    Interrupted,
}

/// The usable slices of an index as samples, in its order, and the files that are none.
///
/// # Errors
/// [`PredictError::Samples`] where there is no room for the list of slices.
pub fn samples(index: &Index) -> Result<(Arc<Samples>, Vec<Unreadable>), PredictError> {
    let unusable = index.rows.iter().filter(|row| !row.usable);
    let unreadable = unusable.map(|row| Unreadable {
        path: row.path.clone(),
        image_id: row.image_id.clone(),
        reasons: row.defects.clone(),
    });
    let unreadable = unreadable.collect();
    Ok((Arc::new(Samples::of_index(index)?), unreadable))
}

/// Predicts the samples at `places`, in this order, with the bundle's input and its correction of the prior. Every slice
/// is read and drawn once, for however many networks.
///
/// A bundle that makes something of a series' slices together takes those of them that are among the places; these must be
/// in the samples' order then.
///
/// # Errors
/// [`PredictError`]: the network cannot be run, or somebody asked to stop. A file that cannot be read is counted in
/// the result and never predicted.
pub fn predict(
    bundle: &Bundle,
    samples: &Arc<Samples>,
    places: impl Into<Arc<[u32]>>,
    options: &PredictOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Predicted, PredictError> {
    let places = places.into();
    let mut reader = Networks::load(bundle, samples, options)?;
    progress.begin("predict", Some(places.len() as u64));
    let mut loader = Loader::new(
        Arc::clone(samples),
        Arc::clone(&places),
        LoaderOptions {
            batch: options.batch,
            threads: options.threads,
            memory_mib: options.memory_mib,
            input: bundle.manifest().input.clone(),
            on_unreadable: Policy::Skip,
            ..LoaderOptions::default()
        },
    )?;
    let mut predicted = Predicted::default();
    for batch in &mut loader {
        if interrupt.is_requested() {
            return Err(PredictError::Interrupted);
        }
        let batch = batch?;
        let lost: Vec<usize> = batch.unreadable.iter().map(|s| s.position).collect();
        let first = batch.number * options.batch;
        let here = first..first + batch.ids.len() + lost.len();
        let read = here.filter(|position| !lost.contains(position));
        let read = read.filter_map(|position| places.get(position).copied());
        progress.advance(batch.ids.len() as u64);
        reader.take(&batch.images, batch.shape, batch.ids.into_iter().zip(read))?;
        predicted.predictions.extend(reader.complete()?);
        let lost = batch.unreadable.into_iter().map(|slice| Unreadable {
            path: slice.path,
            image_id: slice.image_id,
            reasons: vec![slice.reason.to_owned()],
        });
        predicted.unreadable.extend(lost);
    }
    predicted.predictions.extend(reader.rest()?);
    if let Some(prevalence) = options.prevalence {
        let own = bundle.manifest().prevalence[Label::Any.index()];
        let shift = PriorShift::new(own, prevalence.get())?;
        for prediction in &mut predicted.predictions {
            prediction.probabilities = shift.correct(prediction.probabilities);
        }
    }
    progress.finish();
    Ok(predicted)
}
