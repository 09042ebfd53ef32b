//! `falx evaluate`

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use falx_eval::report::{Report, write_html};
use falx_eval::{Evaluation, Scale};
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
    let html = arguments.html.as_deref();
    if arguments.what.is_dir() {
        if arguments.logits {
            bail!(
                "{}: a run's own predictions are probabilities; give --logits with a predictions.csv",
                arguments.what.display()
            );
        }
        let folder = RunFolder::new(&arguments.what);
        let run = evaluate_run(&folder, &options, progress)?;
        return outcome(&run.evaluation, || Ok(report(&run)?), html);
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
        scale: if arguments.logits {
            Scale::Logits
        } else {
            Scale::Probabilities
        },
    };
    let judged = evaluate_predictions(&files, &options, progress)?;
    outcome(&judged.evaluation, || Ok(judged.report()), html)
}

fn outcome(
    evaluation: &Evaluation,
    report: impl FnOnce() -> anyhow::Result<Report>,
    html: Option<&Path>,
) -> anyhow::Result<Outcome> {
    let mut text = evaluation.to_text();
    if let Some(path) = html {
        write_html(&report()?, path)?;
        let _ = write!(text, "\n\nreport: {}", path.display());
    }
    Outcome::done(text, evaluation)
}
