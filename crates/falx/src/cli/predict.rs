//! The arguments of `falx predict`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use falx_core::Probability;
use falx_infer::{PredictOptions, RuntimeKind};

use super::DEFAULT_MODEL;

/// `falx predict`
#[derive(Debug, Args)]
pub struct Predict {
    /// Files, folders and archives with DICOM, volumes or pictures, or an index made by `falx index`; `-` reads a list of
    /// paths from standard input, one a line.
    #[arg(required = true, value_name = "SRC")]
    pub sources: Vec<PathBuf>,
    /// A run's folder, a cross-validation's, or a bundle; `default` is the model in the box (`falx models show default`). Of
    /// a bundle with several networks the mean is predicted.
    #[arg(long, value_name = "BUNDLE|RUN|CV", default_value = DEFAULT_MODEL)]
    pub model: PathBuf,
    /// What runs the network: `falx` (its own kernels), `rten`, or `ort` (ONNX Runtime; a build with that feature). All give
    /// the same probabilities within 0.0001.
    #[arg(long, default_value_t = RuntimeKind::default(), value_parser = RuntimeKind::from_str)]
    pub runtime: RuntimeKind,
    /// Predict the mean of each slice and its left–right mirror, even where the model does not ask for it; takes twice as long.
    #[arg(long)]
    pub flip: bool,
    /// The share of slices with haemorrhage where the predictions are used, between 0 and 1: odds are shifted from the
    /// model's own share to this one. Left out: the model's.
    #[arg(long, value_name = "SHARE", value_parser = prevalence)]
    pub prevalence: Option<Probability>,
    /// The most memory that slices on their way to the network may take, in MiB; batches are as small as that needs. The network
    /// takes its own beside it.
    #[arg(long, value_name = "MIB", default_value_t = PredictOptions::default().memory_mib)]
    pub memory: usize,
    /// The form of the output.
    #[arg(long, default_value = "csv")]
    pub format: PredictFormat,
    /// For `csv`: of what the table has rows.
    #[arg(long, default_value = "slice")]
    pub level: PredictLevel,
    /// Which series are answered: `best` (of each study the one that suits a head CT model best: whole, axial, a soft kernel,
    /// the usual thickness; series of other body parts, with contrast agent or without a skull are refused), `all`, or
    /// Series Instance UIDs with commas. [default: best; slices in `csv` and `kaggle`: all]
    #[arg(long, value_name = "best|all|UID")]
    pub series: Option<Series>,
    /// For `dicom`: draw heat maps on the slices that speak most for a finding that is present (or not ruled out and likely), as
    /// pictures for any viewer and as pages in `heat-maps`; takes some seconds a study (docs/explain.md).
    #[arg(long)]
    pub heat_maps: bool,
    /// For `kaggle`: write this sample submission's rows in its order. A slice that cannot be read is given the
    /// prevalence of the training data, and is named.
    #[arg(long, value_name = "CSV")]
    pub sample: Option<PathBuf>,
    /// The file to write, with `dicom` the folder; `-` with `jsonl` is standard output.
    #[arg(long, value_name = "F")]
    pub out: PathBuf,
}

/// The form of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PredictFormat {
    /// `image_id` and the six labels.
    Csv,
    /// Kaggle's submission: `ID,Label`, six rows a slice.
    Kaggle,
    /// Studies with their series and slices: probabilities, what is present or absent, and why a series was chosen
    /// (contract/answer.schema.json).
    Json,
    /// The same, a line a study as soon as it is known; the first line says which model answers.
    Jsonl,
    /// DICOM objects of each study in a folder of its own: a structured report with coded findings, a page that every viewer
    /// shows, and the slices to look at first (docs/answers.md).
    Dicom,
}

impl Predict {
    /// What of these arguments does not go together.
    pub fn fault(&self, as_json: bool) -> Option<&'static str> {
        let to_standard_output = self.out == Path::new("-");
        let is_table = self.format == PredictFormat::Csv;
        if to_standard_output && self.format != PredictFormat::Jsonl {
            Some("`--out -` goes with `--format jsonl`; give a file for other forms")
        } else if to_standard_output && as_json {
            Some(
                "`--out -` and `--json` both want standard output; give a file, or leave --json out",
            )
        } else if self.level != PredictLevel::Slice && !is_table {
            Some(
                "`--level` goes with `--format csv`; json and dicom hold studies with their slices, kaggle slices",
            )
        } else if self.series.is_some() && self.format == PredictFormat::Kaggle {
            Some("`--series` does not go with `--format kaggle`, which has a row for every slice")
        } else if self.heat_maps && self.format != PredictFormat::Dicom {
            Some("`--heat-maps` goes with `--format dicom`; `falx explain` draws them for people")
        } else if self.sample.is_some() && self.format != PredictFormat::Kaggle {
            Some("`--sample` goes with `--format kaggle`")
        } else {
            None
        }
    }
}

/// Of what a table has rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PredictLevel {
    /// Slices, by image id.
    Slice,
    /// Series that were answered, by Series Instance UID: the highest of their slices.
    Series,
    /// Studies that were answered, by Study Instance UID: the highest of the slices of the series that answer.
    Study,
}

/// Which series are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Series {
    /// The one of each study that suits best.
    Best,
    /// All.
    All,
    /// These.
    These(Vec<String>),
}

impl FromStr for Series {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_uid = |uid: &str| {
            // Names of RSNA's series are no UIDs.
            let is_of_uid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !uid.is_empty() && uid.chars().all(is_of_uid)
        };
        match text {
            "best" => Ok(Self::Best),
            "all" => Ok(Self::All),
            uids if uids.split(',').all(is_uid) => {
                Ok(Self::These(uids.split(',').map(str::to_owned).collect()))
            }
            _ => Err("give best, all, or Series Instance UIDs with commas between them".to_owned()),
        }
    }
}

/// A share that odds can be made of.
pub(super) fn prevalence(text: &str) -> Result<Probability, String> {
    let share = text.parse::<f64>().ok().filter(|&p| p > 0.0 && p < 1.0);
    let share = share.and_then(|share| Probability::new(share).ok());
    share.ok_or_else(|| "give a share between 0 and 1, as 0.14".to_owned())
}
