//! `falx explain`

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use falx_core::Label;
use falx_explain::{Layer, Method};
use falx_infer::RuntimeKind;

use super::DEFAULT_MODEL;

/// `falx explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// Files, folders and archives with slices, or an index made by `falx index`; `-` reads a list of paths from standard input.
    #[arg(required = true, value_name = "SRC")]
    pub sources: Vec<PathBuf>,
    /// A run's folder, a cross-validation's, or a bundle; `default` is the model in the box. Of several networks the mean of
    /// their maps is drawn; of a network over series the network of slices behind it is explained.
    #[arg(long, value_name = "BUNDLE|RUN|CV", default_value = DEFAULT_MODEL)]
    pub model: PathBuf,
    /// The folder to write: pictures, a montage a series, a page a study, index.html, explain.json; with --judge judge.html
    /// and judge.json.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How maps are made: `integrated-gradients` (of the picture itself), `grad-cam`, `grad-cam++`, `layer-cam` (gradients with
    /// regard to a layer: one pass through the network instead of 24), `xrai` (whole areas of the
    /// picture by their integrated gradients), `cam` (the head's own weights; only where a mean and one linear layer end
    /// the network), `occlusion` (covers one part after the other; slow, needs no gradient).
    #[arg(long, default_value_t = Method::default(), value_parser = Method::from_str)]
    pub method: Method,
    /// The layer that grad-cam, grad-cam++ and layer-cam look at: `finer` (the last that is twice as fine as what the head
    /// reads), `last` (what the head reads), or a name of `falx models show`.
    #[arg(long, default_value_t = Layer::default(), value_parser = Layer::from_str)]
    pub layer: Layer,
    /// The labels that get a map. [default: all six]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = Label::from_str)]
    pub label: Vec<Label>,
    /// A label gets a map on slices where its probability is at least this; 0 draws every slice.
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = probability)]
    pub at_least: f64,
    /// What runs the network for predictions, cam and occlusion: `falx`, `rten` or `ort`.
    #[arg(long, default_value_t = RuntimeKind::default(), value_parser = RuntimeKind::from_str)]
    pub runtime: RuntimeKind,
    /// Draw nothing, but judge the maps on slices with masks, beside two maps that know no network: of this method, of some
    /// (--judge=grad-cam,occlusion), or of all (--judge=all). Exit code 1 when there is a warning.
    #[arg(long, value_name = "METHODS", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub judge: Option<Methods>,
    /// A folder of masks for slices of which the index names none: volumes (.nii.gz, .nii) called by their Series Instance
    /// UID, as the `masks` of `falx phantom`.
    #[arg(long, value_name = "DIR", requires = "judge")]
    pub masks: Option<PathBuf>,
    /// Resamples of patients behind every interval.
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "judge", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub replicates: u32,
    /// Slices of the sanity check.
    #[arg(long, value_name = "N", default_value_t = 16, requires = "judge")]
    pub sanity_slices: usize,
    /// The model's recipe trained with `data.shuffle_labels = true`, a run or a bundle: whether the methods' maps of it differ is a
    /// second sanity check.
    #[arg(long, value_name = "RUN|BUNDLE", requires = "judge")]
    pub shuffled: Option<PathBuf>,
    /// Where all randomness starts.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// The methods that are judged; empty for the one that is asked for otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods(pub Vec<Method>);

impl FromStr for Methods {
    type Err = falx_explain::UnknownMethod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Ok(Self(Vec::new())),
            "all" => Ok(Self(Method::ALL.to_vec())),
            names => {
                let methods = names.split(',').map(|name| name.trim().parse());
                methods.collect::<Result<Vec<Method>, _>>().map(Self)
            }
        }
    }
}

/// A number from 0 to 1.
fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("give a probability from 0 to 1, as 0.5".to_owned()),
    }
}
