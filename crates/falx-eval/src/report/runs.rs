//! What the compared runs were, and how their training went.

use maud::{Markup, html};

use super::charts::{self, Lines};
use super::{TrainingCurve, table};
use crate::compare::{
    Comparison, EntryScores, EpochLosses, RunFacts, Slices, WHAT_LOSSES_ARE, loss_remark, scaled,
};
use crate::text::{count, thousands, value};

type Run<'a> = (&'a EntryScores, &'a RunFacts);

/// The sections about runs, by address and title; none where no entry is a run.
pub(super) fn sections(c: &Comparison) -> Vec<(&'static str, &'static str, Markup)> {
    let runs: Vec<Run<'_>> = c
        .entries
        .iter()
        .filter_map(|entry| Some((entry, entry.run.as_ref()?)))
        .collect();
    if runs.is_empty() {
        return Vec::new();
    }
    vec![
        ("runs", "What the runs were", facts(c, &runs)),
        ("training", "How training went", curves(&runs)),
    ]
}

fn facts(c: &Comparison, runs: &[Run<'_>]) -> Markup {
    let rows = |row: fn(&Run<'_>) -> Vec<Markup>| runs.iter().map(row).collect::<Vec<_>>();
    html! {
        h3 { "What was trained" }
        (table::table(
            "What was trained",
            &table::cell("Weights: those that learnt, of all. Multiply-adds: of one image’s way forward at its input size."),
            &[
                table::words("Run"),
                table::words("Network"),
                table::number("Weights"),
                table::number("Multiply-adds"),
                table::number("Input"),
                table::words("Engine"),
                table::number("Epochs"),
                table::number("Training time"),
                table::number("Slices/s"),
            ],
            &rows(trained),
        ))
        h3 { "On which slices" }
        (table::table(
            "On which slices",
            &table::cell("Slices with a label, their patients below. Whoever chose the epoch cannot judge it fairly."),
            &[
                table::words("Run"),
                table::number("Learnt from"),
                table::number("Epoch chosen on"),
                table::number("Judged on"),
                table::words("Which is the"),
                table::words("Resampled"),
                table::words("Augmented"),
            ],
            &rows(slices),
        ))
        h3 { "Losses, each called what it is" }
        (table::table(
            "Losses, each called what it is",
            &table::cell("Lower is better; no skill below each. Losses of different columns are of different slices."),
            &[
                table::words("Run"),
                table::number("Training loss, best epoch"),
                table::number("Training loss, last epoch"),
                table::number("Validation loss, best epoch"),
                table::number("Judged loss"),
                table::words("Judged on"),
            ],
            &rows(losses),
        ))
        @for line in WHAT_LOSSES_ARE { p class="how" { (line) } }
        @if let Some(line) = loss_remark(c) { p class="how" { (line) } }
    }
}

fn trained((entry, run): &Run<'_>) -> Vec<Markup> {
    let [training, validation] = run.time();
    let best = run.best_epoch.map(|epoch| format!("best {epoch}"));
    let validation = run.timing.map(|_| format!("validation {validation}"));
    vec![
        table::cell(&entry.name),
        table::cell(&run.network),
        table::cell(run.weights()),
        table::cell(scaled(run.multiply_adds)),
        table::cell(run.shape()),
        table::cell(&run.engine),
        with_remark(&run.epochs_run(), best.as_deref()),
        with_remark(&training, validation.as_deref()),
        table::cell(run.speed()),
    ]
}

/// A value, and what is to be said of it below.
fn with_remark(value: &str, remark: Option<&str>) -> Markup {
    html! {
        span class="value" { (value) }
        @if let Some(remark) = remark { span class="interval" { (remark) } }
    }
}

fn slices((entry, run): &Run<'_>) -> Vec<Markup> {
    let of = |part: Slices| {
        let patients = count(part.patients, "patient");
        with_remark(&thousands(part.slices), Some(&patients))
    };
    vec![
        table::cell(&entry.name),
        of(run.training),
        of(run.validation),
        of(run.judged),
        table::cell(run.judged_part.words()),
        table::cell(&run.sampling),
        table::cell(&run.augmentation),
    ]
}

fn losses((entry, run): &Run<'_>) -> Vec<Markup> {
    let loss = |loss: Option<f64>, no_skill: Option<f64>| {
        let Some(loss) = loss else {
            return html! { span class="none" { "none" } };
        };
        let no_skill = no_skill.map_or_else(|| "not known".to_owned(), |b| value(b, 4, false));
        with_remark(
            &value(loss, 4, false),
            Some(&format!("no skill {no_skill}")),
        )
    };
    let (best, last) = (run.best(), run.last());
    let judged = &entry.evaluation;
    let reference = judged.baselines.first();
    vec![
        table::cell(&entry.name),
        loss(best.map(|line| line.training_loss), run.training_baseline),
        loss(last.map(|line| line.training_loss), run.training_baseline),
        loss(
            best.map(|line| line.validation_loss),
            best.map(|line| line.validation_baseline),
        ),
        loss(
            Some(judged.weighted_log_loss.value),
            reference.map(|b| b.weighted_log_loss),
        ),
        table::cell(run.judged_part.words()),
    ]
}

/// One drawing for each kind of loss, all runs in it.
fn curves(runs: &[Run<'_>]) -> Markup {
    let of = |value: fn(&EpochLosses) -> f64, baseline: fn(&RunFacts) -> Option<f64>| {
        let curves = runs.iter().map(|(entry, run)| TrainingCurve {
            name: entry.name.clone(),
            points: run
                .epochs
                .iter()
                .map(|line| (line.epoch as f64, value(line)))
                .collect(),
            baseline: baseline(run),
        });
        curves.collect::<Vec<_>>()
    };
    let drawings = [
        (
            "Training loss",
            "On training slices as they were shown: no score.",
            of(|line| line.training_loss, |run| run.training_baseline),
        ),
        (
            "Validation loss",
            "The weighted log loss on the fold that chose the epoch.",
            of(
                |line| line.validation_loss,
                |run| run.last().map(|line| line.validation_baseline),
            ),
        ),
    ];
    html! {
        div class="charts" {
            @for (title, on, curves) in &drawings {
                @let lines: Vec<&TrainingCurve> = curves.iter().collect();
                div {
                    h3 { (title) }
                    p class="how" { (on) }
                    (charts::lines(&Lines {
                        title,
                        label: &title.to_lowercase(),
                        curves: &lines,
                        along: "epoch",
                        measured: "loss",
                        multiplies: false,
                        marks: &[],
                    }))
                }
            }
        }
    }
}
