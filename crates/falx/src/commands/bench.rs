//! `falx bench`

use falx_bench::IoOptions;

use super::Context;
use crate::cli::{Bench, BenchIo, BenchPeer};
use crate::output::Outcome;

pub fn run(arguments: &Bench, context: &Context) -> anyhow::Result<Outcome> {
    match arguments {
        Bench::Io(arguments) => io(arguments, context),
    }
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
