//! The work list that an evaluation's own detector would make.

use falx_core::Label;

use super::gain::{Group, WorklistGain};
use super::text::{direction, interval, magnitude};
use super::{Assumptions, Detector, Discipline, simulate};
use crate::operating::HEADLINE_RULE;
use crate::text::{count, percent};
use crate::{Evaluation, LabelScore, UnitOfAnalysis};

/// A default department's gain with the locked threshold that the summary shows, where studies have one.
///
/// Its prevalence is that of the judged studies; all else is [`Assumptions::default`] and the evaluation's seed.
pub(crate) fn of_studies(e: &Evaluation) -> Option<WorklistGain> {
    let labels = match (&e.study, e.unit) {
        (Some(study), _) => &study.labels,
        (None, UnitOfAnalysis::Study) => &e.labels,
        (None, UnitOfAnalysis::Slice) => return None,
    };
    let any: &LabelScore = labels.iter().find(|s| s.label == Label::Any)?;
    let point = any.locked_points.as_ref()?.of(&HEADLINE_RULE)?;
    let assumptions = Assumptions {
        prevalence: any.positives as f64 / any.known as f64,
        detector: Detector::Rates {
            sensitivity: point.test.sensitivity?.value,
            specificity: point.test.specificity?.value,
        },
        seed: e.seed,
        ..Assumptions::default()
    };
    let mut gain = simulate(&assumptions).ok()?;
    gain.notes.extend([
        format!(
            "The share with a haemorrhage is that of the {} judged here; data sets for research often hold more of them than a \
             department sees.",
            count(any.known, "study")
        ),
        format!(
            "The rates are those of the threshold for {}, {}, taken as if they were exact; intervals are the simulation's alone.",
            point.name,
            point.chosen_on.words()
        ),
        "Arrivals, reading times and readers are assumed, not measured; falx worklist-sim takes others.".to_owned(),
    ]);
    Some(gain)
}

/// What flags change, in a few short lines.
pub(crate) fn lines(gain: &WorklistGain) -> Vec<String> {
    let Some(flagged) = gain.of(Discipline::FlaggedFirst) else {
        return Vec::new();
    };
    let a = &gain.assumed;
    let mut lines = vec![format!(
        "Assumed: {} studies an hour, {} busy {} of the time, {} with a haemorrhage.",
        a.arrivals_per_hour,
        count(u64::from(a.readers), "reader"),
        percent(a.utilisation, 0),
        percent(a.prevalence, 1)
    )];
    for (group, name) in [
        (Group::Positive, "with a haemorrhage"),
        (Group::Missed, "whose haemorrhage it misses"),
        (Group::Negative, "without one"),
    ] {
        let saved = flagged.group(group).and_then(|g| g.gain.as_ref());
        lines.extend(saved.map(|saved| {
            format!(
                "Studies {name} are read {} minutes {}.",
                interval(&magnitude(&saved.mean)),
                direction(&saved.mean)
            )
        }));
    }
    lines
}
