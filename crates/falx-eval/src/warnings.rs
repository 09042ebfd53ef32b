//! What a reader must know before believing a number.

mod beyond;

use falx_core::{LABELS, Label};

use crate::evaluate::TRAIN_BASELINE;
use crate::level::PERFECT;
use crate::resampling::{LARGE, LARGE_REPLICATES};
use crate::text::{count, joined, thousands};
use crate::{Baseline, Case, EvaluateOptions, Evaluation, UnitOfAnalysis, Verdict};

/// Fewer patients than this leave the ends of a percentile interval to chance.
const FEW_PATIENTS: u64 = 30;

pub(crate) fn of(e: &Evaluation, cases: &[Case], options: &EvaluateOptions) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(against_baseline(e));
    found.extend(patients(e, options));
    found.extend(many(e));
    found.extend(scarce(e));
    found.extend(constant(cases));
    found.extend(perfect(e));
    found.extend(labels_below_baseline(e));
    found.extend(beyond::gaps(e));
    found.extend(beyond::broken(e));
    found.extend(train_zeros(e));
    found.extend(data(e, cases));
    found
}

fn against_baseline(e: &Evaluation) -> Option<String> {
    let one_outcome = one_outcome(e);
    if one_outcome.is_some() {
        return one_outcome;
    }
    let name = &e.baselines.first()?.name;
    match e.verdict {
        Verdict::Skill => None,
        Verdict::Unclear => Some(format!(
            "The interval of the skill against the {name} is not entirely above zero: this result cannot be told from no skill."
        )),
        Verdict::WorseThanNoSkill => Some(format!(
            "WORSE THAN NO SKILL: predicting the {name} for every {}, without looking at it, has the lower loss.",
            e.unit.one()
        )),
    }
}

fn patients(e: &Evaluation, options: &EvaluateOptions) -> Option<String> {
    if e.patients == 1 {
        return Some(
            "All slices belong to one patient: there is no interval, and nothing follows for other patients."
                .to_owned(),
        );
    }
    if options.replicates == 0 {
        return Some("No intervals were asked for (0 resamples).".to_owned());
    }
    (e.patients < FEW_PATIENTS).then(|| {
        format!(
            "Only {} patients: the intervals are rough, and likely too narrow.",
            e.patients
        )
    })
}

fn many(e: &Evaluation) -> Option<String> {
    (e.slices > LARGE as u64 && e.replicates > LARGE_REPLICATES).then(|| {
        format!(
            "More than {} slices: the intervals of locked thresholds, decision curves, prediction sets and parts of the \
             population are over {LARGE_REPLICATES} resamples, all others over {}.",
            thousands(LARGE as u64),
            thousands(u64::from(e.replicates))
        )
    })
}

/// Labels of which the same is to be said share a line.
fn scarce(e: &Evaluation) -> Vec<String> {
    let mut noted: Vec<(&str, Vec<&str>)> = Vec::new();
    for s in &e.labels {
        let Some(note) = s.note.as_deref() else {
            continue;
        };
        match noted.iter_mut().find(|(said, _)| *said == note) {
            Some((_, labels)) => labels.push(s.label.name()),
            None => noted.push((note, vec![s.label.name()])),
        }
    }
    noted
        .into_iter()
        .map(|(note, labels)| format!("{}: {note}.", joined(&labels)))
        .collect()
}

/// A number that never changes ranks nothing.
fn constant(cases: &[Case]) -> Option<String> {
    let first = cases.first()?;
    let same = |label: Label| {
        let value = |c: &Case| c.prediction.get(label.index()).copied();
        cases.len() > 1 && cases.iter().all(|c| value(c) == value(first))
    };
    let labels: Vec<&str> = LABELS
        .into_iter()
        .filter(|&label| same(label))
        .map(Label::name)
        .collect();
    (!labels.is_empty()).then(|| {
        format!(
            "The same prediction for every case: {}. It ranks nothing, so an AUC of 0.5 is all that it can have.",
            joined(&labels)
        )
    })
}

/// Where nobody has a label, or everybody, the prevalence of the judged cases knows each answer.
fn one_outcome(e: &Evaluation) -> Option<String> {
    one_outcome_only(&e.baselines).then(|| {
        "Every label has one outcome only here, so the prevalence of these cases, known afterwards, is right about each: \
         whether there is skill cannot be judged."
            .to_owned()
    })
}

/// Whether the reference was taken from the judged cases and cannot be wrong about any of them.
pub(crate) fn one_outcome_only(baselines: &[Baseline]) -> bool {
    let reference = baselines.first();
    reference.is_some_and(|b| b.name != TRAIN_BASELINE && b.weighted_log_loss < PERFECT)
}

fn perfect(e: &Evaluation) -> Option<String> {
    let of_studies = e.study.iter().flat_map(|s| &s.labels);
    let collapsed = e.labels.iter().chain(of_studies).any(|s| {
        s.auc
            .is_some_and(|a| a.value == 1.0 && a.low.is_some_and(|low| low == 1.0))
    });
    collapsed.then(|| {
        "An AUC of exactly 1 stays 1 in every resample: its interval says nothing of how it would fare on more cases."
            .to_owned()
    })
}

fn labels_below_baseline(e: &Evaluation) -> Option<String> {
    let names: Vec<&str> = e
        .labels
        .iter()
        .filter(|s| s.is_worse_than_no_skill())
        .map(|s| s.label.name())
        .collect();
    let name = &e.baselines.first()?.name;
    (!names.is_empty() && e.verdict != Verdict::WorseThanNoSkill).then(|| {
        format!(
            "Worse than no skill (the {name}) by log loss: {}.",
            joined(&names)
        )
    })
}

fn train_zeros(e: &Evaluation) -> Option<String> {
    let train = e.baselines.iter().find(|b| b.name == TRAIN_BASELINE)?;
    let names: Vec<&str> = LABELS
        .iter()
        .zip(train.prediction?)
        .zip(e.positives)
        .filter(|((_, p), positives)| *p == 0.0 && *positives > 0)
        .map(|((label, _), _)| label.name())
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "The training folds have no positive slice of {}: predicting zero is punished out of proportion, so read the \
             skill against the prevalence of these slices instead.",
            joined(&names)
        )
    })
}

fn data(e: &Evaluation, cases: &[Case]) -> Vec<String> {
    let number = |holds: &dyn Fn(&Case) -> bool| cases.iter().filter(|c| holds(c)).count() as u64;
    let with_study = number(&|c| c.study.is_some());
    let found = [
        (
            // Where studies are judged, no slice has a label.
            match e.unit {
                UnitOfAnalysis::Slice => number(&|c| c.truth.is_empty()),
                UnitOfAnalysis::Study => 0,
            },
            "without any known label: left out.",
        ),
        (
            number(&|c| !c.truth.is_empty() && !c.truth.is_complete()),
            "with only some labels known: the loss weighs those.",
        ),
        (
            number(&|c| c.truth.contradicts_itself()),
            "whose `any` contradicts the subtypes: check the labels.",
        ),
        (
            if with_study > 0 {
                cases.len() as u64 - with_study
            } else {
                0
            },
            "without a study: missing from the scores per study.",
        ),
    ];
    found
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", count(n, "slice")))
        .collect()
}
