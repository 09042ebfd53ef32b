//! `falx train`

use falx_train::{
    FindOptions, RateTest, Recipe, TrainOptions, find_batch_size, find_learning_rate, train,
};

use super::Context;
use crate::cli::Train;
use crate::output::Outcome;

pub fn run(arguments: &Train, context: &Context) -> anyhow::Result<Outcome> {
    let recipe = Recipe::read(&arguments.recipe)?;
    if arguments.find.find_lr || arguments.find.find_batch {
        return find(&recipe, arguments, context);
    }
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

fn find(recipe: &Recipe, arguments: &Train, context: &Context) -> anyhow::Result<Outcome> {
    let options = FindOptions {
        out: arguments.out.clone(),
        threads: context.threads,
    };
    let (progress, interrupt) = (context.progress.as_ref(), &context.interrupt);
    let asked = &arguments.find;
    if asked.find_lr {
        let test = RateTest {
            steps: asked.find_steps as usize,
            ..RateTest::default()
        };
        let report = find_learning_rate(recipe, &test, &options, progress, interrupt)?;
        let is_found = report.finding.suggestion.is_some();
        return Ok(Outcome::done(report.to_text(), &report)?.fine_if(is_found));
    }
    let memory = asked.memory.map(f64::from);
    let report = find_batch_size(recipe, memory, &options, progress, interrupt)?;
    let is_found = report.finding.suggestion.is_some();
    Ok(Outcome::done(report.to_text(), &report)?.fine_if(is_found))
}
