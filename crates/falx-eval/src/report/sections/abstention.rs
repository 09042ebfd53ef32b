//! Saying "I don't know": prediction sets, bounded misses, and what leaving cases to a reader buys.

use maud::{Markup, html};

use super::super::{charts, table};
use super::Section;
use crate::abstention::range;
use crate::conformal::{Misses, Promise, RiskControlEvaluation};
use crate::text::{count, interval, percent, threshold, value};
use crate::{Estimate, Evaluation, LabelSets, LevelAbstention, Selective};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let levels = e.abstention.iter().flat_map(|a| a.levels(e.unit));
    let says_something = |(_, level): &(&str, &LevelAbstention)| {
        level.missed.is_some()
            || level.missed_subtypes.is_some()
            || level.labels.iter().any(|l| l.sets.is_some())
    };
    let levels: Vec<_> = levels.filter(says_something).collect();
    let (_, first) = levels.first()?;
    let body = html! {
        p {
            "A prediction set holds the answers that a probability cannot rule out: yes, no, both, or neither. With both or neither it \
             gives no answer and leaves the case to a reader. What is promised is how often the set holds the truth, for a case of a \
             patient not seen before, each patient counting the same. " (found_on(first)) " Brackets: 95 % intervals."
        }
        @for (unit, level) in &levels {
            h3 { "Over " (unit) }
            (sets(level, unit))
            (misses(level, unit))
        }
        (surest(&levels))
    };
    Some(Section {
        id: "abstention",
        title: "Leaving cases to a reader",
        body,
    })
}

/// How abstention and the work list were computed, with their sources.
pub(super) fn methods(e: &Evaluation) -> Vec<(&'static str, String, &'static str)> {
    let abstention = e.abstention.as_ref().map(|_| {
        (
            "Leaving cases to a reader",
            "Split conformal sets by class, each patient weighing the same and one patient more at infinity; thresholds by conformal \
             risk control; selective risk with sureness as the distance from the locked threshold."
                .to_owned(),
            "Vovk, Asian Conference on Machine Learning, 2012; Dunn, Wasserman and Ramdas, JASA 118, 2023; Angelopoulos et al., ICLR \
             2024; El-Yaniv and Wiener, JMLR 11, 2010.",
        )
    });
    let worklist = e.worklist.as_ref().map(|_| {
        (
            "Work list",
            "Simulation of single events with the same studies for every order; intervals by Student's t over replications; mean \
             waits beside exact formulas where there are such."
                .to_owned(),
            "Erlang 1917; Pollaczek 1930 and Khinchine 1932; Cobham, Operations Research 2, 1954.",
        )
    });
    [abstention, worklist].into_iter().flatten().collect()
}

fn found_on(level: &LevelAbstention) -> String {
    let sets = level.labels.iter().find_map(|l| l.sets.as_ref());
    match sets.map(|sets| sets.folds) {
        Some(Some(folds)) => format!(
            "Cross-fitted: each of {folds} folds of patients is judged with what the others gave."
        ),
        Some(None) => "Computed from the development set's patients, judged on these.".to_owned(),
        None => String::new(),
    }
}

fn sets(level: &LevelAbstention, unit: &str) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("Promised"),
        table::number("Hold the truth: positives"),
        table::number("Hold the truth: negatives"),
        table::words("Promise"),
        table::number("No answer"),
        table::number("Mean set size"),
        table::number("Wrong among answers"),
    ];
    let rows: Vec<Vec<Markup>> = level.labels.iter().map(row).collect();
    let notes = level.labels.iter().flat_map(|l| {
        let of_sets = l.sets.iter().flat_map(|s| &s.coverage.notes);
        let notes = of_sets.chain(&l.undefined);
        notes.map(|note| (l.label.name(), note.clone()))
    });
    html! {
        (table::table(&format!("Prediction sets, {unit}"), &table::cell(format!("Prediction sets over {unit}.")), &columns, &rows))
        (table::remarks(notes))
    }
}

fn row(label: &LabelSets) -> Vec<Markup> {
    let Some(found) = &label.sets else {
        return std::iter::once(table::cell(label.label.name()))
            .chain((0..7).map(|_| table::cell("–")))
            .collect();
    };
    let c = &found.coverage;
    vec![
        table::cell(label.label.name()),
        table::cell(percent(c.promised, 0)),
        share(c.positives.by_patient.as_ref()),
        share(c.negatives.by_patient.as_ref()),
        promise([c.positives.promise, c.negatives.promise, c.all.promise]),
        share(c.abstained.as_ref()),
        size(c.mean_size.as_ref()),
        share(c.answered_wrong.as_ref()),
    ]
}

fn share(e: Option<&Estimate>) -> Markup {
    html! {
        @if let Some(e) = e {
            span class="value" { (percent(e.value, 1)) }
            @if let Some(range) = range(e) { span class="interval" { (range) } }
        } @else { "–" }
    }
}

fn size(e: Option<&Estimate>) -> Markup {
    html! {
        @if let Some(e) = e {
            span class="value" { (value(e.value, 2, false)) }
            span class="interval" { (interval(e, 2, false)) }
        } @else { "–" }
    }
}

/// One broken promise is a broken promise; one that nobody could judge is not kept.
fn promise<const N: usize>(all: [Promise; N]) -> Markup {
    let words = if all.contains(&Promise::Broken) {
        "broken"
    } else if all.contains(&Promise::Unknown) {
        "cannot be said"
    } else if all.contains(&Promise::Kept) {
        "kept"
    } else {
        "none made"
    };
    html! { @if words == "broken" { strong { (words) } } @else { (words) } }
}

fn misses(level: &LevelAbstention, unit: &str) -> Markup {
    let found: Vec<&RiskControlEvaluation> = [&level.missed, &level.missed_subtypes]
        .into_iter()
        .flatten()
        .collect();
    let columns = [
        table::words("Threshold that bounds"),
        table::number("Threshold"),
        table::number("Promised: missed at most"),
        table::number("Missed, mean over patients"),
        table::words("Promise"),
        table::number("Missed of all"),
        table::number("False alarms"),
    ];
    let rows: Vec<Vec<Markup>> = found.iter().map(|r| bounded(r)).collect();
    let caption = table::cell(
        "Thresholds that keep the expected share missed below a level, for a patient with a haemorrhage not seen before.",
    );
    html! {
        @if !rows.is_empty() {
            (table::table(&format!("Bounded misses, {unit}"), &caption, &columns, &rows))
            @for note in found.iter().flat_map(|r| &r.realised.notes) { p class="how" { (note) } }
        }
    }
}

fn bounded(found: &RiskControlEvaluation) -> Vec<Markup> {
    let (control, r) = (&found.control, &found.realised);
    let name = match control.misses {
        Misses::Cases => "haemorrhages missed (any)",
        Misses::Subtypes => "subtypes missed, one threshold for all five",
    };
    let name = html! {
        (name)
        span class="interval" { "chosen from " (count(control.patients, "patient")) }
    };
    vec![
        name,
        table::cell(
            control
                .threshold
                .map_or_else(|| "everything".to_owned(), threshold),
        ),
        table::cell(percent(r.alpha, 0)),
        share(r.risk.as_ref()),
        promise([r.promise]),
        share(r.missed.as_ref()),
        share(r.false_alarms.as_ref()),
    ]
}

/// The curves side by side, and their figures.
fn surest(levels: &[(&str, &LevelAbstention)]) -> Markup {
    let found: Vec<(&str, &Selective)> = levels
        .iter()
        .filter_map(|(unit, level)| Some((*unit, level.selective.as_ref()?)))
        .collect();
    html! {
        @if let Some((_, first)) = found.first() {
            h3 { "Keeping the surest" }
            p {
                "If the cases whose probability lies nearest to the threshold of any (" (first.rule) ", " (first.chosen_on.words())
                ") are left to a reader: how many of the answers on the others are wrong. A curve that does not rise to the right says \
                 that this sureness is worth nothing."
            }
            div class="charts" { @for (unit, selective) in &found { (charts::selective(selective, unit)) } }
            @for (unit, selective) in &found { (figures(selective, unit)) }
        }
    }
}

fn figures(found: &Selective, unit: &str) -> Markup {
    let columns = [
        table::words("Kept"),
        table::number("Wrong among them"),
        table::number("95 % interval"),
    ];
    let risk = &found.risk;
    let with_interval = |kept: f64| {
        let of_marks = risk.at.iter().find(|at| (at.coverage - kept).abs() < 1e-9);
        of_marks.and_then(|at| at.risk)
    };
    let rows: Vec<Vec<Markup>> = (1..=10_u8)
        .filter_map(|tenth| {
            let kept = f64::from(tenth) / 10.0;
            let estimate = if tenth == 10 {
                risk.full_risk
            } else {
                with_interval(kept)
            };
            let wrong = match estimate {
                Some(e) => e.value,
                None => charts::kept(&risk.curve, kept)?.risk,
            };
            let range = estimate.as_ref().and_then(range);
            let range = range.unwrap_or_else(|| "–".to_owned());
            Some(vec![
                table::cell(percent(kept, 0)),
                table::cell(percent(wrong, 1)),
                table::cell(range),
            ])
        })
        .collect();
    table::folded(
        &format!("wrong answers against the share kept, {unit}"),
        &table::cell("The surest cases first; intervals where they were computed."),
        &columns,
        &rows,
    )
}
