//! Flags of the commands that judge predictions.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use falx_eval::{Aggregation, Scale};

/// What the numbers of files of predictions mean.
#[derive(Clone, Copy, Debug, Args)]
pub struct GivenScale {
    /// The numbers of files of predictions are logits: apply the sigmoid to each.
    #[arg(long)]
    pub logits: bool,
    /// The numbers of files of predictions are percentages, from 0 to 100: divide each by 100.
    #[arg(long, conflicts_with = "logits")]
    pub percentages: bool,
}

impl GivenScale {
    /// The scale asked for.
    pub const fn scale(self) -> Scale {
        match (self.logits, self.percentages) {
            (true, _) => Scale::Logits,
            (false, true) => Scale::Percentages,
            (false, false) => Scale::Probabilities,
        }
    }

    /// The flag that was given, if any.
    pub const fn flag(self) -> Option<&'static str> {
        match self.scale() {
            Scale::Probabilities => None,
            Scale::Logits => Some("--logits"),
            Scale::Percentages => Some("--percentages"),
        }
    }
}

/// `falx evaluate`
#[derive(Debug, Args)]
pub struct Evaluate {
    /// A run's or a cross-validation's folder, or a predictions.csv (or a submission in Kaggle's form). Its rows are slices or, where it has
    /// `study_uid` and no `image_id` or the index knows them as such, whole studies.
    #[arg(value_name = "RUN|CSV")]
    pub what: PathBuf,
    /// The truth for a predictions.csv: Kaggle's `ID,Label`, or one column a label. [default: the index's labels]
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,
    /// An index that names the patient and study of each slice of a predictions.csv, for intervals by patient; its readers'
    /// votes are the truth of studies whose slices have none.
    #[arg(long, value_name = "PARQUET")]
    pub index: Option<PathBuf>,
    /// Predictions of other patients, with their truth in --labels or --index: thresholds and corrections are found there. A
    /// run has its validation fold for this. [default: found across the judged patients, fold by fold]
    #[arg(long, value_name = "CSV")]
    pub development: Option<PathBuf>,
    /// How slices' predictions become one of their series and study: max, top-mean, noisy-or, mean, quantile-95 or
    /// smoothed-max.
    #[arg(long, default_value_t, value_name = "HOW", value_parser = Aggregation::from_str)]
    pub aggregation: Aggregation,
    /// A table whose columns are further groups to score apart, by `image_id`, `study_uid` or `patient`; numbers are cut at
    /// their quartiles.
    #[arg(long, value_name = "CSV")]
    pub groups: Option<PathBuf>,
    #[command(flatten)]
    pub scale: GivenScale,
    /// Write the report as one HTML page.
    #[arg(long, value_name = "F")]
    pub html: Option<PathBuf>,
    /// Write every table as a CSV into this folder, and the check-lists CLAIM and STARD-AI as CSV and Markdown, filled
    /// where the answer is known.
    #[arg(long, value_name = "DIR")]
    pub tables: Option<PathBuf>,
    /// Write a model card as Markdown: a draft that leaves open what only its authors know.
    #[arg(long, value_name = "F.md")]
    pub model_card: Option<PathBuf>,
    /// Resamples of the patients behind every interval.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub replicates: u32,
    /// Where the resamples start.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// `falx compare`
#[derive(Debug, Args)]
pub struct Compare {
    /// Folders of runs and cross-validations, and files of predictions, each as a path or NAME=path.
    #[arg(required = true, value_name = "RUN|CSV")]
    pub contenders: Vec<String>,
    /// The entry that the others are compared with, by its name. [default: the first]
    #[arg(long, value_name = "NAME")]
    pub reference: Option<String>,
    /// The truth for files of predictions. [default: the index's labels]
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,
    /// An index that names their patients and studies.
    #[arg(long, value_name = "PARQUET")]
    pub index: Option<PathBuf>,
    #[command(flatten)]
    pub scale: GivenScale,
    /// How slices' predictions become one of their series and study, as in `falx evaluate`.
    #[arg(long, default_value_t, value_name = "HOW", value_parser = Aggregation::from_str)]
    pub aggregation: Aggregation,
    /// Write the comparison as one HTML page.
    #[arg(long, value_name = "F")]
    pub html: Option<PathBuf>,
    /// Write every score and difference, and the runs' numbers, as a CSV: one row a number.
    #[arg(long, value_name = "F")]
    pub csv: Option<PathBuf>,
    /// Write the table of experiments as a CSV: one row an entry, what it was where it is a run, and what it scored.
    #[arg(long, value_name = "F")]
    pub table: Option<PathBuf>,
    /// Resamples of the patients behind every interval.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub replicates: u32,
    /// Where the resamples start.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
