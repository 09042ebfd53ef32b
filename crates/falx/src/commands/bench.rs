//! `falx bench`

use falx_bench::{EvaluateBenchOptions, IndexBenchOptions, IoOptions};

use super::Context;
use crate::cli::{Bench, BenchEvaluate, BenchIndex, BenchIo, BenchPeer, EvaluatePeer};
use crate::output::Outcome;

pub fn run(arguments: &Bench, context: &Context) -> anyhow::Result<Outcome> {
    match arguments {
        Bench::Io(arguments) => io(arguments, context),
        Bench::Index(arguments) => index(arguments, context),
        Bench::Evaluate(arguments) => evaluate(arguments, context),
    }
}

fn evaluate(arguments: &BenchEvaluate, context: &Context) -> anyhow::Result<Outcome> {
    let options = EvaluateBenchOptions {
        table: arguments.table.clone(),
        slices: arguments.slices.map(Into::into),
        python: arguments
            .peer
            .map(|EvaluatePeer::Numpy| arguments.python.clone()),
        draws: arguments.draws,
        peer_draws: arguments.peer_draws,
        rounds: arguments.rounds.get(),
        files: arguments.files,
        threads: context.threads,
        seed: arguments.seed,
    };
    let report = falx_bench::evaluate(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(report.to_text(), &report)
}

fn index(arguments: &BenchIndex, context: &Context) -> anyhow::Result<Outcome> {
    let options = IndexBenchOptions {
        sources: arguments.sources.clone(),
        python: arguments
            .peer
            .map(|BenchPeer::Python| arguments.python.clone()),
        rounds: arguments.rounds.get(),
        entries: arguments.entries.map(Into::into),
        folder: arguments.folder.clone(),
        threads: context.threads,
    };
    let report = falx_bench::index(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(report.to_text(), &report)
}

fn io(arguments: &BenchIo, context: &Context) -> anyhow::Result<Outcome> {
    let options = IoOptions {
        sources: arguments.sources.clone(),
        python: arguments
            .peer
            .map(|BenchPeer::Python| arguments.python.clone()),
        size: arguments.size,
        rounds: arguments.rounds.get(),
        memory_files: arguments.memory_files.map(Into::into),
        threads: context.threads,
    };
    let report = falx_bench::io(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(report.to_text(), &report)
}
