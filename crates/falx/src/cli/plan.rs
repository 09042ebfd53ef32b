//! The arguments of `falx plan`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use falx_nn::EngineKind;
use falx_train::Change;

/// `falx plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// The recipe; relative paths in it start at its folder.
    pub recipe: PathBuf,
    /// The index to learn from, instead of the recipe's.
    #[arg(long, value_name = "PARQUET")]
    pub index: Option<PathBuf>,
    /// Its split, instead of the recipe's.
    #[arg(long, value_name = "PARQUET")]
    pub split: Option<PathBuf>,
    /// A cache of the index (`falx cache`), instead of the recipe's.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// The fold that chooses the best epoch, instead of the recipe's.
    #[arg(long, value_name = "K")]
    pub fold: Option<u32>,
    /// Change a value of the recipe, such as `input.size=256`. May be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Change::from_str)]
    pub changes: Vec<Change>,
    /// What computes, as in `falx train`.
    #[arg(long, default_value_t = EngineKind::default(), value_parser = EngineKind::from_str, value_name = "ENGINE")]
    pub engine: EngineKind,
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
