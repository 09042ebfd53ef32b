//! What the flags would do to a work list.

use maud::{Markup, html};

use super::super::table;
use super::Section;
use crate::text::{count, percent, thousands, value};
use crate::worklist::{Assumed, Discipline, DisciplineResult, GroupResult, WorklistGain, lines};
use crate::{Estimate, Evaluation};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let gain = e.worklist.as_ref()?;
    let first = gain.of(Discipline::FirstInFirstOut)?;
    let flagged = gain.of(Discipline::FlaggedFirst)?;
    let target = gain.assumed.target_minutes;
    let body = html! {
        p {
            "A simulation of a department, not a measurement in one. Studies wait in one list; what the detector flags is read first. \
             Every order reads the same studies, so minutes are moved, not made: what flagged studies gain, others wait."
        }
        ul class="plain" { @for line in lines(gain).iter().skip(1) { li { (line) } } }
        (minutes(first, flagged, target))
        (theory(gain))
        h3 { "What is assumed" }
        (assumed(&gain.assumed, gain.studies))
        @for note in &gain.notes { p class="how" { (note) } }
    };
    Some(Section {
        id: "worklist",
        title: "What a work list gains",
        body,
    })
}

fn minutes(first: &DisciplineResult, flagged: &DisciplineResult, target: f64) -> Markup {
    let columns = [
        table::words("Studies"),
        table::number("Number"),
        table::number("First in, first out: mean"),
        table::number("Flagged first: mean"),
        table::number("Sooner by"),
        table::number("90 % read within: first in, first out"),
        table::number("90 % read within: flagged first"),
        table::number(&format!("Over {target} minutes: first in, first out")),
        table::number(&format!("Over {target} minutes: flagged first")),
    ];
    let rows: Vec<Vec<Markup>> = flagged
        .groups
        .iter()
        .filter_map(|after| {
            let before = first.group(after.group)?;
            let (b, a) = (&before.turnaround, &after.turnaround);
            Some(vec![
                table::cell(after.group.words()),
                table::cell(thousands(after.studies)),
                tenths(Some(&b.mean)),
                tenths(Some(&a.mean)),
                tenths(after.gain.as_ref().map(|gain| &gain.mean)),
                table::cell(value(b.percentile_90.value, 1, false)),
                table::cell(value(a.percentile_90.value, 1, false)),
                table::cell(percent(b.over_target.value, 1)),
                table::cell(percent(a.over_target.value, 1)),
            ])
        })
        .collect();
    let caption = table::cell(
        "Minutes from arrival to the report. Below: 95 % intervals over replications. Below 0: later than first in, first out.",
    );
    table::table("Minutes to the report", &caption, &columns, &rows)
}

fn tenths(e: Option<&Estimate>) -> Markup {
    table::estimate(e, 1, false)
}

/// Exact formulas beside the simulation: what can be checked is.
fn theory(gain: &WorklistGain) -> Markup {
    let columns = [
        table::words("Order"),
        table::words("Studies"),
        table::number("Theory"),
        table::number("Simulated"),
    ];
    let known = |d: &DisciplineResult, g: &GroupResult| {
        let theory = g.theory_wait?;
        Some(vec![
            table::cell(d.discipline.words()),
            table::cell(g.group.words()),
            table::cell(value(theory, 1, false)),
            tenths(Some(&g.wait.mean)),
        ])
    };
    let rows: Vec<Vec<Markup>> = gain
        .disciplines
        .iter()
        .flat_map(|d| d.groups.iter().filter_map(move |g| known(d, g)))
        .collect();
    let caption = table::cell(
        "Mean wait in minutes until the reading begins, where queueing theory has an exact formula; with a detector that takes its \
         time there is none for flagged first.",
    );
    html! {
        @if !rows.is_empty() {
            div class="narrow" { (table::table("Mean wait: theory beside simulation", &caption, &columns, &rows)) }
        }
    }
}

fn assumed(a: &Assumed, studies: u64) -> Markup {
    let minutes = |n: f64| format!("{n} minutes");
    let rows: Vec<(&str, String)> = vec![
        ("Studies an hour", a.arrivals_per_hour.to_string()),
        ("A reading", a.reading.clone()),
        (
            "Readers",
            format!(
                "{}, busy {} of the time",
                a.readers,
                percent(a.utilisation, 0)
            ),
        ),
        ("With a haemorrhage", percent(a.prevalence, 1)),
        (
            "Detector",
            format!(
                "sensitivity {}, specificity {}; flags {} of all, {} after arrival",
                percent(a.sensitivity, 1),
                percent(a.specificity, 1),
                percent(a.flagged, 1),
                minutes(a.detector_minutes)
            ),
        ),
        (
            "Simulated",
            format!(
                "{} of {} days, {} in all (seed {})",
                count(u64::from(a.replications), "replication"),
                a.days,
                count(studies, "study"),
                a.seed
            ),
        ),
    ];
    html! {
        dl class="methods" { @for (what, words) in &rows { dt { (what) } dd { (words) } } }
    }
}
