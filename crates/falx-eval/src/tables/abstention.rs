//! Abstention and the work list as tables.

use falx_core::Label;

use super::{Table, number, scored, unit};
use crate::conformal::{Covered, Misses, Promise};
use crate::{Evaluation, LevelAbstention};

/// Prediction sets, bounded misses, selective risk and the work list.
pub(super) fn tables(e: &Evaluation) -> [Table; 4] {
    let mut levels: Vec<(&str, &LevelAbstention)> = Vec::new();
    if let Some(abstention) = &e.abstention {
        levels.push((unit(e), &abstention.main));
        levels.extend(abstention.study.as_ref().map(|level| ("study", level)));
    }
    [
        sets(&levels),
        misses(&levels),
        selective(&levels),
        worklist(e),
    ]
}

const fn promise(promise: Promise) -> &'static str {
    match promise {
        Promise::Kept => "kept",
        Promise::Broken => "broken",
        Promise::NotMade => "not_made",
        Promise::Unknown => "unknown",
    }
}

/// One row a label.
fn sets(levels: &[(&str, &LevelAbstention)]) -> Table {
    let covered = |row: &mut Vec<String>, c: &Covered| {
        row.extend([c.cases.to_string(), c.patients.to_string()]);
        row.extend(scored(c.by_patient.as_ref()));
        row.push(promise(c.promise).to_owned());
    };
    let mut rows = Vec::new();
    for (level, found) in levels {
        for label in &found.labels {
            let Some(sets) = &label.sets else { continue };
            let c = &sets.coverage;
            let mut row = vec![(*level).to_owned(), label.label.name().to_owned()];
            row.push(number(c.promised));
            row.push(sets.folds.map_or_else(String::new, |f| f.to_string()));
            row.push(number(sets.model.quantiles.no));
            row.push(number(sets.model.quantiles.yes));
            covered(&mut row, &c.positives);
            covered(&mut row, &c.negatives);
            for e in [&c.abstained, &c.mean_size, &c.answered_wrong] {
                row.extend(scored(e.as_ref()));
            }
            rows.push(row);
        }
    }
    Table {
        name: "prediction_sets",
        columns: vec![
            "level",
            "label",
            "promised",
            "folds",
            "quantile_no",
            "quantile_yes",
            "positives",
            "positive_patients",
            "positives_covered",
            "positives_covered_low",
            "positives_covered_high",
            "positives_promise",
            "negatives",
            "negative_patients",
            "negatives_covered",
            "negatives_covered_low",
            "negatives_covered_high",
            "negatives_promise",
            "abstained",
            "abstained_low",
            "abstained_high",
            "mean_size",
            "mean_size_low",
            "mean_size_high",
            "answered_wrong",
            "answered_wrong_low",
            "answered_wrong_high",
        ],
        rows,
    }
}

/// One row a threshold.
fn misses(levels: &[(&str, &LevelAbstention)]) -> Table {
    let mut rows = Vec::new();
    for (level, found) in levels {
        for found in [&found.missed, &found.missed_subtypes]
            .into_iter()
            .flatten()
        {
            let (control, r) = (&found.control, &found.realised);
            let misses = match control.misses {
                Misses::Cases => "any",
                Misses::Subtypes => "subtypes",
            };
            let mut row = vec![(*level).to_owned(), misses.to_owned(), number(r.alpha)];
            row.push(found.folds.map_or_else(String::new, |f| f.to_string()));
            row.push(number(control.threshold));
            row.push(r.patients.to_string());
            for e in [&r.risk, &r.missed, &r.called, &r.false_alarms] {
                row.extend(scored(e.as_ref()));
            }
            row.push(promise(r.promise).to_owned());
            rows.push(row);
        }
    }
    Table {
        name: "risk_control",
        columns: vec![
            "level",
            "misses",
            "promised",
            "folds",
            "threshold",
            "patients",
            "risk",
            "risk_low",
            "risk_high",
            "missed",
            "missed_low",
            "missed_high",
            "called",
            "called_low",
            "called_high",
            "false_alarms",
            "false_alarms_low",
            "false_alarms_high",
            "promise",
        ],
        rows,
    }
}

/// One row a point of a curve.
fn selective(levels: &[(&str, &LevelAbstention)]) -> Table {
    let points = levels.iter().flat_map(|(level, found)| {
        let curves = found.selective.iter().flat_map(|s| &s.risk.curve);
        curves.map(move |p| (*level, p))
    });
    let rows = points.map(|(level, p)| {
        vec![
            level.to_owned(),
            Label::Any.name().to_owned(),
            number(p.coverage),
            number(p.risk),
            number(p.confidence),
        ]
    });
    Table {
        name: "selective_risk",
        columns: vec!["level", "label", "kept", "wrong", "lowest_confidence"],
        rows: rows.collect(),
    }
}

/// One row a kind of study in each order; minutes.
fn worklist(e: &Evaluation) -> Table {
    let mut rows = Vec::new();
    for d in e.worklist.iter().flat_map(|gain| &gain.disciplines) {
        for g in &d.groups {
            let mut row = vec![
                d.discipline.words().to_owned(),
                g.group.words().to_owned(),
                g.studies.to_string(),
            ];
            row.extend(scored(Some(&g.turnaround.mean)));
            row.push(number(g.turnaround.median.value));
            row.push(number(g.turnaround.percentile_90.value));
            row.push(number(g.turnaround.percentile_95.value));
            row.push(number(g.turnaround.over_target.value));
            row.extend(scored(g.gain.as_ref().map(|gain| &gain.mean)));
            row.extend(scored(Some(&g.wait.mean)));
            row.push(number(g.theory_wait));
            rows.push(row);
        }
    }
    Table {
        name: "worklist",
        columns: vec![
            "order",
            "studies",
            "number",
            "minutes_to_report",
            "minutes_to_report_low",
            "minutes_to_report_high",
            "median",
            "percentile_90",
            "percentile_95",
            "over_target",
            "saved",
            "saved_low",
            "saved_high",
            "wait",
            "wait_low",
            "wait_high",
            "wait_in_theory",
        ],
        rows,
    }
}
