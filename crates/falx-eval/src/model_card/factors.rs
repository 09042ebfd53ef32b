//! The groups that an evaluation knows, and where it does worst among them.

use std::fmt::Write as _;

use crate::subgroup::{AxisScores, Gap, GroupScore, Subgroups};
use crate::text::{count, interval, p_value, percent, thousands, value};
use crate::{Estimate, Evaluation};

/// What the card says where nothing is known of any group.
const UNKNOWN: &str = "Groups of patients, scanners and protocols matter too; this evaluation was given none to score apart.";

/// The labels, then a line for each axis.
pub(super) fn factors(e: &Evaluation) -> String {
    let labels = "Labels: the five subtypes of intracranial haemorrhage and any of them.";
    let Some(s) = &e.subgroups else {
        return format!("{labels} {UNKNOWN}");
    };
    let mut words = format!(
        "{labels} Parts of the population, for any; on each axis the group that fares worst, brackets being 95 % intervals that are \
         not adjusted for the choice:\n\n"
    );
    for axis in &s.axes {
        let _ = writeln!(words, "- {}", super::cell(&line(axis, s)));
    }
    words
}

fn line(axis: &AxisScores, s: &Subgroups) -> String {
    let names: Vec<String> = axis
        .groups
        .iter()
        .map(|g| format!("{} ({})", g.group, count(g.patients, "patient")))
        .collect();
    let groups = axis.labels.iter().flat_map(|l| &l.groups);
    let worst = |of: fn(&GroupScore) -> Option<Estimate>| {
        let known = groups.clone().filter_map(move |g| Some((g, of(g)?)));
        let several = known.clone().count() > 1;
        known
            .min_by(|a, b| a.1.value.total_cmp(&b.1.value))
            .filter(|_| several)
    };
    let share = |e: &Estimate| {
        let hundred = Estimate {
            value: 100.0 * e.value,
            low: e.low.map(|x| 100.0 * x),
            high: e.high.map(|x| 100.0 * x),
        };
        format!("{} ({})", percent(e.value, 1), interval(&hundred, 1, false))
    };
    let area = |e: &Estimate| format!("{} ({})", value(e.value, 3, false), interval(e, 3, false));
    let scores = [
        ("AUC", worst(|g| g.auc)),
        ("sensitivity", worst(|g| g.sensitivity)),
        ("specificity", worst(|g| g.specificity)),
    ];
    let lowest: Vec<String> = scores
        .into_iter()
        .filter_map(|(name, found)| {
            let (g, e) = found?;
            let scored = if name == "AUC" { area(&e) } else { share(&e) };
            Some(format!(
                "lowest {name} {scored} in {} ({}, {} of {} cases positive)",
                g.group,
                count(g.patients, "patient"),
                thousands(g.positives),
                thousands(g.cases)
            ))
        })
        .collect();
    let known = format!("By {}, {}: ", axis.axis, names.join(", "));
    if lowest.is_empty() {
        return format!(
            "{known}fewer than two groups have ten patients of a class, so none is compared."
        );
    }
    let gap = s.widest(&axis.axis).map_or_else(String::new, gap);
    format!("{known}{}.{gap}", lowest.join("; "))
}

fn gap(g: &Gap) -> String {
    format!(
        " Widest gap: {} {}, p {} after correction.",
        g.metric,
        value(g.gap.value, 3, false),
        p_value(g.p_corrected)
    )
}
