//! `falx bench`

use falx_bench::{
    EvaluateBenchOptions, IndexBenchOptions, InferBenchOptions, InferReport, IoOptions,
    LoaderBenchOptions, ResidentOptions, StudyBenchOptions, TrainBenchOptions,
};

use falx_infer::RuntimeKind;

use super::Context;
use crate::cli::{
    Bench, BenchEvaluate, BenchIndex, BenchInfer, BenchIo, BenchLoader, BenchPeer, BenchTrain,
    EvaluatePeer, InferPeer, LoaderPeer, TrainPeer,
};
use crate::output::Outcome;

pub fn run(arguments: &Bench, context: &Context) -> anyhow::Result<Outcome> {
    match arguments {
        Bench::Io(arguments) => io(arguments, context),
        Bench::Index(arguments) => index(arguments, context),
        Bench::Evaluate(arguments) => evaluate(arguments, context),
        Bench::Loader(arguments) => loader(arguments, context),
        Bench::Train(arguments) => train(arguments, context),
        Bench::Infer(arguments) => infer(arguments, context),
    }
}

fn infer(arguments: &BenchInfer, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(kind) = arguments.serve {
        if arguments.study {
            falx_bench::serve_studies(kind)?;
        } else {
            falx_bench::serve_inference(kind)?;
        }
        return Outcome::done("", &());
    }
    let all = || RuntimeKind::ALL.into_iter().filter(|kind| kind.is_built());
    let runtimes = if arguments.runtime.is_empty() {
        all().collect()
    } else {
        arguments.runtime.clone()
    };
    let peer = arguments.peer;
    let python = peer.map(|InferPeer::Python| arguments.python.clone());
    let (network, rounds) = (arguments.network.clone(), arguments.rounds.get());
    if arguments.study {
        let options = StudyBenchOptions {
            network,
            size: arguments.size,
            slices: arguments.slices.get(),
            thin_slices: arguments.thin_slices,
            runtimes,
            python,
            rounds,
            threads: context.threads,
        };
        let progress = context.progress.as_ref();
        let report = falx_bench::study(&options, progress, &context.interrupt)?;
        return Outcome::done(report.to_text(), &report);
    }
    let options = InferBenchOptions {
        network,
        batches: arguments.batch.iter().map(|batch| batch.get()).collect(),
        size: arguments.size,
        runtimes,
        python,
        rounds,
        threads: context.threads,
    };
    let reports = falx_bench::infer(&options, context.progress.as_ref(), &context.interrupt)?;
    let text: Vec<String> = reports.iter().map(InferReport::to_text).collect();
    Outcome::done(text.join("\n"), &reports)
}

fn train(arguments: &BenchTrain, context: &Context) -> anyhow::Result<Outcome> {
    let options = TrainBenchOptions {
        network: arguments.network.clone(),
        engines: arguments.engine.clone(),
        size: arguments.size,
        batch: arguments.batch.get(),
        checkpoints: arguments.checkpoints,
        rounds: arguments.rounds.get(),
        steps: arguments.steps.get(),
        python: arguments
            .peer
            .map(|TrainPeer::Torch| arguments.python.clone()),
        threads: context.threads,
    };
    let report = falx_bench::train(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(report.to_text(), &report)
}

fn loader(arguments: &BenchLoader, context: &Context) -> anyhow::Result<Outcome> {
    let &BenchLoader {
        size, memory_mib, ..
    } = arguments;
    let (batch, threads) = (arguments.batch.get(), context.threads);
    if let Some(samples) = arguments.resident {
        let options = ResidentOptions {
            files: arguments.sources.clone(),
            samples: samples as usize,
            size,
            batch,
            memory_mib,
            threads,
        };
        let resident = falx_bench::resident(&options, &context.interrupt)?;
        return Outcome::done(format!("{resident:?}"), &resident);
    }
    let options = LoaderBenchOptions {
        sources: arguments.sources.clone(),
        python: arguments
            .peer
            .map(|LoaderPeer::Torch| arguments.python.clone()),
        size,
        batch,
        rounds: arguments.rounds.get(),
        images: arguments.images.get(),
        peer_images: arguments.peer_images.get(),
        samples: arguments.samples.map(|samples| samples as usize),
        memory_mib,
        threads,
    };
    let report = falx_bench::loader(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(report.to_text(), &report)
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
