//! The parts of the population and the readers, as the command line prints them.

use std::fmt::Write as _;

use super::{count, interval, p_value, threshold, value};
use crate::Estimate;
use crate::operating::ChosenOn;
use crate::readers::{ReaderAgreement, Readers};
use crate::subgroup::{AxisScores, FEW_PATIENTS, Gap, Subgroups};

/// The largest gap of each axis.
pub(super) fn subgroups(out: &mut String, s: &Subgroups) {
    let _ = writeln!(
        out,
        "\nWidest gap between groups (any; {} tested, p corrected by {}):",
        count(s.multiplicity.tests, "gap"),
        s.multiplicity.corrected
    );
    let _ = writeln!(
        out,
        "{:<14}{:<13}{:<23}{:<23}{:<26}p",
        "by", "in", "lowest", "highest", "gap"
    );
    for axis in &s.axes {
        match s.widest(&axis.axis) {
            Some(gap) => gap_line(out, gap),
            None => {
                let _ = writeln!(out, "{:<14}{}", cut(&axis.axis, 13), untested(axis));
            }
        }
    }
}

fn gap_line(out: &mut String, g: &Gap) {
    let group = |name: &str, v: f64| format!("{} {}", cut(name, 14), value(v, 3, false));
    let _ = writeln!(
        out,
        "{:<14}{:<13}{:<23}{:<23}{:<26}{}",
        cut(&g.axis, 13),
        g.metric.to_string(),
        group(&g.lowest, g.lowest_value),
        group(&g.highest, g.highest_value),
        scored(Some(&g.gap)),
        p_value(g.p_corrected)
    );
}

fn untested(axis: &AxisScores) -> String {
    format!(
        "not compared: of {}, fewer than two have {FEW_PATIENTS} positive or {FEW_PATIENTS} negative patients",
        count(axis.groups.len() as u64, "group")
    )
}

/// How readers agree, and the model with them.
pub(super) fn readers(out: &mut String, r: &Readers) {
    let _ = writeln!(
        out,
        "\nReaders: {} of {} by {}; a study's prediction is {}",
        count(r.studies, "study"),
        count(r.patients, "patient"),
        count(r.readers.len() as u64, "reader"),
        r.aggregation.words()
    );
    let _ = writeln!(
        out,
        "{:<17}{:<24}{:<24}{:<24}kappa less theirs",
        "label", "kappa among readers", "kappa of the model", "AUC against majority"
    );
    for label in &r.labels {
        let _ = writeln!(out, "{}", reader_line(label).trim_end());
    }
    for label in &r.labels {
        if let Some(model) = &label.model
            && let Some(t) = model.threshold
            && label.label == falx_core::Label::Any
        {
            let on = model.chosen_on.map_or("locked", ChosenOn::words);
            let _ = writeln!(
                out,
                "Kappas: means over pairs. The model says yes from its threshold on ({on}); any from {}.",
                threshold(t)
            );
        }
    }
}

fn reader_line(l: &ReaderAgreement) -> String {
    let model = l.model.as_ref();
    format!(
        "{:<17}{:<24}{:<24}{:<24}{}",
        l.label.name(),
        scored(l.mean_kappa.as_ref()),
        scored(model.and_then(|m| m.mean_kappa_with_readers.as_ref())),
        scored(model.and_then(|m| m.majority.auc.as_ref())),
        scored(model.and_then(|m| m.difference.as_ref()))
    )
}

fn scored(e: Option<&Estimate>) -> String {
    e.map_or_else(
        || "–".to_owned(),
        |e| format!("{} ({})", value(e.value, 3, false), interval(e, 2, false)),
    )
}

/// A name that keeps its column.
fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let kept: String = name.chars().take(most - 1).collect();
    format!("{kept}…")
}
