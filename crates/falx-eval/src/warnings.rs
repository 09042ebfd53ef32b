//! What a reader must know before believing a number.

use falx_core::LABELS;

use crate::details::{LARGE, LARGE_REPLICATES};
use crate::evaluate::TRAIN_BASELINE;
use crate::text::{count, joined, thousands};
use crate::{Case, EvaluateOptions, Evaluation, LabelScore, Verdict};

/// Fewer patients than this leave the ends of a percentile interval to chance.
const FEW_PATIENTS: u64 = 30;

pub(crate) fn of(e: &Evaluation, cases: &[Case], options: &EvaluateOptions) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(against_baseline(e));
    found.extend(patients(e, options));
    found.extend(many(e));
    found.extend(scarce(e));
    found.extend(perfect(e));
    found.extend(labels_below_baseline(e));
    found.extend(train_zeros(e));
    found.extend(data(cases));
    found
}

fn against_baseline(e: &Evaluation) -> Option<String> {
    let name = &e.baselines.first()?.name;
    match e.verdict {
        Verdict::Skill => None,
        Verdict::Unclear => Some(format!(
            "The interval of the skill against the {name} is not entirely above zero: this result cannot be told from no skill."
        )),
        Verdict::WorseThanNoSkill => Some(format!(
            "WORSE THAN NO SKILL: predicting the {name} for every slice, without looking at it, has the lower loss."
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

fn scarce(e: &Evaluation) -> Vec<String> {
    e.labels
        .iter()
        .filter_map(|s| Some(format!("{}: {}.", s.label, s.note.as_ref()?)))
        .collect()
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
    let worse = |s: &&LabelScore| match (s.log_loss, s.baseline_log_loss) {
        (Some(loss), Some(baseline)) => loss.value > baseline,
        _ => false,
    };
    let names: Vec<&str> = e
        .labels
        .iter()
        .filter(worse)
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

fn data(cases: &[Case]) -> Vec<String> {
    let number = |holds: &dyn Fn(&Case) -> bool| cases.iter().filter(|c| holds(c)).count() as u64;
    let with_study = number(&|c| c.study.is_some());
    let found = [
        (
            number(&|c| c.truth.is_empty()),
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
