//! `falx evaluate`

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use falx_eval::report::{Report, write_html};
use falx_eval::{Evaluation, Scale};
use falx_train::{PredictionFiles, RunFolder, evaluate_predictions, evaluate_run, report};

use super::Context;
use crate::cli::Evaluate;
use crate::output::Outcome;

pub fn run(arguments: &Evaluate, context: &Context) -> anyhow::Result<Outcome> {
    let progress = context.progress.as_ref();
    if arguments.what.is_dir() {
        if arguments.logits {
            bail!(
                "{}: a run's own predictions are probabilities; give --logits with a predictions.csv",
                arguments.what.display()
            );
        }
        let folder = RunFolder::new(&arguments.what);
        let run = evaluate_run(&folder, arguments.replicates, arguments.seed, progress)?;
        return outcome(
            &run.evaluation,
            || Ok(report(&run)?),
            arguments.html.as_deref(),
        );
    }
    let Some(labels) = &arguments.labels else {
        if !arguments.what.exists() {
            bail!(
                "{}: no such file or folder; give a run's folder or a predictions.csv",
                arguments.what.display()
            );
        }
        bail!(
            "{}: predictions need a truth to be judged; give it with --labels",
            arguments.what.display()
        );
    };
    let files = PredictionFiles {
        predictions: &arguments.what,
        labels,
        index: arguments.index.as_deref(),
        scale: if arguments.logits {
            Scale::Logits
        } else {
            Scale::Probabilities
        },
    };
    let judged = evaluate_predictions(&files, arguments.replicates, arguments.seed, progress)?;
    outcome(
        &judged.evaluation,
        || Ok(judged.report()),
        arguments.html.as_deref(),
    )
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
