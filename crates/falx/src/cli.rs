//! The command line: every flag documented where it is defined.

mod bench;
mod explain;
mod find;
mod judging;
mod models;
mod plan;
mod predict;
mod train;
mod worklist;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use falx_core::Window;
use falx_data::index::{Layout, Part};

use crate::exit;
pub use bench::{
    Bench, BenchEvaluate, BenchIndex, BenchInfer, BenchIo, BenchLoader, BenchPeer, BenchTrain,
    EvaluatePeer, InferPeer, LoaderPeer, TrainPeer,
};
pub use explain::Explain;
pub use find::BeforeRun;
pub use judging::{Compare, Evaluate};
pub use models::{
    Models, ModelsAverage, ModelsExport, ModelsFetch, ModelsImport, ModelsPack, ModelsShow,
    NetworkOptions,
};
pub use plan::Plan;
pub use predict::{Predict, PredictFormat, PredictLevel, Series};
pub use train::{Asked, Train};
pub use worklist::{ReadingKind, ReadingOrder, WorklistSim};

/// What `--model` is where nobody names one: the model in the box.
pub const DEFAULT_MODEL: &str = "default";

/// Head CT from DICOM to a tested detector of intracranial haemorrhage and its five subtypes.
#[derive(Debug, Parser)]
#[command(version, about, after_help = exit::HELP, propagate_version = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Print exactly one JSON document on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// No bars and no log but errors.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More log on standard error; twice for still more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Threads to use; the results do not depend on it. [default: all cores]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything on a phantom in about three minutes: DICOM, index, audit, split, training, score, submission, report.
    Demo(Demo),
    /// Make head CT phantoms with the five subtypes as real DICOM, with labels and masks.
    Phantom(Phantom),
    /// Read every slice of a data set into an index: one row a slice, every fault named.
    #[command(after_help = "Examples:
  falx index stage_2_train --labels stage_2_train.csv --out index.parquet
  falx index cq500/ ct-ich/ --out index.parquet
  falx index studies.zip --labels mine.csv --columns image_id=SOP,any=bleed --out index.parquet
  falx index stage_2_train --part 1/2 --out one.part
  falx index --merge one.part two.part --labels stage_2_train.csv --out index.parquet")]
    Index(Index),
    /// Say what is wrong with the data of an index, typed and counted; exit code 1 when there are errors.
    Audit(Audit),
    /// Split an index into folds by patient, so that nobody is on two sides.
    #[command(after_help = "Examples:
  falx split index.parquet --folds 5 --test-fraction 0.1 --seed 1 --out split.parquet
  falx split index.parquet --check split.parquet
  falx split index.parquet --check folds.csv --out split.parquet")]
    Split(Split),
    /// Pack an index's slices so that training loads them faster, from fewer bytes.
    #[command(after_help = "Examples:
  falx cache index.parquet --out cache
  falx cache index.parquet --out cache-256 --size 256
  falx cache index.parquet --out cache --check

A recipe uses it with `cache = \"cache\"` under [data]. Whole slices serve any input; pictures of one size are smaller
and faster, and serve inputs of that size only. Both give the same batches as the files, to the bit.")]
    Cache(Cache),
    /// Train one run from a recipe, or find out which learning rate and batch to give it.
    #[command(after_help = "Examples:
  falx train recipe.toml --out run
  falx train recipe.toml --out run --resume
  falx train recipe.toml --folds all --out cv
  falx train recipe.toml --find-lr --out look
  falx train recipe.toml --find-batch --memory 8192 --out look

While it trains, RUN/training.html shows how it goes, and so does `tensorboard --logdir RUN`.")]
    Train(Train),
    /// Take a few steps of a recipe, and foretell what all of it costs: time, memory, disk, and what limits it.
    #[command(after_help = "Examples:
  falx plan recipe.toml
  falx plan recipe.toml --slices 752803 --machine server.toml
  falx plan recipe.toml --set input.size=256 --set training.batch=32

Nothing is written. The machine's file has some of these, measured there by `falx bench loader` and `falx bench train`:
  threads = 16
  loader_slices_per_second = 4000
  step_slices_per_second = 900
  memory_gib = 128
  disk_mb_per_second = 500")]
    Plan(Plan),
    /// Judge a run or predictions beside their no-skill baselines, with intervals by patient.
    Evaluate(Evaluate),
    /// Set runs and predictions side by side on the same slices, with paired differences and published values.
    #[command(after_help = "Examples:
  falx compare run-a run-b
  falx compare mine=predictions.csv theirs=other.csv --labels labels.csv --index index.parquet --html compare.html")]
    Compare(Compare),
    /// Predict slices, series and studies with a trained model.
    #[command(after_help = "Examples:
  falx predict slices/ --model run --out predictions.csv
  falx predict study.zip --model run --format json --out answer.json
  falx predict studies/ --model run --level study --out studies.csv
  falx predict studies/ --model run --format dicom --out objects
  find studies -name '*.dcm' | falx predict - --model run --format jsonl --out -")]
    Predict(Predict),
    /// Draw where a model looked: heat maps of its labels on the slices, montages and pages; or judge them by masks.
    #[command(after_help = "Examples:
  falx explain study/ --model run --out heat
  falx explain index.parquet --model model.falx --label subdural,any --at-least 0.3 --out heat
  falx explain study.zip --model run --method occlusion --runtime rten --out heat
  falx explain index.parquet --model run --judge --masks phantom/masks --out judged
  falx explain index.parquet --model run --judge=all --out judged

A map shows where the network looked, not where a haemorrhage ends. Judge the maps of a model before you believe them, on
slices of patients it did not learn from; docs/explain.md says how, and what the methods reach.")]
    Explain(Explain),
    /// Draw what augmentation does to a slice: a panel a change at its full strength, and some whole draws.
    #[command(after_help = "Examples:
  falx augment-preview --out sheet.png
  falx augment-preview slice.dcm other.dcm --augment recipe.toml --out sheet.png
  falx augment-preview index.parquet --window 80/200 --seed 3 --out sheet.png

docs/augmentation.md explains every change.")]
    AugmentPreview(AugmentPreview),
    /// Look at DICOM files: what they hold, what is wrong with them, and their picture.
    #[command(subcommand)]
    Dicom(Dicom),
    /// The networks: look at them, bring weights in, write them as ONNX or safetensors.
    #[command(subcommand)]
    Models(Models),
    /// Measure falx on this machine, beside a peer in the same run.
    #[command(subcommand)]
    Bench(Bench),
    /// Say whether a submission is valid, and with a truth what it would score; exit code 1 when it is not valid.
    LintSubmission(LintSubmission),
    /// Simulate a radiology work list: how much sooner haemorrhages are read when a detector flags them, and what the
    /// other studies pay for it.
    #[command(after_help = "Examples:
  falx worklist-sim --arrivals-per-hour 6 --reading-minutes 8 --prevalence 0.1 --sensitivity 0.95 --specificity 0.9
  falx worklist-sim --from evaluation.json --readers 2 --arrivals-per-hour 13
  falx worklist-sim --predictions study.csv --threshold 0.3 --order flagged-first,highest-score
  falx worklist-sim --detector-minutes 0 --reading exponential     (beside Erlang's and Cobham's exact formulas)

Studies arrive by chance and wait in one list for the next free reader. First in, first out is simulated beside every other
order, on the same studies. No order makes minutes: what flagged studies gain, the others wait. A haemorrhage that the
detector misses waits longer than without it; the table says how long. The busier the readers, the more an order
matters: --arrivals-per-hour × --reading-minutes ÷ 60 ÷ --readers is the share of the time in which they are busy, and must
stay below 1.")]
    WorklistSim(WorklistSim),
}

/// `falx demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// The folder to write: new or empty.
    #[arg(long, default_value = "falx-demo", value_name = "DIR")]
    pub out: PathBuf,
    /// Where all randomness starts.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `falx phantom`
#[derive(Debug, Args)]
pub struct Phantom {
    /// Labelled patients, one series each.
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub patients: u32,
    /// Further patients whose labels are held back (layout rsna: a test folder, a sample submission, and the truth).
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub test_patients: u32,
    /// The folder to write: new or empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Where all randomness starts.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// How files lie in the folder: `rsna` (flat, Kaggle's names) or `folders` (patient/study/series).
    #[arg(long, default_value = "rsna", value_parser = falx_phantom::Layout::from_str)]
    pub layout: falx_phantom::Layout,
    /// Plant the faults that real collections hold, and list them in defects.json.
    #[arg(long)]
    pub defects: bool,
    /// Rows and columns of a slice.
    #[arg(long, default_value_t = 512, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(64..=1024))]
    pub matrix: u16,
    /// Expected share of slices with a haemorrhage.
    #[arg(long, default_value_t = 0.14, value_name = "SHARE", value_parser = share)]
    pub prevalence: f64,
}

/// `falx index`
#[derive(Debug, Args)]
pub struct Index {
    /// Folders, files or archives (.zip, .tar, .tar.gz) with slices, or a DICOMDIR; with --merge: parts. With
    /// --headers-only also a Parquet table that names slices and their labels without files.
    #[arg(required = true, value_name = "SRC")]
    pub sources: Vec<PathBuf>,
    /// Labels: Kaggle's `ID,Label` (id split at its last underscore), or one column a label, by image or by study.
    /// CQ500's reads.csv and CT-ICH's diagnoses are found by themselves. Several tables add up.
    #[arg(long, value_name = "CSV")]
    pub labels: Vec<PathBuf>,
    /// What the label table calls a column: `image_id`, `label`, `patient`, `study_uid`, `series_uid`, or one of the six
    /// labels.
    #[arg(long, value_name = "OURS=THEIRS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// How the data lie: `rsna` (flat, the id is the file's name), `cq500`, `ct-ich`, `folders` (any tree, the id is the
    /// SOP Instance UID), `images` (pictures in one window), or `auto`: found out source by source, and said.
    #[arg(long, default_value = "auto", value_parser = Layout::from_str)]
    pub layout: Layout,
    /// The window that pictures show, as centre/width in HU. [default: brain 40/80; CT-ICH's own]
    #[arg(long, value_name = "C/W", value_parser = picture_window)]
    pub window: Option<Window>,
    /// Read headers and stop before the pixels: much faster, but no pixel hash, no HU, no defects of values.
    #[arg(long)]
    pub headers_only: bool,
    /// Go on with a finished index: read only files that are new or have changed, and drop those that are gone.
    #[arg(long, conflicts_with = "part")]
    pub update: bool,
    /// Read only part I of N and write it to --out, for any number of machines; --merge makes the whole.
    #[arg(long, value_name = "I/N", value_parser = Part::from_str)]
    pub part: Option<Part>,
    /// SRC are the parts of an index: make the whole, byte for byte as if it had been made at once.
    #[arg(long, conflicts_with_all = ["part", "update", "headers_only", "layout", "window"])]
    pub merge: bool,
    /// The index to write. What has been read is kept beside it in a journal, and an interrupted index goes on there.
    #[arg(long, value_name = "PARQUET")]
    pub out: PathBuf,
}

/// `falx audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// An index made by `falx index`.
    pub index: PathBuf,
    /// Write the audit as one HTML page, with pictures of the slices concerned.
    #[arg(long, value_name = "F")]
    pub html: Option<PathBuf>,
}

/// `falx split`
#[derive(Debug, Args)]
pub struct Split {
    /// An index made by `falx index`.
    pub index: PathBuf,
    /// How many folds.
    #[arg(long, default_value_t = 5, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=100))]
    pub folds: u32,
    /// Share of the patients to lock away as fold -1 until the very end.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    pub test_fraction: f64,
    /// Where all randomness starts.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Make no split but audit this one: a split made by `falx split`, or a CSV with the columns `image_id` (or `ID`)
    /// and `fold`, a number or a name such as train, val, test. Exit code 1 when it leaks or does not fit the index.
    #[arg(long, value_name = "PARQUET|CSV", conflicts_with_all = ["folds", "test_fraction", "seed"])]
    pub check: Option<PathBuf>,
    /// The split to write; with `--check` the one that was given, locked to this index, unless it leaks.
    #[arg(long, value_name = "PARQUET", required_unless_present = "check")]
    pub out: Option<PathBuf>,
}

/// `falx cache`
#[derive(Debug, Args)]
pub struct Cache {
    /// An index made by `falx index`.
    pub index: PathBuf,
    /// The folder to write. Finished shards that are there are kept: an interrupted cache goes on.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Hold pictures of this side in pixels, as a network sees them before its windows. [default: whole slices]
    #[arg(long, value_name = "PIXELS", value_parser = picture_side)]
    pub size: Option<usize>,
    /// The side of a picture's pixel in mm, as `mm_per_pixel` of a recipe's input.
    #[arg(long, value_name = "MM", requires = "size", value_parser = positive::<f32>)]
    pub mm_per_pixel: Option<f32>,
    /// Pictures with the head in their middle, as `crop = "head"` of a recipe's input.
    #[arg(long, requires = "size")]
    pub crop_head: bool,
    /// Cut off values beyond these HU before a picture is drawn, as `clip_hu` of a recipe's input: `0,80`.
    #[arg(long, value_name = "LOW,HIGH", requires = "size", value_parser = limits, allow_hyphen_values = true)]
    pub clip_hu: Option<[f32; 2]>,
    /// Cut off as each file's own window of brain shows it, as `own_window` of a recipe's input.
    #[arg(long, requires = "clip_hu")]
    pub own_window: bool,
    /// Look at every slice that is there, and make damaged or incomplete shards again.
    #[arg(long)]
    pub check: bool,
}

impl Cli {
    /// Arguments that clap takes one by one and that do not go together.
    pub fn checked(self) -> Result<Self, clap::Error> {
        let fault = match &self.command {
            Command::Predict(arguments) => arguments.fault(self.common.json),
            _ => None,
        };
        match fault {
            None => Ok(self),
            Some(fault) => Err(Self::command().error(ErrorKind::ArgumentConflict, fault)),
        }
    }
}

/// `falx augment-preview`
#[derive(Debug, Args)]
pub struct AugmentPreview {
    /// A slice, and another one that it is mixed with; or an index, of which a positive slice is drawn. [default: a
    /// phantom, made for this]
    #[arg(value_name = "SRC", num_args = 0..=2)]
    pub sources: Vec<PathBuf>,
    /// The changes: a recipe's, or names with commas: presets (`none`, `default`, `full`) and single changes such as
    /// `default,mixup`.
    #[arg(long, default_value = "full", value_name = "RECIPE.toml|NAMES")]
    pub augment: String,
    /// Where all randomness starts.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The side of a panel in pixels.
    #[arg(long, default_value_t = 256, value_name = "PIXELS", value_parser = picture_side)]
    pub size: usize,
    /// The window of the panels, as centre/width in HU. [default: brain 40/80]
    #[arg(long, value_name = "C/W", value_parser = picture_window)]
    pub window: Option<Window>,
    /// Whole draws after the single changes.
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=60))]
    pub draws: u64,
    /// Panels beside each other.
    #[arg(long, default_value = "6", value_name = "N")]
    pub columns: NonZeroUsize,
    /// The sheet to write.
    #[arg(long, value_name = "PNG", required_unless_present = "docs")]
    pub out: Option<PathBuf>,
    /// Write a small picture a change into this folder, as docs/augmentation.md has them.
    #[arg(long, value_name = "DIR")]
    pub docs: Option<PathBuf>,
}

/// `falx dicom`
#[derive(Debug, Subcommand)]
pub enum Dicom {
    /// Say what files hold: encoding, scale, place, windows, statistics of their Hounsfield units; and draw them.
    #[command(after_help = "Examples:
  falx dicom show slice.dcm
  falx dicom show slice.dcm --png slice.png --window 40/80
  falx dicom show enhanced.dcm --frame 12 --png frame.png
  falx dicom show *.dcm --json | jq '.files[].frames[].hu'")]
    Show(DicomShow),
    /// Say which files give Hounsfield units, which are refused and why, and how their series lie; exit code 1 when one
    /// is refused.
    #[command(after_help = "Examples:
  falx dicom check study/
  falx dicom check study/ --all
  falx dicom check a.dcm b.dcm --json

Every name is explained in docs/dicom.md.")]
    Check(DicomCheck),
}

/// `falx dicom show`
#[derive(Debug, Args)]
pub struct DicomShow {
    /// DICOM files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Draw the slice as a PNG; of several files or frames, each into a folder of this name.
    #[arg(long, value_name = "PNG|DIR")]
    pub png: Option<PathBuf>,
    /// The window of the picture, as centre/width in HU. [default: the file's first, else brain 40/80]
    #[arg(long, value_name = "C/W", value_parser = window)]
    pub window: Option<[f64; 2]>,
    /// Only this frame, from 1.
    #[arg(long, value_name = "N")]
    pub frame: Option<NonZeroUsize>,
}

/// `falx dicom check`
#[derive(Debug, Args)]
pub struct DicomCheck {
    /// Folders or files with DICOM.
    #[arg(required = true, value_name = "SRC")]
    pub sources: Vec<PathBuf>,
    /// A line for files that nothing is wrong with, too.
    #[arg(long)]
    pub all: bool,
}

/// `falx lint-submission`
#[derive(Debug, Args)]
pub struct LintSubmission {
    /// The submission.
    pub submission: PathBuf,
    /// The sample submission that it must answer.
    #[arg(long, value_name = "CSV")]
    pub sample: PathBuf,
    /// The truth, to say what it would score.
    #[arg(long, value_name = "CSV")]
    pub truth: Option<PathBuf>,
}

/// A length above 0.
fn positive<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    match text.parse::<T>() {
        Ok(value) if value.into().is_finite() && value.into() > 0.0 => Ok(value),
        _ => Err("give a number above 0, as 0.5".to_owned()),
    }
}

/// Two numbers of HU.
fn limits(text: &str) -> Result<[f32; 2], String> {
    let numbers = text.split_once(',');
    let numbers = numbers.and_then(|(low, high)| Some([low.parse().ok()?, high.parse().ok()?]));
    let in_order = |[low, high]: &[f32; 2]| low < high;
    numbers
        .filter(in_order)
        .ok_or_else(|| "give the lower and the upper limit, as 0,80".to_owned())
}

/// The side of a picture.
fn picture_side(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(side @ 8..=1024) => Ok(side),
        _ => Err("give a side from 8 to 1024 pixels".to_owned()),
    }
}

/// A window as centre/width.
fn window(text: &str) -> Result<[f64; 2], String> {
    let parts = text.split_once('/');
    let parts = parts.and_then(|(c, w)| Some([c.trim().parse().ok()?, w.trim().parse().ok()?]));
    match parts {
        Some([center, width])
            if f64::is_finite(center) && f64::is_finite(width) && width >= 1.0 =>
        {
            Ok([center, width])
        }
        _ => Err("give centre/width in HU with a width of at least 1, as 40/80".to_owned()),
    }
}

/// The window of pictures.
fn picture_window(text: &str) -> Result<Window, String> {
    let [center, width] = window(text)?;
    Window::new(center as f32, width as f32).map_err(|error| error.to_string())
}

/// A share from 0 to below 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("give a share from 0 to below 1, as 0.2".to_owned()),
    }
}
