//! The slices of a run: what is learnt from, what chooses the best epoch, what stays locked.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use falx_core::{ImageId, LABELS, LabelRow};
use falx_data::sampler::{self, Sampler, SamplerConfig};
use falx_data::samples::Samples;
use falx_data::split::{IndexColumns, Slices, Split};

use crate::folder::Part;
use crate::{DataConfig, Recipe, TrainError};

/// The fold of the patients that are locked away.
const LOCKED: i32 = -1;

/// The slices of a run, checked to be free of leaks. The index itself is not kept: it can be larger than all else.
pub struct RunData {
    /// What the index holds.
    pub indexed: Indexed,
    /// The hash of ids, pixels and labels.
    pub data_hash: String,
    /// Learnt from.
    pub training: Arc<Samples>,
    /// Chooses the best epoch.
    pub validation: Arc<Samples>,
    /// Locked away until the end; empty where the split locks nothing.
    pub test: Arc<Samples>,
    /// Share of positive slices per label in what is learnt from.
    pub prevalence: [f64; 6],
}

/// What an index holds.
pub struct Indexed {
    /// Its rows.
    pub rows: usize,
    /// Those that cannot be read or used.
    pub refused: usize,
    /// The names of its data sets, each once, in order.
    pub data_sets: Vec<String>,
}

impl Indexed {
    fn of(index: &IndexColumns) -> Self {
        let slices = index.slices();
        let names: BTreeSet<&str> = slices.iter().map(|slice| slice.dataset).collect();
        Self {
            rows: slices.len(),
            refused: slices.iter().filter(|slice| !slice.usable).count(),
            data_sets: names.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl RunData {
    /// Loads and checks the data of a recipe.
    ///
    /// # Errors
    /// [`TrainError`] when a file is unreadable, the split is of other data or leaks, or a side has no labels.
    pub fn load(recipe: &Recipe) -> Result<Self, TrainError> {
        let fold = recipe.data.fold;
        Self::of(recipe, &[fold], |other| other != fold)
    }

    /// Loads and checks the data of several runs, which chose their epochs on `folds` and together learnt from all that is
    /// not locked.
    ///
    /// # Errors
    /// As [`RunData::load`].
    pub(crate) fn of_folds(recipe: &Recipe, folds: &[u32]) -> Result<Self, TrainError> {
        Self::of(recipe, folds, |_| true)
    }

    fn of(
        recipe: &Recipe,
        choosing: &[u32],
        learns: impl Fn(u32) -> bool,
    ) -> Result<Self, TrainError> {
        let DataConfig { index, split, .. } = &recipe.data;
        let (data_hash, folds, indexed) = {
            let columns = IndexColumns::read(index)?;
            let split = Split::read(split)?;
            split.check_leaks(&columns)?;
            (split.data_hash, split.options.folds, Indexed::of(&columns))
        };
        if let Some(&fold) = choosing.iter().find(|&&fold| fold >= folds) {
            return Err(TrainError::NoFold { fold, folds });
        }
        let number = |fold: u32| i32::try_from(fold).unwrap_or(i32::MAX);
        let others: Vec<i32> = (0..folds)
            .filter(|&fold| learns(fold))
            .map(number)
            .collect();
        let own: Vec<i32> = choosing.iter().copied().map(number).collect();
        let side = |folds: &[i32]| Samples::read(index, Some((split, folds)));
        let mut training = side(&others)?;
        if recipe.data.shuffle_labels {
            training.shuffle_labels(recipe.seed);
        }
        let training = Arc::new(training);
        let (validation, test) = (Arc::new(side(&own)?), Arc::new(side(&[LOCKED])?));
        if training.labelled().next().is_none() {
            return Err(TrainError::NoSamples {
                what: "the training folds have".to_owned(),
            });
        }
        if validation.labelled().next().is_none() {
            let own: Vec<String> = own.iter().map(ToString::to_string).collect();
            return Err(TrainError::NoSamples {
                what: format!("validation fold {} has", own.join(", ")),
            });
        }
        let prevalence = sampler::prevalence_of(&training);
        Ok(Self {
            indexed,
            // The check has found the index to have the same.
            data_hash,
            training,
            validation,
            test,
            prevalence,
        })
    }

    /// Checks that what the recipe wants to learn can be learnt from these slices.
    ///
    /// # Errors
    /// [`TrainError::NoPositive`], [`TrainError::NoSeries`].
    pub fn check(&self, recipe: &Recipe) -> Result<(), TrainError> {
        self.check_labels(&recipe.loss.label_weights)?;
        match recipe.sequence {
            Some(_) if !self.has_series()? => Err(TrainError::NoSeries),
            _ => Ok(()),
        }
    }

    /// Whether any two slices that are learnt from are of one series.
    fn has_series(&self) -> Result<bool, TrainError> {
        let series = self.training.series()?;
        Ok(series.array_windows().any(|[a, b]| a == b))
    }

    /// Checks that every label that counts can be learnt: it is there, and is absent, in the training folds.
    ///
    /// # Errors
    /// [`TrainError::NoPositive`] for the first that cannot.
    pub fn check_labels(&self, weights: &[f32; 6]) -> Result<(), TrainError> {
        let mut seen = [[false; 2]; 6];
        for at in self.training.labelled() {
            let row = self.training.labels(at);
            for (label, seen) in LABELS.into_iter().zip(&mut seen) {
                match row.get(label) {
                    Some(false) => seen[0] = true,
                    Some(true) => seen[1] = true,
                    None => {}
                }
            }
        }
        for ((label, seen), weight) in LABELS.into_iter().zip(seen).zip(weights) {
            let what = match seen {
                _ if *weight == 0.0 => continue,
                [true, true] => continue,
                [false, false] => "says anything of",
                [true, false] => "is positive for",
                [false, true] => "is negative for",
            };
            return Err(TrainError::NoPositive { label, what });
        }
        Ok(())
    }

    /// The slices of one part.
    pub fn part(&self, part: Part) -> &Arc<Samples> {
        match part {
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }

    /// The part that is judged: the locked test where there is one.
    pub fn judged_part(&self) -> Part {
        if self.count(Part::Test) == 0 {
            Part::Validation
        } else {
            Part::Test
        }
    }

    /// How the slices that are learnt from are shown.
    ///
    /// # Errors
    /// [`TrainError::Sampler`] for a configuration that cannot be.
    pub fn sampler(&self, config: &SamplerConfig) -> Result<Sampler, TrainError> {
        Ok(Sampler::new(&self.training, config)?)
    }

    /// How many slices of one part have a label.
    pub fn count(&self, part: Part) -> usize {
        self.part(part).labelled().count()
    }

    /// The places of the slices of one part that have a label.
    pub fn labelled(&self, part: Part) -> Vec<u32> {
        self.part(part).labelled().map(|at| at as u32).collect()
    }

    /// The labels of one part's slices that have any, by image id.
    ///
    /// # Errors
    /// [`TrainError::Samples`] when the list of slices cannot be read.
    pub fn labels_by_id(&self, part: Part) -> Result<HashMap<ImageId, LabelRow>, TrainError> {
        let samples = self.part(part);
        let labelled = samples.labelled();
        labelled
            .map(|at| Ok((samples.get(at)?.image_id, samples.labels(at))))
            .collect()
    }

    /// The labels of one part's slices that have any, in its order.
    pub fn truth(&self, part: Part) -> Vec<LabelRow> {
        let samples = self.part(part);
        samples.labelled().map(|at| samples.labels(at)).collect()
    }
}
