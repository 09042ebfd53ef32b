//! `falx train`

use falx_train::{Recipe, TrainOptions, train};

use super::Context;
use crate::cli::Train;
use crate::output::Outcome;

pub fn run(arguments: &Train, context: &Context) -> anyhow::Result<Outcome> {
    let recipe = Recipe::read(&arguments.recipe)?;
    let options = TrainOptions {
        out: arguments.out.clone(),
        resume: arguments.resume,
        threads: context.threads,
    };
    let summary = train(
        &recipe,
        &options,
        context.progress.as_ref(),
        &context.interrupt,
    )?;
    Ok(Outcome::done(summary.to_text(), &summary)?.fine_if(summary.finished))
}
