//! From slices to probabilities with a bundle.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{ImageId, Interrupt, Prediction, Probability, Progress};
use falx_data::index::Index;
use falx_data::loader::{Loader, LoaderError, LoaderOptions, Policy};
use falx_data::samples::{Samples, SamplesError};
use serde::Serialize;

use crate::networks::{Members, Networks};
use crate::{Bundle, InvalidPrior, ModelError, RuntimeKind};

/// How prediction uses the machine.
#[derive(Clone, Debug)]
pub struct PredictOptions {
    /// The most slices in a batch; fewer where memory allows no more. The result does not depend on it.
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
    /// One an image id of slices that could be read, in the order of the samples.
    pub predictions: Vec<Prediction>,
    /// Slices whose image id had come before: several sources may hold one image, and a table has one row for it.
    pub repeated: usize,
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
    /// Whoever takes the predictions could not.
    #[error("the answers cannot be written: {0}")]
    Taken(std::io::Error),
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

/// Predicts the samples at `places`, in this order, with the bundle's input, its correction of the prior, and the shift to
/// the prevalence that was asked for. Every slice is read and drawn once, for however many networks.
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
    let shift = bundle.shift_to(options.prevalence)?;
    let mut predicted = Predicted::default();
    let mut seen = HashSet::new();
    let mut take = |given| {
        match given {
            Given::Prediction(_, mut prediction) => {
                if let Some(shift) = shift {
                    prediction.probabilities = shift.correct(prediction.probabilities);
                }
                if seen.insert(prediction.image_id.clone()) {
                    predicted.predictions.push(prediction);
                } else {
                    predicted.repeated += 1;
                }
            }
            Given::Lost(_, slice) => predicted.unreadable.push(slice),
        }
        Ok(())
    };
    predict_each(
        bundle,
        &mut Members::load(bundle, options)?,
        samples,
        &places.into(),
        options,
        &mut take,
        progress,
        interrupt,
    )?;
    Ok(predicted)
}

/// What came of the sample at a place.
pub(crate) enum Given {
    /// The bundle's own probabilities.
    Prediction(u32, Prediction),
    /// The file can no longer be read.
    Lost(u32, Unreadable),
}

impl Given {
    /// The sample's place.
    pub(crate) const fn place(&self) -> u32 {
        match self {
            Self::Prediction(place, _) | Self::Lost(place, _) => *place,
        }
    }
}

/// Gives what comes of every sample to `take` as soon as it is known: predictions in the order of `places`, a lost slice
/// before the predictions of its batch.
#[expect(clippy::too_many_arguments, reason = "each is another thing")]
pub(crate) fn predict_each(
    bundle: &Bundle,
    members: &mut Members,
    samples: &Arc<Samples>,
    places: &Arc<[u32]>,
    options: &PredictOptions,
    take: &mut dyn FnMut(Given) -> std::io::Result<()>,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(), PredictError> {
    let mut networks = Networks::new(members, samples)?;
    progress.begin("predict", Some(places.len() as u64));
    let mut loading = LoaderOptions {
        batch: options.batch,
        threads: options.threads,
        memory_mib: options.memory_mib,
        input: bundle.manifest().input.clone(),
        on_unreadable: Policy::Skip,
        ..LoaderOptions::default()
    };
    let mut loader = loop {
        match Loader::new(Arc::clone(samples), Arc::clone(places), loading.clone()) {
            Err(LoaderError::Budget { .. }) if loading.batch > 1 => loading.batch /= 2,
            loader => break loader?,
        }
    };
    for batch in &mut loader {
        if interrupt.is_requested() {
            return Err(PredictError::Interrupted);
        }
        let batch = batch?;
        let read = batch.positions(loading.batch);
        let read = read.filter_map(|position| places.get(position).copied());
        for slice in batch.unreadable {
            let place = places.get(slice.position).copied().unwrap_or_default();
            let slice = Unreadable {
                path: slice.path,
                image_id: slice.image_id,
                reasons: vec![slice.reason.to_owned()],
            };
            take(Given::Lost(place, slice)).map_err(PredictError::Taken)?;
        }
        progress.advance(batch.ids.len() as u64);
        networks.take(&batch.images, batch.shape, batch.ids.into_iter().zip(read))?;
        for (place, prediction) in networks.complete()? {
            take(Given::Prediction(place, prediction)).map_err(PredictError::Taken)?;
        }
    }
    for (place, prediction) in networks.rest()? {
        take(Given::Prediction(place, prediction)).map_err(PredictError::Taken)?;
    }
    progress.finish();
    Ok(())
}
