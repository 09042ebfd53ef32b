//! `falx evaluate`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use atomic_write_file::AtomicWriteFile;
use falx_eval::report::{Report, write_html};
use falx_eval::{Evaluation, model_card, tables};
use falx_train::{
    JudgeOptions, PredictionFiles, RunFolder, evaluate_predictions, evaluate_run, report,
};

use super::Context;
use crate::cli::Evaluate;
use crate::output::Outcome;

pub fn run(arguments: &Evaluate, context: &Context) -> anyhow::Result<Outcome> {
    let progress = context.progress.as_ref();
    let options = JudgeOptions {
        replicates: arguments.replicates,
        seed: arguments.seed,
        aggregation: arguments.aggregation,
        groups: arguments.groups.as_deref(),
    };
    if arguments.what.is_dir() {
        if let Some(flag) = arguments.scale.flag() {
            bail!(
                "{}: a run's own predictions are probabilities; give {flag} with a predictions.csv",
                arguments.what.display()
            );
        }
        let folder = RunFolder::new(&arguments.what);
        let run = evaluate_run(&folder, &options, progress)?;
        return outcome(&run.evaluation, || Ok(report(&run)?), arguments);
    }
    if !arguments.what.exists() {
        bail!(
            "{}: no such file or folder; give a run's folder or a predictions.csv",
            arguments.what.display()
        );
    }
    let files = PredictionFiles {
        predictions: &arguments.what,
        labels: arguments.labels.as_deref(),
        index: arguments.index.as_deref(),
        development: arguments.development.as_deref(),
        scale: arguments.scale.scale(),
    };
    let judged = evaluate_predictions(&files, &options, progress)?;
    outcome(&judged.evaluation, || Ok(judged.report()), arguments)
}

fn outcome(
    evaluation: &Evaluation,
    report: impl FnOnce() -> anyhow::Result<Report>,
    arguments: &Evaluate,
) -> anyhow::Result<Outcome> {
    let mut text = evaluation.to_text();
    let (html, tables, card) = (
        arguments.html.as_deref(),
        arguments.tables.as_deref(),
        arguments.model_card.as_deref(),
    );
    if html.or(tables).or(card).is_some() {
        // A run's report has pictures, which take time: it is made only where something is written of it.
        let report = report()?;
        if let Some(path) = html {
            write_html(&report, path)?;
            let _ = write!(text, "\n\nreport: {}", path.display());
        }
        if let Some(folder) = tables {
            let files = tables::write(&report.evaluation, folder)?.len()
                + tables::write_checklists(&report.provenance, &report.evaluation, folder)?.len();
            let _ = write!(text, "\n\ntables: {files} files in {}", folder.display());
        }
        if let Some(path) = card {
            write_card(&report, path)?;
            let _ = write!(text, "\n\nmodel card: {}", path.display());
        }
    }
    Outcome::done(text, evaluation)
}

fn write_card(report: &Report, path: &Path) -> anyhow::Result<()> {
    let card = model_card::markdown(&report.title, &report.provenance, &report.evaluation);
    let write = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(card.as_bytes())?;
        file.commit()
    };
    write().with_context(|| {
        format!(
            "cannot write the model card {}; choose a folder that exists and is writable",
            path.display()
        )
    })
}
