//! The flags of `falx train` that look before a run.

use clap::Args;

/// What to find out before a run.
#[derive(Debug, Args)]
pub struct BeforeRun {
    /// Train nothing but find a learning rate: one step a rate, from 1e-7 to 1, until the loss grows. Writes
    /// `learning_rate.json` and `learning_rate.html`.
    #[arg(long, conflicts_with_all = ["find_batch", "resume"])]
    pub find_lr: bool,
    /// How many rates to try.
    #[arg(long, default_value_t = 100, value_name = "N", requires = "find_lr", value_parser = clap::value_parser!(u32).range(10..=10_000))]
    pub find_steps: u32,
    /// Train nothing but find a batch: some steps of 1, 2, 4 and so on slices, until they are no faster or do not fit.
    /// Writes `batch_size.json`.
    #[arg(long, conflicts_with = "resume")]
    pub find_batch: bool,
    /// The most memory that a batch may take this process to, in MiB. [default: what the machine has available]
    #[arg(long, value_name = "MIB", requires = "find_batch", value_parser = clap::value_parser!(u32).range(16..))]
    pub memory: Option<u32>,
}
