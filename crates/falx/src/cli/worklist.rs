//! Flags of the simulation of a work list.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `falx worklist-sim`
#[derive(Debug, Args)]
pub struct WorklistSim {
    /// Studies that arrive in an hour, on average.
    #[arg(long, default_value_t = 6.0, value_name = "N")]
    pub arrivals_per_hour: f64,
    /// How busy each hour of the day is, relative to the others: 24 numbers from midnight. [default: all alike]
    #[arg(long, value_name = "W,W,…", value_delimiter = ',')]
    pub hours: Vec<f64>,
    /// The mean reading time of a study in minutes.
    #[arg(long, default_value_t = 8.0, value_name = "MINUTES")]
    pub reading_minutes: f64,
    /// How reading times vary.
    #[arg(long, default_value = "log-normal")]
    pub reading: ReadingKind,
    /// For log-normal: standard deviation ÷ mean.
    #[arg(long, default_value_t = 0.6, value_name = "SHARE")]
    pub reading_variation: f64,
    /// Reading times that were measured, in minutes, one a line; instead of --reading and --reading-minutes.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reading", "reading_minutes", "reading_variation"])]
    pub reading_times: Option<PathBuf>,
    /// Radiologists who read from the one list.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub readers: u32,
    /// Share of studies with a haemorrhage. [default: as in --from or --predictions, else 0.1]
    #[arg(long, value_name = "SHARE")]
    pub prevalence: Option<f64>,
    /// Share of the haemorrhages that the detector flags. [default: 0.9]
    #[arg(long, value_name = "SHARE", conflicts_with_all = ["from", "predictions"])]
    pub sensitivity: Option<f64>,
    /// Share of the other studies that it does not flag. [default: 0.9]
    #[arg(long, value_name = "SHARE", conflicts_with_all = ["from", "predictions"])]
    pub specificity: Option<f64>,
    /// Take sensitivity, specificity and prevalence of `any` by study from an evaluation: what `falx evaluate --json`
    /// printed.
    #[arg(long, value_name = "JSON", conflicts_with = "predictions")]
    pub from: Option<PathBuf>,
    /// For --from: the operating point, by its name there.
    #[arg(
        long,
        default_value = "sensitivity of at least 90 %",
        value_name = "NAME"
    )]
    pub point: String,
    /// Draw scores from real studies: a table with the columns `score` and `truth` (0 or 1), one row a study.
    #[arg(long, value_name = "CSV")]
    pub predictions: Option<PathBuf>,
    /// For --predictions: a study is flagged where its score is at least this.
    #[arg(long, default_value_t = 0.5, value_name = "SCORE")]
    pub threshold: f64,
    /// Minutes from a study's arrival to the detector's answer; until then it lies in its place by arrival.
    #[arg(long, default_value_t = 2.0, value_name = "MINUTES")]
    pub detector_minutes: f64,
    /// A study that has waited so many minutes goes first, whatever the detector says. [default: none does]
    #[arg(long, value_name = "MINUTES")]
    pub longest_wait: Option<f64>,
    /// The turnaround that is wished for: the table counts studies above it.
    #[arg(long, default_value_t = 60.0, value_name = "MINUTES")]
    pub target_minutes: f64,
    /// Orders to compare with first in, first out.
    #[arg(
        long,
        default_value = "flagged-first",
        value_name = "ORDER",
        value_delimiter = ','
    )]
    pub order: Vec<ReadingOrder>,
    /// Days that count, in each replication.
    #[arg(long, default_value_t = 60.0, value_name = "N")]
    pub days: f64,
    /// Hours before that, in which the list fills. [default: as long as this load needs, a day at least]
    #[arg(long, value_name = "HOURS")]
    pub warm_up: Option<f64>,
    /// Independent repetitions; the intervals come from these.
    #[arg(long, default_value_t = 40, value_name = "N")]
    pub replications: u32,
    /// Where all randomness starts.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// How reading times vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReadingKind {
    /// Skewed to the right, as measured reading times are.
    LogNormal,
    /// Memoryless, as in textbooks.
    Exponential,
    /// Always the same.
    Fixed,
}

/// The order in which waiting studies are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReadingOrder {
    /// Flagged studies first; a reading that has begun is finished.
    FlaggedFirst,
    /// The highest score first; needs --predictions.
    HighestScore,
    /// Flagged studies first, and an unflagged one is laid aside for them.
    FlaggedInterrupts,
}
