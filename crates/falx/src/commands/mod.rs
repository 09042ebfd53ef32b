//! One file a command: arguments in, one call, an [`Outcome`].

mod audit;
mod augment_preview;
mod bench;
mod cache;
mod compare;
mod demo;
mod dicom;
mod evaluate;
mod explain;
mod index;
mod lint_submission;
mod model;
mod models;
mod phantom;
mod plan;
mod predict;
mod sources;
mod split;
mod train;
mod worklist_sim;

use falx_core::{Interrupt, Progress};

use crate::cli::Command;
use crate::output::Outcome;

/// What every command may use.
pub struct Context {
    /// Where progress is told.
    pub progress: Box<dyn Progress>,
    /// Whether somebody asked to stop.
    pub interrupt: Interrupt,
    /// Threads to use.
    pub threads: usize,
}

/// Runs one command.
///
/// # Errors
/// When the input is unusable and nothing was done.
pub fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments, context),
        Command::Phantom(arguments) => phantom::run(&arguments, context),
        Command::Index(arguments) => index::run(&arguments, context),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::AugmentPreview(arguments) => augment_preview::run(&arguments),
        Command::Split(arguments) => split::run(&arguments),
        Command::Cache(arguments) => cache::run(&arguments, context),
        Command::Plan(arguments) => plan::run(&arguments, context),
        Command::Train(arguments) => train::run(&arguments, context),
        Command::Evaluate(arguments) => evaluate::run(&arguments, context),
        Command::Compare(arguments) => compare::run(&arguments, context),
        Command::Predict(arguments) => predict::run(&arguments, context),
        Command::Explain(arguments) => explain::run(&arguments, context),
        Command::Dicom(arguments) => dicom::run(&arguments, context),
        Command::Models(arguments) => models::run(&arguments, context),
        Command::Bench(arguments) => bench::run(&arguments, context),
        Command::LintSubmission(arguments) => lint_submission::run(&arguments),
        Command::WorklistSim(arguments) => worklist_sim::run(&arguments),
    }
}
