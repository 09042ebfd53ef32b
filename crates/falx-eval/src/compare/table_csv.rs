//! The experiment table as a CSV: one row an entry.

use super::csv::quoted;
use super::{Comparison, EntryScores, RunFacts};
use crate::Estimate;

/// A column: its name, and what stands in it.
type Column = (&'static str, fn(&Comparison, &EntryScores) -> String);

/// What is known of runs alone.
macro_rules! of_run {
    ($give:expr) => {
        |_, entry| entry.run.as_ref().map_or_else(String::new, $give)
    };
}

const COLUMNS: [Column; 38] = [
    ("entry", |_, entry| entry.name.clone()),
    ("network", of_run!(|run| run.network.clone())),
    ("parameters", of_run!(|run| run.parameters.to_string())),
    (
        "trained_parameters",
        of_run!(|run| run.trained_parameters.to_string()),
    ),
    (
        "multiply_adds",
        of_run!(|run| run.multiply_adds.to_string()),
    ),
    (
        "input",
        of_run!(|run| run.input.map(|n| n.to_string()).join("x")),
    ),
    ("engine", of_run!(|run| run.engine.clone())),
    ("sampling", of_run!(|run| run.sampling.clone())),
    ("augmentation", of_run!(|run| run.augmentation.clone())),
    ("loss", of_run!(|run| run.loss.clone())),
    (
        "training_slices",
        of_run!(|run| run.training.slices.to_string()),
    ),
    (
        "training_patients",
        of_run!(|run| run.training.patients.to_string()),
    ),
    (
        "validation_slices",
        of_run!(|run| run.validation.slices.to_string()),
    ),
    (
        "validation_patients",
        of_run!(|run| run.validation.patients.to_string()),
    ),
    (
        "judged_on",
        of_run!(|run| run.judged_part.words().to_owned()),
    ),
    (
        "judged_slices",
        of_run!(|run| run.judged.slices.to_string()),
    ),
    (
        "judged_patients",
        of_run!(|run| run.judged.patients.to_string()),
    ),
    (
        "epochs_planned",
        of_run!(|run| run.epochs_planned.to_string()),
    ),
    ("epochs", of_run!(|run| run.epochs.len().to_string())),
    ("best_epoch", of_run!(|run| number(run.best_epoch))),
    (
        "best_training_loss",
        of_run!(|run| number(run.best().map(|line| line.training_loss))),
    ),
    (
        "best_validation_loss",
        of_run!(|run| number(run.best().map(|line| line.validation_loss))),
    ),
    (
        "validation_no_skill",
        of_run!(|run| number(run.best().map(|line| line.validation_baseline))),
    ),
    (
        "last_training_loss",
        of_run!(|run| number(run.last().map(|line| line.training_loss))),
    ),
    (
        "training_no_skill",
        of_run!(|run| number(run.training_baseline)),
    ),
    ("training_seconds", of_run!(|run| timed(run, 0))),
    ("validation_seconds", of_run!(|run| timed(run, 1))),
    ("slices_per_second", of_run!(|run| timed(run, 2))),
    ("waiting_share", of_run!(|run| timed(run, 3))),
    (
        "timing_is_whole",
        of_run!(|run| number(run.timing.map(|timing| timing.is_whole))),
    ),
    ("compared", |c, _| c.slices.to_string()),
    ("compared_patients", |c, _| c.patients.to_string()),
    ("weighted_log_loss", |_, entry| {
        number(Some(entry.evaluation.weighted_log_loss.value))
    }),
    ("low", |_, entry| {
        number(entry.evaluation.weighted_log_loss.low)
    }),
    ("high", |_, entry| {
        number(entry.evaluation.weighted_log_loss.high)
    }),
    ("no_skill", |_, entry| {
        let reference = entry.evaluation.baselines.first();
        number(reference.map(|b| b.weighted_log_loss))
    }),
    ("skill", |_, entry| {
        let reference = entry.evaluation.baselines.first();
        estimate(reference.and_then(|b| b.skill.as_ref()))
    }),
    ("auc_any", |_, entry| {
        let any = entry.evaluation.labels.last();
        estimate(any.and_then(|label| label.auc.as_ref()))
    }),
];

/// One row an entry: what it was where it is a run, and what it scored.
pub(super) fn table(c: &Comparison) -> String {
    let head = COLUMNS.map(|(name, _)| name.to_owned()).join(",");
    let rows = c.entries.iter().map(|entry| {
        let cells = COLUMNS.map(|(_, give)| quoted(&give(c, entry)));
        cells.join(",")
    });
    let lines: Vec<String> = std::iter::once(head).chain(rows).collect();
    lines.join("\n") + "\n"
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn estimate(estimate: Option<&Estimate>) -> String {
    number(estimate.map(|e| e.value))
}

/// One of the times; nothing where it is not known.
fn timed(run: &RunFacts, which: usize) -> String {
    let of = |t: super::RunTiming| {
        let all = [
            t.training_seconds,
            t.validation_seconds,
            t.slices_per_second,
            t.waiting_share,
        ];
        all.get(which).copied()
    };
    number(run.timing.and_then(of))
}
