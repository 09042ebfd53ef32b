//! `falx bench`

mod io;
mod python;
mod report;

use super::Context;
use crate::cli::Bench;
use crate::output::Outcome;

pub fn run(arguments: &Bench, context: &Context) -> anyhow::Result<Outcome> {
    match arguments {
        Bench::Io(arguments) => {
            let report = io::measure(arguments, context)?;
            Outcome::done(report.to_text(), &report)
        }
    }
}
