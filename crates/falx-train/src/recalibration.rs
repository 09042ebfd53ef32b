//! Probabilities out of fold made what they are called, and the lines that do the same for a bundle's networks.

use falx_core::{ImageId, LabelRow, PatientId, Prediction, Probability};
use falx_infer::{Bundle, CalibrationLine, PriorShift, calibrated, mean_of_predictions};

use crate::TrainError;
use crate::decisions::Level;
use crate::folder::{Part, RunFolder};

/// What is true of a slice, and whose it is; `None` of a slice that nobody knows.
pub(crate) type Truth<'a> = dyn Fn(&ImageId) -> Option<(LabelRow, PatientId)> + 'a;

/// How far a logit may be shifted, and how often that range is halved.
const FARTHEST_SHIFT: f64 = 20.0;
const HALVINGS: usize = 60;

/// What the predictions out of fold say of their own calibration.
pub(crate) struct Recalibration {
    /// For each network of the bundle that is packed.
    pub(crate) lines: Vec<CalibrationLine>,
    /// For a network that is used alone.
    pub(crate) alone: Vec<CalibrationLine>,
    /// Every slice out of fold, by lines that were found without its fold.
    pub(crate) crossed: Vec<Prediction>,
}

/// What a run gave some slices before any correction, and the correction of its prior.
#[derive(Clone)]
struct Said {
    prior: Option<PriorShift>,
    own: Vec<Prediction>,
}

impl Said {
    fn read(run: &RunFolder, part: Part) -> Result<Self, TrainError> {
        let prior = Bundle::open(&run.bundle())?.manifest().prior;
        let mut own = falx_eval::predictions::read_csv(&run.predictions(part))?;
        if let Some(prior) = prior {
            for prediction in &mut own {
                prediction.probabilities = prior.inverse().correct(prediction.probabilities);
            }
        }
        Ok(Self { prior, own })
    }

    /// Along lines, before the correction of the prior.
    fn along(&self, lines: &[CalibrationLine]) -> Vec<Prediction> {
        let along = |prediction: &Prediction| Prediction {
            image_id: prediction.image_id.clone(),
            probabilities: calibrated(lines, prediction.probabilities),
        };
        self.own.iter().map(along).collect()
    }

    /// Along lines, and corrected for the prior.
    fn corrected(&self, lines: &[CalibrationLine]) -> Vec<Prediction> {
        let mut along = self.along(lines);
        if let Some(prior) = self.prior {
            for prediction in &mut along {
                prediction.probabilities = prior.correct(prediction.probabilities);
            }
        }
        along
    }
}

/// What the runs of a bundle's networks say of the locked patients, network by network: nobody asks what is true of these.
pub(crate) struct Locked(Vec<Said>);

impl Locked {
    /// `None` where a bundle's `members` are not some of these runs, or these have locked nobody away.
    ///
    /// # Errors
    /// [`TrainError`] when a run's bundle or predictions cannot be read.
    pub(crate) fn of(runs: &[RunFolder], members: &[&str]) -> Result<Option<Self>, TrainError> {
        let named = |name: &&str| {
            let mut runs = runs.iter();
            runs.find(|run| run.path().file_name().is_some_and(|own| own == *name))
        };
        let Some(runs) = members.iter().map(named).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let has_locked = |run: &&RunFolder| run.predictions(Part::Test).is_file();
        if runs.is_empty() || !runs.iter().all(has_locked) {
            return Ok(None);
        }
        let networks = runs.into_iter().map(|run| Said::read(run, Part::Test));
        Ok(Some(Self(networks.collect::<Result<_, _>>()?)))
    }

    /// Along lines, and corrected for the prior of each network.
    pub(crate) fn corrected(&self, lines: &[CalibrationLine]) -> Vec<Vec<Prediction>> {
        self.0
            .iter()
            .map(|network| network.corrected(lines))
            .collect()
    }
}

/// Lines found on the folds of a cross-validation (on the means of views, where a picture's mirror is looked at too), for a bundle of the networks
/// that `locked` is of.
///
/// The mean of several networks is less extreme than each of them, so that lines which fit single ones would make it timid.
/// Where the folds' runs have also predicted locked patients, the lines are stretched for a bundle of some of these runs by the
/// ratio of the variances, of single networks' logits to their mean's: a regression's slope on a number that varies less, and
/// goes with the truth as much, is that much larger. As many haemorrhages are expected as before. Nothing but the predictions of the
/// locked patients is looked at.
///
/// # Errors
/// [`TrainError`] when a run's bundle or predictions cannot be read.
pub(crate) fn recalibration(
    truth: &Truth<'_>,
    folders: &[RunFolder],
    locked: Option<&Locked>,
) -> Result<Recalibration, TrainError> {
    let folds = folders.iter().map(|run| Said::read(run, Part::Validation));
    let folds: Vec<Said> = folds.collect::<Result<_, _>>()?;
    Ok(of_folds(truth, &folds, locked))
}

fn of_folds(truth: &Truth<'_>, folds: &[Said], locked: Option<&Locked>) -> Recalibration {
    let mut crossed = Vec::new();
    for (at, fold) in folds.iter().enumerate() {
        let others = folds.iter().enumerate().filter(|(other, _)| *other != at);
        let without = lines(truth, others.flat_map(|(_, other)| &other.own));
        crossed.extend(fold.corrected(&without));
    }
    let alone = lines(truth, folds.iter().flat_map(|fold| &fold.own));
    let mut found = alone.clone();
    if let Some(locked) = locked {
        let along = locked.0.iter().map(|network| network.along(&alone));
        stretch(&mut found, &along.collect::<Vec<_>>());
    }
    Recalibration {
        lines: found,
        alone,
        crossed,
    }
}

/// The lines that make some predictions right, for labels with enough patients.
fn lines<'a>(
    truth: &Truth<'_>,
    predictions: impl Iterator<Item = &'a Prediction>,
) -> Vec<CalibrationLine> {
    let mut slices = Level::default();
    for prediction in predictions {
        if let Some((labels, patient)) = truth(&prediction.image_id) {
            slices.add(labels, prediction.probabilities, patient);
        }
    }
    slices.lines()
}

/// Stretches lines of single networks for the mean of those that said this, along the lines, of the same slices.
fn stretch(lines: &mut [CalibrationLine], single: &[Vec<Prediction>]) {
    let Some(mean) = mean_of_predictions(single) else {
        return;
    };
    for line in lines {
        let at = line.label.index();
        let of_mean = Spread::of(&mean, at);
        let of_single: Vec<Spread> = single.iter().map(|own| Spread::of(own, at)).collect();
        let count = of_single.len() as f64;
        let variance = of_single.iter().map(|of| of.variance).sum::<f64>() / count;
        let factor = variance / of_mean.variance;
        if factor.is_normal() {
            let center = of_single.iter().map(|of| of.mean).sum::<f64>() / count;
            let logits = single.iter().flatten();
            let logits: Vec<f64> = logits.map(|p| logit(p.probabilities[at])).collect();
            let shift = shift_to_same_mean(&logits, factor, center);
            line.slope *= factor;
            line.intercept = center + factor * (line.intercept - center) + shift;
        }
    }
}

/// What must be added to logits stretched by `factor` around `center` so that the mean of their probabilities stays.
fn shift_to_same_mean(logits: &[f64], factor: f64, center: f64) -> f64 {
    let mean = |of: &dyn Fn(f64) -> f64| {
        let probabilities = logits.iter().map(|&x| 1.0 / (1.0 + (-of(x)).exp()));
        probabilities.sum::<f64>() / logits.len() as f64
    };
    let wanted = mean(&|x| x);
    let (mut low, mut high) = (-FARTHEST_SHIFT, FARTHEST_SHIFT);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if mean(&|x| center + factor * (x - center) + middle) < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Mean and variance of one label's logits.
struct Spread {
    mean: f64,
    variance: f64,
}

impl Spread {
    fn of(predictions: &[Prediction], label: usize) -> Self {
        let logits = || predictions.iter().map(|p| logit(p.probabilities[label]));
        let count = predictions.len() as f64;
        let mean = logits().sum::<f64>() / count;
        let variance = logits().map(|logit| (logit - mean).powi(2)).sum::<f64>() / count;
        Self { mean, variance }
    }
}

/// Certainty is taken as the most that single precision tells apart.
fn logit(p: Probability) -> f64 {
    let p = p.get().clamp(1e-7, 1.0 - 1e-7);
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests;
