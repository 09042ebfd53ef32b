//! What the runs were, as the command line prints it: what was trained, on which slices, and how far it came.

use std::fmt::Write as _;

use super::runs::{Slices, WHAT_LOSSES_ARE, loss_remark, remark, scaled};
use super::{Comparison, EntryScores, RunFacts};
use crate::text::{thousands, value};

/// The tables; nothing where no entry is a run.
pub(super) fn runs(out: &mut String, c: &Comparison) {
    let runs: Vec<(&EntryScores, &RunFacts)> = c
        .entries
        .iter()
        .filter_map(|entry| Some((entry, entry.run.as_ref()?)))
        .collect();
    if runs.is_empty() {
        return;
    }
    out.push_str("\nWhat was trained\n");
    table(
        out,
        &[
            "entry",
            "network",
            "weights",
            "mult-adds",
            "input",
            "engine",
            "epochs",
            "best",
            "training",
            "validation",
            "slices/s",
        ],
        runs.iter()
            .map(|(entry, run)| trained(entry, run))
            .collect(),
    );
    out.push_str("\nOn which slices (patients)\n");
    table(
        out,
        &[
            "entry",
            "learnt from",
            "epoch chosen on",
            "judged on",
            "",
            "resampled",
            "augmented",
        ],
        runs.iter().map(|(entry, run)| slices(entry, run)).collect(),
    );
    out.push_str("\nLosses, each called what it is\n");
    table(
        out,
        &[
            "entry",
            "best epoch: training",
            "no skill",
            "validation",
            "no skill",
            "last epoch: training",
            "judged",
            "no skill",
            "on",
        ],
        runs.iter().map(|(entry, run)| losses(entry, run)).collect(),
    );
    for line in WHAT_LOSSES_ARE {
        let _ = writeln!(out, "{line}");
    }
    for line in [loss_remark(c), remark(c)].into_iter().flatten() {
        let _ = writeln!(out, "{line}");
    }
}

fn trained(entry: &EntryScores, run: &RunFacts) -> Vec<String> {
    let [training, validation] = run.time();
    vec![
        entry.name.clone(),
        run.network.clone(),
        run.weights(),
        scaled(run.multiply_adds),
        run.shape(),
        run.engine.clone(),
        run.epochs_run(),
        run.best_epoch.map_or_else(dash, |epoch| epoch.to_string()),
        training,
        validation,
        run.speed(),
    ]
}

fn slices(entry: &EntryScores, run: &RunFacts) -> Vec<String> {
    let of = |part: Slices| format!("{} ({})", thousands(part.slices), thousands(part.patients));
    vec![
        entry.name.clone(),
        of(run.training),
        of(run.validation),
        of(run.judged),
        run.judged_part.words().to_owned(),
        run.sampling.clone(),
        run.augmentation.clone(),
    ]
}

fn losses(entry: &EntryScores, run: &RunFacts) -> Vec<String> {
    let loss = |loss: Option<f64>| loss.map_or_else(dash, |loss| value(loss, 4, false));
    let (best, last) = (run.best(), run.last());
    let judged = &entry.evaluation;
    vec![
        entry.name.clone(),
        loss(best.map(|line| line.training_loss)),
        loss(run.training_baseline),
        loss(best.map(|line| line.validation_loss)),
        loss(best.map(|line| line.validation_baseline)),
        loss(last.map(|line| line.training_loss)),
        loss(Some(judged.weighted_log_loss.value)),
        loss(judged.baselines.first().map(|b| b.weighted_log_loss)),
        run.judged_part.words().to_owned(),
    ]
}

fn dash() -> String {
    "–".to_owned()
}

/// Columns as wide as their widest cell.
fn table(out: &mut String, head: &[&str], rows: Vec<Vec<String>>) {
    let head = head.iter().map(|&name| name.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
}
