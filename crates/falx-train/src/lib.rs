//! Recipes, the training loop, checkpoints and the run folder.
//!
//! [`train`] takes a [`Recipe`] to a finished run: checkpoints, `metrics.jsonl`, a bundle, and that bundle's
//! predictions for the validation fold and the locked test; [`cross_validate`] trains one for each fold. [`evaluate_run`] judges them, [`report`] shows them.

#![allow(clippy::doc_markdown, reason = "TensorBoard is a name, not code")]

mod attributes;
mod averaged;
mod cases;
mod checkpoint;
mod compare;
mod cross_validation;
mod data;
mod decisions;
mod epoch;
mod error;
mod evaluation;
mod events;
mod failed;
mod finder;
mod finish;
mod folder;
mod groups;
mod held;
mod judge;
mod judgement;
mod lock;
mod matching;
mod metrics;
mod pictures;
mod plan;
mod predictions;
mod provenance;
mod recalibration;
mod recipe;
mod run_facts;
mod sequence;
mod sizes;
mod studies;
mod summary;
mod train;
mod transfer;
mod watch;

pub use averaged::AveragedMetrics;
pub use compare::{Contender, Contest, compare_models};
pub use cross_validation::{
    CrossValidation, CrossValidationSummary, FoldResult, Folds, LockedTest, OutOfFold, Spread,
    cross_validate,
};
pub use error::TrainError;
pub use evaluation::{RunEvaluation, evaluate_run, report};
pub use events::{EventWriter, Told, read_scalars};
pub use finder::{
    BatchEnd, BatchFinding, BatchPoint, BatchReport, FindOptions, RateEnd, RateFinding, RatePoint,
    RateReport, RateTest, find_batch, find_batch_size, find_learning_rate, find_rate,
};
pub use folder::{Part, RunFolder, bundle_in};
pub use groups::GroupsError;
pub use judge::JudgeOptions;
pub use judgement::{HeldOutJudgement, JudgementOptions, judgement};
pub use lock::RunLock;
pub use metrics::{EpochMetrics, EpochSums};
pub use plan::{
    Figure, Forecast, ForecastStage, Limit, Measured, MeasuredStage, Memory, Origin, OtherMachine,
    PlanOptions, Size, Speeds, StageSpeeds, TrainingPlan, plan,
};
pub use predictions::{JudgedPredictions, PredictionFiles, evaluate_predictions};
pub use recipe::{
    Change, DataConfig, NetworkChoice, Phase, PredictionConfig, Recipe, RecipeError,
    SequenceChoice, SwaConfig, TrainingConfig, recipe_schema,
};
pub use summary::{Timing, TrainSummary};
pub use train::{TrainOptions, train};
pub use watch::{About, EpochTiming, StepFacts, Watch};
