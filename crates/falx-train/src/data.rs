//! The slices of a run: what is learnt from, what chooses the best epoch, what stays locked.

use std::sync::Arc;

use falx_core::{Label, LabelRow};
use falx_data::index::Index;
use falx_data::loader::Sample;
use falx_data::sampler::{self, SamplerConfig};
use falx_data::split::Split;

use crate::folder::Part;
use crate::{Recipe, TrainError};

/// The fold of the patients that are locked away.
const LOCKED: i32 = -1;

/// The slices of a run, checked to be free of leaks.
pub struct RunData {
    /// The index.
    pub index: Index,
    /// The hash of ids, pixels and labels.
    pub data_hash: String,
    /// Learnt from.
    pub training: Arc<[Sample]>,
    /// Chooses the best epoch.
    pub validation: Arc<[Sample]>,
    /// Locked away until the end; empty where the split locks nothing.
    pub test: Arc<[Sample]>,
    /// Share of positive slices per label in what is learnt from.
    pub prevalence: [f64; 6],
}

impl RunData {
    /// Loads and checks the data of a recipe.
    ///
    /// # Errors
    /// [`TrainError`] when a file is unreadable, the split is of other data or leaks, or a side has no labels.
    pub fn load(recipe: &Recipe) -> Result<Self, TrainError> {
        let index = Index::read(&recipe.data.index)?;
        let split = Split::read(&recipe.data.split)?;
        split.check_leaks(&index)?;
        let fold = i32::try_from(recipe.data.fold).unwrap_or(i32::MAX);
        let folds = i32::try_from(split.options.folds).unwrap_or(i32::MAX);
        let others: Vec<i32> = (0..folds).filter(|&other| other != fold).collect();
        let side = |folds: &[i32]| -> Arc<[Sample]> {
            let samples = Sample::from_index(&index, &split, folds);
            // A slice without any label teaches and tests nothing.
            samples
                .into_iter()
                .filter(|sample| !sample.labels.is_empty())
                .collect()
        };
        let (training, validation, test) = (side(&others), side(&[fold]), side(&[LOCKED]));
        if training.is_empty() {
            return Err(TrainError::NoSamples {
                what: "the training folds have".to_owned(),
            });
        }
        if validation.is_empty() {
            return Err(TrainError::NoSamples {
                what: format!("validation fold {fold} has"),
            });
        }
        let prevalence = sampler::prior(&training, &SamplerConfig::default());
        Ok(Self {
            data_hash: index.data_hash(),
            index,
            training,
            validation,
            test,
            prevalence,
        })
    }

    /// The slices of one part.
    pub fn part(&self, part: Part) -> &Arc<[Sample]> {
        match part {
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }

    /// The prior of `any` that the network is shown, and that of the data.
    pub fn priors_of_any(&self, sampler: &SamplerConfig) -> (f64, f64) {
        let any = Label::Any.index();
        (
            sampler::prior(&self.training, sampler)[any],
            self.prevalence[any],
        )
    }

    /// The labels of one part, in its order.
    pub fn truth(&self, part: Part) -> Vec<LabelRow> {
        self.part(part).iter().map(|sample| sample.labels).collect()
    }
}
