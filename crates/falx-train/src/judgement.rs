//! What patients say of a model that did not learn from them, for the bundle that is given away.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use falx_core::{ImageId, Label, Prediction, Probability};
use falx_data::index::Index;
use falx_eval::weighted_log_loss;
use falx_infer::{
    Bundle, BundleManifest, BundleMetrics, CalibrationLine, Judgement, PriorShift, Restated,
    mean_of_predictions, smoothed,
};

use crate::TrainError;
use crate::cases::{Rows, patient};
use crate::decisions::decisions;
use crate::folder::{Part, RunFolder, bundle_in};
use crate::held::Held;
use crate::matching::Matching;
use crate::recalibration::{Locked, recalibration};

/// What is asked of those who judge.
#[derive(Clone, Copy, Debug)]
pub struct JudgementOptions<'a> {
    /// The share of slices with haemorrhage that the probabilities are to be for; left out = as they are.
    pub prevalence: Option<Probability>,
    /// The standard deviation in mm of the Gaussian by which the bundle smooths predictions along a series; left out = it does not.
    pub smooth_mm: Option<f64>,
    /// The bundle that is packed.
    pub packed: &'a BundleManifest,
    /// Whether lines of calibration are to be found for its networks.
    pub calibrate: bool,
}

/// What held-out patients say, and what it was said of.
#[derive(Clone, Debug)]
pub struct HeldOutJudgement {
    /// What follows for the bundle.
    pub judgement: Judgement,
    /// The predictions that were judged, calibrated if so asked, at the prevalence of the training data.
    pub predictions: Vec<Prediction>,
}

/// What the run or cross-validation in `folder` reached on the slices that it did not learn from, and the rules of presence
/// that follow.
///
/// # Errors
/// [`TrainError`] when there is no finished run, its data cannot be found or are no longer the same, lines are to be found on
/// anything but a cross-validation without smoothing along the series, or the
/// bundle smooths otherwise than the predictions are smoothed.
pub fn judgement(
    folder: &Path,
    options: &JudgementOptions<'_>,
) -> Result<HeldOutJudgement, TrainError> {
    let run = RunFolder::new(folder);
    let held = Held::of(&run)?;
    let (recipe, _, _) = held.load(&run)?;
    let bundle = Bundle::open(&bundle_in(folder))?;
    let shift = bundle.shift_to(options.prevalence)?;
    let path = held.predictions(&run, Part::Validation);
    if !path.is_file() {
        return Err(TrainError::Unfinished(folder.to_owned()));
    }
    let smoothed_by = recipe.prediction.smooth_mm;
    if smoothed_by.is_some() && smoothed_by != options.smooth_mm {
        return Err(TrainError::SmoothedOtherwise(folder.to_owned()));
    }
    let own = falx_eval::predictions::read_csv(&path)?;
    let index = Index::read(&recipe.data.index)?;
    let rows = Rows::new(&index);
    let mut metrics = bundle.manifest().metrics.clone();
    let mut calibration = Vec::new();
    let mut alone = Vec::new();
    let mut changes = String::new();
    let mut predictions = own.clone();
    let runs = held.runs(&run);
    let members = options
        .packed
        .members
        .iter()
        .map(|member| member.origin.as_str());
    let locked = Locked::of(&runs, &members.collect::<Vec<_>>())?;
    if options.calibrate {
        if matches!(held, Held::Run) || smoothed_by.is_some() {
            return Err(TrainError::NothingToCalibrateOn(folder.to_owned()));
        }
        let truth = |image: &ImageId| rows.get(image).map(|row| (row.labels, patient(row)));
        let found = recalibration(&truth, &runs, locked.as_ref())?;
        if !found.lines.is_empty() {
            changes.push_str("; calibrated by lines found without the slice's fold");
            (calibration, predictions) = (found.lines, found.crossed);
            alone = found.alone;
        }
    }
    let shifted = |prediction: &Prediction| Prediction {
        image_id: prediction.image_id.clone(),
        probabilities: shift.map_or(prediction.probabilities, |shift| {
            shift.correct(prediction.probabilities)
        }),
    };
    let mut stated: Vec<Prediction> = predictions.iter().map(shifted).collect();
    let smooths = options.smooth_mm.filter(|_| smoothed_by.is_none());
    if let Some(mm) = smooths {
        let _ = write!(
            changes,
            "; smoothed along the series, standard deviation {mm} mm"
        );
        for predictions in [&mut predictions, &mut stated] {
            smooth(&rows, predictions, mm);
        }
    }
    if !changes.is_empty() {
        metrics = BundleMetrics {
            weighted_log_loss: loss(&rows, &predictions).unwrap_or(f64::NAN),
            measured_on: metrics.measured_on + &changes,
            ..metrics
        };
    }
    let mut decisions = decisions(&rows, &stated, metrics.measured_on.clone());
    if let Some(decisions) = decisions.as_mut().filter(|_| shift.is_some()) {
        // Of how many studies a haemorrhage shows where so many slices do nobody knows.
        decisions.study_calibration.clear();
    }
    if let Some(locked) = locked {
        // As the bundle says it, and as whoever judges says it with one network.
        let said = |lines: &[CalibrationLine]| -> Vec<Vec<Prediction>> {
            let networks = locked.corrected(lines).into_iter();
            let shifted = networks.map(|own| own.iter().map(shifted).collect());
            shifted.collect()
        };
        let (mut single, mut mean) = (said(&alone), mean_of_predictions(&said(&calibration)));
        if let Some(mm) = smooths {
            for predictions in single.iter_mut().chain(&mut mean) {
                smooth(&rows, predictions, mm);
            }
        }
        decisions = match (decisions, mean) {
            (Some(decisions), Some(mean)) => Some(Matching::of(&single, &mean).moved(decisions)),
            (decisions, _) => decisions,
        };
    }
    let judgement = Judgement {
        decisions,
        restated: match shift {
            Some(shift) => restated(&rows, &own, &stated, shift, &bundle),
            None => None,
        },
        calibration,
        metrics,
    };
    Ok(HeldOutJudgement {
        judgement,
        predictions,
    })
}

/// Smooths predictions along each series, as a bundle does.
fn smooth(rows: &Rows<'_>, predictions: &mut [Prediction], mm: f64) {
    let mut series: BTreeMap<&str, Vec<(usize, f32)>> = BTreeMap::new();
    for (at, prediction) in predictions.iter().enumerate() {
        let row = rows.get(&prediction.image_id);
        if let Some((row, uid)) = row.and_then(|row| Some((row, row.series_uid.as_deref()?))) {
            let position = row.z_mm.map_or(f32::NAN, |z| z.0 as f32);
            series.entry(uid).or_default().push((at, position));
        }
    }
    for slices in series.into_values() {
        let given = slices.iter().map(|&(at, _)| predictions[at].probabilities);
        let given: Vec<[Probability; 6]> = given.collect();
        let positions: Vec<f32> = slices.iter().map(|&(_, position)| position).collect();
        let smoothed = smoothed(&given, &positions, mm);
        for ((at, _), probabilities) in slices.into_iter().zip(smoothed) {
            predictions[at].probabilities = probabilities;
        }
    }
}

/// The weighted log loss of predictions.
fn loss(rows: &Rows<'_>, predictions: &[Prediction]) -> Option<f64> {
    let known = predictions
        .iter()
        .filter_map(|p| Some((rows.get(&p.image_id)?.labels, p.probabilities)));
    let (truth, predicted): (Vec<_>, Vec<_>) = known.unzip();
    weighted_log_loss(&truth, &predicted).ok()
}

/// The losses that the predictions before and after a shift would have among slices of the prevalence that it goes to: those of
/// positives and negatives, weighted by their shares there. `None` where there are not both.
fn restated(
    rows: &Rows<'_>,
    own: &[Prediction],
    stated: &[Prediction],
    shift: PriorShift,
    bundle: &Bundle,
) -> Option<Restated> {
    let any = Label::Any;
    let no_skill = shift.correct(bundle.no_skill());
    let mut classes = [const { Vec::new() }; 2];
    for (own, stated) in own.iter().zip(stated) {
        let row = rows.get(&own.image_id);
        if let Some((row, truth)) = row.and_then(|row| Some((row, row.labels.get(any)?))) {
            classes[usize::from(truth)].push((
                row.labels,
                [own.probabilities, stated.probabilities, no_skill],
            ));
        }
    }
    let share = shift.data_any.get();
    let mut losses = [0.0; 3];
    for (class, share) in classes.iter().zip([1.0 - share, share]) {
        let truth: Vec<_> = class.iter().map(|(labels, _)| *labels).collect();
        for (at, loss) in losses.iter_mut().enumerate() {
            let of_kind: Vec<_> = class.iter().map(|(_, rows)| rows[at]).collect();
            *loss += share * weighted_log_loss(&truth, &of_kind).ok()?;
        }
    }
    let [before, after, no_skill] = losses;
    Some(Restated {
        prevalence: share,
        before,
        after,
        no_skill,
    })
}
