//! The `falx` command: maps arguments to one call, prints what it gives, and exits by the table in [`exit`].

mod cli;
mod commands;
mod emphasis;
mod exit;
mod output;
mod reporter;

use std::process::ExitCode;

use clap::Parser;
use falx_core::Interrupt;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::cli::{Cli, Common};
use crate::exit::Exit;

/// Training takes and gives back large buffers at every step; the system's allocator hands each back to the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse().and_then(Cli::checked) {
        Ok(cli) => cli,
        Err(error) => {
            // Asking for help or the version is no mistake; clap knows which is which.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            let _ = error.print();
            return exit.into();
        }
    };
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("falx has a bug: {panic}");
        eprintln!(
            "Please report this with the command you ran. What was written before is intact."
        );
    }));
    std::panic::catch_unwind(|| run(cli))
        .unwrap_or(Exit::Bug)
        .into()
}

fn run(cli: Cli) -> Exit {
    start_log(&cli.common);
    let interrupt = Interrupt::default();
    let result =
        prepare(&cli.common, &interrupt).and_then(|context| commands::run(cli.command, &context));
    output::print(result, cli.common.json, interrupt.is_requested())
}

fn prepare(common: &Common, interrupt: &Interrupt) -> anyhow::Result<commands::Context> {
    hear_ctrl_c(interrupt.clone())?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(common.threads.map_or(0, Into::into))
        .build_global()?;
    Ok(commands::Context {
        progress: reporter::reporter(common.quiet),
        interrupt: interrupt.clone(),
        threads: rayon::current_num_threads(),
    })
}

fn start_log(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let asked = std::env::var("FALX_LOG").ok();
    let asked: Option<Targets> = asked.and_then(|targets| targets.parse().ok());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time();
    tracing_subscriber::registry()
        .with(lines)
        .with(asked.unwrap_or_else(|| Targets::new().with_default(level)))
        .init();
}

/// The first Ctrl-C asks the work to save and stop; a second one ends the process at once.
fn hear_ctrl_c(interrupt: Interrupt) -> anyhow::Result<()> {
    ctrlc::set_handler(move || {
        if interrupt.is_requested() {
            std::process::exit(Exit::NotFine.code().into());
        }
        eprintln!("stopping at the next safe point (Ctrl-C again to stop at once)");
        interrupt.request();
    })?;
    Ok(())
}
