//! What patients say of a model that did not learn from them, for the bundle that is given away.

use std::path::Path;

use falx_core::{Label, Prediction, Probability};
use falx_data::index::Index;
use falx_eval::weighted_log_loss;
use falx_infer::{Bundle, Judgement, PriorShift, Restated};

use crate::TrainError;
use crate::cases::Rows;
use crate::decisions::decisions;
use crate::folder::{Part, RunFolder, bundle_in};
use crate::held::Held;

/// What the run or cross-validation in `folder` reached on the slices that it did not learn from, and the rules of presence
/// that follow for probabilities of some `prevalence`.
///
/// # Errors
/// [`TrainError`] when there is no finished run, or its data cannot be found or are no longer the same.
pub fn judgement(folder: &Path, prevalence: Option<Probability>) -> Result<Judgement, TrainError> {
    let run = RunFolder::new(folder);
    let held = Held::of(&run)?;
    let (recipe, _, _) = held.load(&run)?;
    let bundle = Bundle::open(&bundle_in(folder))?;
    let shift = bundle.shift_to(prevalence)?;
    let path = held.predictions(&run, Part::Validation);
    if !path.is_file() {
        return Err(TrainError::Unfinished(folder.to_owned()));
    }
    let own = falx_eval::predictions::read_csv(&path)?;
    let shifted = |prediction: &Prediction| Prediction {
        image_id: prediction.image_id.clone(),
        probabilities: shift.map_or(prediction.probabilities, |shift| {
            shift.correct(prediction.probabilities)
        }),
    };
    let stated: Vec<Prediction> = own.iter().map(shifted).collect();
    let metrics = bundle.manifest().metrics.clone();
    let index = &recipe.data.index;
    let mut decisions = decisions(index, &stated, metrics.measured_on.clone())?;
    if let Some(decisions) = decisions.as_mut().filter(|_| shift.is_some()) {
        // Of how many studies a haemorrhage shows where so many slices do nobody knows.
        decisions.study_calibration.clear();
    }
    Ok(Judgement {
        decisions,
        restated: match shift {
            Some(shift) => restated(&Index::read(index)?, &own, &stated, shift, &bundle),
            None => None,
        },
        metrics,
    })
}

/// The losses that the predictions before and after a shift would have among slices of the prevalence that it goes to: those of
/// positives and negatives, weighted by their shares there. `None` where there are not both.
fn restated(
    index: &Index,
    own: &[Prediction],
    stated: &[Prediction],
    shift: PriorShift,
    bundle: &Bundle,
) -> Option<Restated> {
    let rows = Rows::new(index);
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
