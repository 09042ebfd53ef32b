//! The arguments of `falx train`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use falx_nn::EngineKind;
use falx_train::{Change, Folds};

use super::BeforeRun;

/// What a command takes instead of a recipe's own values, and what computes.
#[derive(Debug, Args)]
pub struct Asked {
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
    /// Change a value of the recipe, such as `training.epochs=2` or `augment=full`. May be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Change::from_str)]
    pub changes: Vec<Change>,
    /// What computes: `flex` (falx's own kernels on the processor), or `torch` (libtorch; a build with that feature),
    /// `torch:cuda` or `torch:cuda:1` on an NVIDIA card, with `:bf16` after it in mixed precision; `vulkan` or `metal` on
    /// graphics cards (builds with these features).
    #[arg(long, default_value_t = EngineKind::default(), value_parser = EngineKind::from_str, value_name = "ENGINE")]
    pub engine: EngineKind,
}

/// `falx train`
#[derive(Debug, Args)]
pub struct Train {
    /// The recipe; relative paths in it start at its folder.
    #[arg(required_unless_present = "schema")]
    pub recipe: Option<PathBuf>,
    /// The run's folder, or the cross-validation's; of a finder, another one.
    #[arg(long, value_name = "RUN", required_unless_present = "schema")]
    pub out: Option<PathBuf>,
    /// Train nothing but print the JSON schema of recipes, by which editors complete and check them.
    #[arg(long, conflicts_with_all = ["recipe", "out"])]
    pub schema: bool,
    /// Go on with the run that is there, as if it had never stopped.
    #[arg(long)]
    pub resume: bool,
    /// Take the network of slices of this finished run of the same recipe, and train the recipe's [sequence] alone; with
    /// --folds, each fold's of this cross-validation.
    #[arg(long, value_name = "RUN|CV", conflicts_with = "resume")]
    pub slices: Option<PathBuf>,
    /// Cross-validate: train one run for each of these folds (`all`, or as 0,1,3), and put their predictions and networks
    /// together.
    #[arg(long, value_name = "all|K,K", value_parser = Folds::from_str, conflicts_with_all = ["fold", "find_lr", "find_batch"])]
    pub folds: Option<Folds>,
    /// What of the recipe is otherwise, and what computes.
    #[command(flatten)]
    pub asked: Asked,
    /// What to find out before a run.
    #[command(flatten)]
    pub find: BeforeRun,
}
