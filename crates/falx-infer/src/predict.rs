//! From slices to probabilities with a bundle.

use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{ImageId, Interrupt, Prediction, Probability, Progress};
use falx_data::index::Index;
use falx_data::loader::{Loader, LoaderError, LoaderOptions, Policy};
use falx_data::samples::{Samples, SamplesError};
use serde::Serialize;

use crate::{Bundle, Mean, Model, ModelError, PriorShift, RuntimeKind, mirrored};

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

/// A network with the correction of its prior.
struct Member {
    model: Model,
    prior: Option<PriorShift>,
}

/// The networks of a bundle, and whether they also see every picture's mirror.
pub(crate) struct Members {
    members: Vec<Member>,
    flip: bool,
}

impl Members {
    pub(crate) fn load(bundle: &Bundle, options: &PredictOptions) -> Result<Self, ModelError> {
        let load = |(path, prior): (PathBuf, _)| {
            let model = Model::load(&path, options.runtime, options.threads)?;
            Ok(Member { model, prior })
        };
        let members: Result<_, ModelError> = bundle.networks().into_iter().map(load).collect();
        Ok(Self {
            members: members?,
            flip: options.flip || bundle.manifest().test_time_flip,
        })
    }

    /// The mean over the networks of each one's mean over the views, every one corrected for its prior.
    pub(crate) fn probabilities(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<[Probability; 6]>, ModelError> {
        let mirror = self.flip.then(|| mirrored(images, shape[3]));
        let views: Vec<&[f32]> = std::iter::once(images).chain(mirror.as_deref()).collect();
        let mut mean = Mean::default();
        for Member { model, prior } in &mut self.members {
            let mut of_views = Mean::default();
            for view in &views {
                let mut rows = model.probabilities(view, shape)?;
                for row in &mut rows {
                    *row = prior.map_or(*row, |prior| prior.correct(*row));
                }
                of_views.add(&rows);
            }
            mean.add(&of_views.rows());
        }
        Ok(mean.rows())
    }
}

/// Predicts the samples at `places`, in this order, with the bundle's input and its correction of the prior. Every slice
/// is read and drawn once, for however many networks.
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
    let mut members = Members::load(bundle, options)?;
    let places = places.into();
    progress.begin("predict", Some(places.len() as u64));
    let mut loader = Loader::new(
        Arc::clone(samples),
        places,
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
        let unreadable = batch.unreadable.into_iter().map(|slice| Unreadable {
            path: slice.path,
            image_id: slice.image_id,
            reasons: vec![slice.reason.to_owned()],
        });
        predicted.unreadable.extend(unreadable);
        let rows = members.probabilities(&batch.images, batch.shape)?;
        progress.advance(rows.len() as u64);
        let rows = batch.ids.into_iter().zip(rows);
        let predictions = rows.map(|(image_id, probabilities)| Prediction {
            image_id,
            probabilities,
        });
        predicted.predictions.extend(predictions);
    }
    progress.finish();
    Ok(predicted)
}
