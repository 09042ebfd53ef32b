//! `falx split`

use falx_data::index::Index;
use falx_data::split::{SplitOptions, split};

use crate::cli::Split;
use crate::output::Outcome;

pub fn run(arguments: &Split) -> anyhow::Result<Outcome> {
    let index = Index::read(&arguments.index)?;
    let options = SplitOptions {
        folds: arguments.folds,
        test_fraction: arguments.test_fraction,
        seed: arguments.seed,
    };
    let split = split(&index, &options)?;
    split.write(&arguments.out)?;
    Outcome::done(split.to_text(&index), &split.summary(&index))
}
