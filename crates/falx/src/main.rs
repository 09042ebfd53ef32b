//! The `falx` command: maps arguments to one call, prints what it gives, and exits by the table in [`exit`].

mod cli;
mod commands;
mod exit;
mod output;
mod reporter;

use std::process::ExitCode;

use clap::Parser;
use falx_core::Interrupt;
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Common};
use crate::exit::Exit;

/// Training takes and gives back large buffers at every step; the system's allocator hands each back to the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
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
    let as_json = cli.common.json;
    output::print(
        start_threads(&cli.common).and_then(|()| {
            let context = commands::Context {
                progress: reporter::reporter(cli.common.quiet),
                interrupt: hear_ctrl_c()?,
                threads: rayon::current_num_threads(),
            };
            commands::run(cli.command, &context)
        }),
        as_json,
    )
}

fn start_log(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("FALX_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}

fn start_threads(common: &Common) -> anyhow::Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(common.threads.map_or(0, Into::into))
        .build_global()?;
    Ok(())
}

/// The first Ctrl-C asks the work to save and stop; a second one ends the process at once.
fn hear_ctrl_c() -> anyhow::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let heard = interrupt.clone();
    ctrlc::set_handler(move || {
        if heard.is_requested() {
            std::process::exit(Exit::NotFine.code().into());
        }
        eprintln!("stopping at the next safe point (Ctrl-C again to stop at once)");
        heard.request();
    })?;
    Ok(interrupt)
}
