//! Broken promises and gaps between groups.

use falx_core::Label;

use crate::conformal::{Coverage, Covered, Promise, RiskControlEvaluation};
use crate::subgroup::{Gap, GapMetric, SIGNIFICANT};
use crate::text::{count, p_value, percent, value};
use crate::{Estimate, Evaluation, LevelAbstention};

/// Prediction sets and controlled thresholds that do not keep what they promise.
pub(super) fn broken(e: &Evaluation) -> Vec<String> {
    let levels = e.abstention.iter().flat_map(|a| a.levels(e.unit));
    levels
        .flat_map(|(unit, level)| of_level(unit, level))
        .collect()
}

fn of_level(unit: &str, level: &LevelAbstention) -> Vec<String> {
    let found = level
        .labels
        .iter()
        .filter_map(|l| Some((l.label, &l.sets.as_ref()?.coverage)));
    let sets: Vec<String> = found
        .clone()
        .flat_map(|(label, c)| classes(label, c))
        .collect();
    let promised = found.map(|(_, c)| c.promised).next();
    let of_sets = promised.filter(|_| !sets.is_empty()).map(|promised| {
        format!(
            "Prediction sets over {unit} break their promise to hold the truth in {}: {}. These patients are unlike those that the \
             sets were computed from.",
            percent(promised, 0),
            sets.join("; ")
        )
    });
    let thresholds = [&level.missed, &level.missed_subtypes];
    let missed = thresholds
        .into_iter()
        .flatten()
        .filter_map(|found| missed(unit, found));
    of_sets.into_iter().chain(missed).collect()
}

/// "intraventricular, negative ones, 63.6 % (41.4 to 83.5)".
fn classes(label: Label, c: &Coverage) -> Vec<String> {
    let all: [(&Covered, &str); 3] = [
        (&c.positives, "positive ones"),
        (&c.negatives, "negative ones"),
        (&c.all, "all"),
    ];
    all.into_iter()
        .filter(|(of, _)| of.promise == Promise::Broken)
        .filter_map(|(of, class)| {
            Some(format!(
                "{label}, {class}, {}",
                share(of.by_patient.as_ref()?)
            ))
        })
        .collect()
}

fn missed(unit: &str, found: &RiskControlEvaluation) -> Option<String> {
    let r = &found.realised;
    let risk = r.risk.as_ref().filter(|_| r.promise == Promise::Broken)?;
    Some(format!(
        "A threshold over {unit} that promises to miss at most {} misses {}.",
        percent(r.alpha, 0),
        share(risk)
    ))
}

/// "63.6 % (41.4 to 83.5)".
fn share(e: &Estimate) -> String {
    let found = percent(e.value, 1);
    crate::abstention::range(e).map_or(found.clone(), |range| format!("{found} ({range})"))
}

/// Of each axis with a gap that is no chance, corrected for all that were tested, the surest, then widest.
pub(super) fn gaps(e: &Evaluation) -> Vec<String> {
    let Some(s) = &e.subgroups else {
        return Vec::new();
    };
    let p = |gap: &Gap| gap.p_corrected.unwrap_or(1.0);
    let of_axis = |axis: &str| {
        let gaps = s.gaps.iter().filter(|g| g.axis == axis);
        gaps.filter(|g| p(g) <= SIGNIFICANT).min_by(|a, b| {
            let wider = || b.gap.value.total_cmp(&a.gap.value);
            p(a).total_cmp(&p(b)).then_with(wider)
        })
    };
    let found = s.axes.iter().filter_map(|axis| of_axis(&axis.axis));
    found
        .map(|g| {
            let written = |v: f64| match g.metric {
                GapMetric::Auc => value(v, 3, false),
                GapMetric::Sensitivity | GapMetric::Specificity => percent(v, 1),
            };
            format!(
                "By {}, the {} for {} differs: {} ({}) to {} ({}); p {}, corrected by {} for {}.",
                g.axis,
                g.metric,
                g.label,
                written(g.lowest_value),
                g.lowest,
                written(g.highest_value),
                g.highest,
                p_value(g.p_corrected),
                s.multiplicity.corrected,
                count(s.multiplicity.tests, "tested gap")
            )
        })
        .collect()
}
