//! The result as text.

use std::fmt::Write as _;

use super::assumptions::Discipline;
use super::gain::{Assumed, DisciplineResult, GroupResult, WorklistGain};
use crate::Estimate;
use crate::text::{count, percent, thousands};

pub(super) fn gain(g: &WorklistGain) -> String {
    let mut out = String::new();
    assumed(&mut out, &g.assumed);
    let _ = writeln!(
        out,
        "{} of {} days, {} in all",
        count(u64::from(g.assumed.replications), "replication"),
        g.assumed.days,
        count(g.studies, "study")
    );
    for result in &g.disciplines {
        discipline(&mut out, result, g.assumed.target_minutes);
    }
    headline(&mut out, g);
    if g.disciplines
        .iter()
        .any(|d| d.groups.iter().any(|g| g.theory_turnaround.is_some()))
    {
        out.push_str("Theory: exact formulas for the mean wait (Erlang C; Pollaczek and Khinchine; Cobham), where they apply.\n");
    }
    out.push_str(
        "Brackets: 95 % interval over replications. Every order reads the same studies; minutes are moved, not made.\n",
    );
    for note in &g.notes {
        let _ = writeln!(out, "- {note}");
    }
    out
}

fn assumed(out: &mut String, a: &Assumed) {
    let profile = if a.hours.is_empty() {
        ""
    } else {
        ", more at some hours than at others"
    };
    let _ = writeln!(
        out,
        "{} studies an hour{profile}; {} with {} each: busy {} of the time",
        a.arrivals_per_hour,
        count(u64::from(a.readers), "reader"),
        a.reading,
        percent(a.utilisation, 0)
    );
    let scores = a.scored_studies.map_or_else(String::new, |n| {
        format!(", scores drawn from {}", count(n, "real study"))
    });
    let _ = writeln!(
        out,
        "{} with haemorrhage; sensitivity {}, specificity {}: {} flagged, {} minutes after arrival{scores}",
        percent(a.prevalence, 1),
        percent(a.sensitivity, 1),
        percent(a.specificity, 1),
        percent(a.flagged, 1),
        a.detector_minutes
    );
    if let Some(limit) = a.longest_wait_minutes {
        let _ = writeln!(out, "after a wait of {limit} minutes a study goes first");
    }
}

fn discipline(out: &mut String, result: &DisciplineResult, target: f64) {
    let _ = writeln!(
        out,
        "\n{}\n  {:<21}{:>9}   {:<22}{:>7}{:>8}{:>8}{:>10}   mean wait: theory, simulated",
        result.discipline.words(),
        "minutes to the report",
        "studies",
        "mean",
        "median",
        "90 %",
        "95 %",
        format!("over {target}")
    );
    for group in &result.groups {
        row(out, group);
    }
}

fn row(out: &mut String, g: &GroupResult) {
    let t = &g.turnaround;
    let theory = match (g.theory_wait, g.theory_turnaround) {
        (Some(wait), _) => format!("{wait:.1}, {}", interval(&g.wait.mean)),
        (None, Some(whole)) => format!("to the report: {whole:.1}, {}", interval(&t.mean)),
        (None, None) => "–".to_owned(),
    };
    let _ = writeln!(
        out,
        "  {:<21}{:>9}   {:<22}{:>7.1}{:>8.1}{:>8.1}{:>10}   {theory}",
        g.group.words(),
        thousands(g.studies),
        interval(&t.mean),
        t.median.value,
        t.percentile_90.value,
        t.percentile_95.value,
        percent(t.over_target.value, 1)
    );
}

fn headline(out: &mut String, g: &WorklistGain) {
    out.push('\n');
    let others = g.disciplines.iter();
    for result in others.filter(|d| d.discipline != Discipline::FirstInFirstOut) {
        for group in &result.groups {
            if let Some(gain) = &group.gain {
                let (saved, word) = (magnitude(&gain.mean), direction(&gain.mean));
                let _ = writeln!(
                    out,
                    "{}: {}, {} minutes {word}",
                    result.discipline.words(),
                    group.group.words(),
                    interval(&saved)
                );
            }
        }
    }
}

pub(super) fn interval(e: &Estimate) -> String {
    match (e.low, e.high) {
        (Some(low), Some(high)) => {
            format!("{} ({} to {})", tenth(e.value), tenth(low), tenth(high))
        }
        _ => tenth(e.value),
    }
}

/// One digit after the point; what rounds to nothing has no sign.
fn tenth(x: f64) -> String {
    let x = (x * 10.0).round() / 10.0;
    format!("{:.1}", if x == 0.0 { 0.0 } else { x }).replace('-', "−")
}

/// What a saving means, where the interval says so.
pub(super) fn direction(saved: &Estimate) -> &'static str {
    match (saved.low, saved.high) {
        (Some(low), _) if low > 0.0 => "sooner on average",
        (_, Some(high)) if high < 0.0 => "later on average",
        _ if saved.value < 0.0 => "later on average, which may be chance",
        _ => "sooner on average, which may be chance",
    }
}

/// The size of a difference, its interval turned with it.
pub(super) fn magnitude(e: &Estimate) -> Estimate {
    if e.value >= 0.0 {
        return *e;
    }
    Estimate {
        value: -e.value,
        low: e.high.map(|x| -x),
        high: e.low.map(|x| -x),
    }
}
