//! The arguments of `falx plan`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::train::Asked;

/// `falx plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// The recipe; relative paths in it start at its folder.
    pub recipe: PathBuf,
    /// What of the recipe is otherwise, and what computes.
    #[command(flatten)]
    pub asked: Asked,
    /// Another machine: a file with some of `threads`, `loader_slices_per_second`, `step_slices_per_second`, `memory_gib`,
    /// `disk_mb_per_second`. What it leaves out is this machine's.
    #[arg(long, value_name = "TOML")]
    pub machine: Option<PathBuf>,
    /// Labelled slices of the data to foretell, besides those at hand. [default: RSNA 2019, stage 2]
    #[arg(long, default_value = "752803", value_name = "N")]
    pub slices: NonZeroU32,
    /// Steps to measure, for each phase of the recipe.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub steps: u32,
}
