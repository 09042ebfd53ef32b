//! A network from elsewhere as a bundle: an ONNX file, and a TOML file that says what the ONNX file does not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use falx_core::{LABELS, Label};
use falx_data::input::InputSpec;
use falx_nn::onnx::{self, Imported, ReadError, ReadOptions};
use falx_nn::passes::output_in_order;
use serde::Deserialize;

use crate::{
    Bundle, BundleError, BundleManifest, BundleMetrics, BundleParts, Model, ModelError, model_card,
    runtime,
};

/// What is to be known of a network from elsewhere.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignNetwork {
    /// What it is called.
    pub network: String,
    /// Terms under which its weights may be used.
    pub licence: String,
    /// What it is meant for, and what it is not.
    pub intended_use: String,
    /// The tensor with a number a label; left out = the file's first output.
    #[serde(default)]
    pub output: Option<String>,
    /// What these numbers are.
    #[serde(default)]
    pub gives: Gives,
    /// The labels in the order of these numbers.
    pub labels: Vec<String>,
    /// Of each label, by name, the share of positive slices in the data that it was trained on.
    pub prevalence: BTreeMap<String, f64>,
    /// How a slice becomes its input.
    pub input: InputSpec,
}

/// What a network's numbers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gives {
    /// Logits, whose logistic function is the probability.
    #[default]
    Logits,
    /// Probabilities.
    Probabilities,
}

/// Why a network from elsewhere becomes no bundle.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is said of the network makes no sense.
    #[error("{path}: {reason}")]
    Card {
        /// The TOML file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is no network that falx can run.
    #[error("{path}: {source}")]
    Network {
        /// The ONNX file.
        path: PathBuf,
        /// What keeps it from being one.
        source: Box<ReadError>,
    },
    /// The network does not take the pictures, or gives other numbers than it should.
    #[error("{path}: {reason}")]
    Misfit {
        /// The ONNX file.
        path: PathBuf,
        /// What does not fit what.
        reason: String,
    },
    /// It cannot be run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The bundle cannot be written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Makes a bundle of the ONNX file at `onnx`, of which the TOML file at `card` says the rest, and tries it on one picture.
///
/// The bundle's network has its output under falx's name and in falx's order of labels; a bundle that was there is replaced.
/// Also gives what was changed or assumed when the file was read.
///
/// # Errors
/// [`ForeignError`]: no such files, other labels, a network that does not take the pictures or does not give six numbers.
pub fn import_bundle(
    onnx: &Path,
    card: &Path,
    out: &Path,
) -> Result<(Bundle, Vec<String>), ForeignError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ForeignError::Io { path, source }
    };
    let text = std::fs::read_to_string(card).map_err(io(card))?;
    let fault = |reason: String| ForeignError::Card {
        path: card.to_owned(),
        reason,
    };
    let foreign: ForeignNetwork =
        toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
    let order = foreign.order().map_err(fault)?;
    let prevalence = foreign.shares().map_err(fault)?;
    let name = foreign.gives.output();

    let imported = foreign.read(onnx)?;
    let misfit = |reason: String| ForeignError::Misfit {
        path: onnx.to_owned(),
        reason,
    };
    let wanted = foreign.picture();
    if imported.graph.input() != wanted {
        return Err(misfit(format!(
            "takes {:?} (channels, height, width), where the input of {} makes {wanted:?}; channels are windows times planes",
            imported.graph.input(),
            card.display()
        )));
    }
    let outputs = imported.graph.outputs().first();
    let given = outputs.and_then(|(_, value)| imported.graph.shape(*value));
    if given != Some(&[LABELS.len()]) {
        return Err(misfit(format!(
            "gives values of the shape {:?} for a slice, where six are wanted; name another tensor with `output`",
            given.unwrap_or_default()
        )));
    }
    let ordered = output_in_order(&imported.graph, &imported.parameters, name, &order);
    let (graph, parameters) = ordered.map_err(|error| misfit(error.to_string()))?;
    let bytes = onnx::to_bytes(&graph, &parameters).map_err(|error| misfit(error.to_string()))?;
    let manifest = BundleManifest {
        format: 0,
        network: foreign.network.clone(),
        falx_version: env!("CARGO_PKG_VERSION").to_owned(),
        labels: Vec::new(),
        data_hash: "unknown: trained elsewhere".to_owned(),
        shuffled_labels: false,
        licence: foreign.licence.clone(),
        intended_use: foreign.intended_use.clone(),
        test_time_flip: false,
        smooth_mm: None,
        input: foreign.input.clone(),
        calibration: Vec::new(),
        prior: None,
        sequence: None,
        prevalence,
        training_prevalence: None,
        decisions: None,
        metrics: BundleMetrics::unmeasured(
            "the network was trained elsewhere, and nobody has judged it with falx",
        ),
        members: Vec::new(),
        parts: BTreeMap::new(),
    };
    let parts = BundleParts {
        model_onnx: &bytes,
        sequence_onnx: None,
        model_card: &model_card(&manifest),
    };
    // A network that falx reads may still give what is no probability.
    let runtime = runtime::prepare(&graph, parameters, 1);
    let mut model = Model::new(runtime.map_err(|error| misfit(error.to_string()))?, onnx);
    let [channels, rows, columns] = wanted;
    let black = vec![foreign.input.range[0]; channels * rows * columns];
    model.probabilities(&black, [1, channels, rows, columns])?;
    let bundle = Bundle::write(out, manifest, &parts)?;
    let notes = imported.notes.iter().map(ToString::to_string);
    Ok((bundle, notes.collect()))
}

impl Gives {
    /// What falx calls such an output.
    const fn output(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Probabilities => "probabilities",
        }
    }
}

impl ForeignNetwork {
    /// Channels, height and width.
    fn picture(&self) -> [usize; 3] {
        [self.input.channels(), self.input.size, self.input.size]
    }

    /// Where each of falx's labels lies among the network's.
    fn order(&self) -> Result<Vec<usize>, String> {
        let place = |label: Label| {
            let mut named = self.labels.iter();
            named.position(|name| name == label.name())
        };
        let places: Option<Vec<usize>> = LABELS.into_iter().map(place).collect();
        match places {
            Some(places) if self.labels.len() == LABELS.len() => Ok(places),
            _ => Err(format!(
                "`labels` must name each of {} once, in the order of the network's numbers; it has {:?}",
                names(),
                self.labels
            )),
        }
    }

    /// The prevalence in falx's order.
    fn shares(&self) -> Result<[f64; 6], String> {
        let share = |label: &Label| self.prevalence.get(label.name()).copied();
        let shares: Option<Vec<f64>> = LABELS.iter().map(share).collect();
        let shares = shares.and_then(|shares| <[f64; 6]>::try_from(shares).ok());
        let are_shares =
            |shares: &[f64; 6]| shares.iter().all(|share| *share > 0.0 && *share < 1.0);
        shares
            .filter(are_shares)
            .filter(|_| self.prevalence.len() == LABELS.len())
            .ok_or_else(|| {
                format!("`prevalence` must have a share between 0 and 1 for each of {}, and nothing else", names())
            })
    }

    /// The file; where it leaves its input's lengths open, for the pictures.
    fn read(&self, path: &Path) -> Result<Imported, ForeignError> {
        let with = |input: Option<Vec<usize>>| {
            let output = self.output.clone();
            onnx::read(path, &ReadOptions { input, output })
        };
        let read = match with(None) {
            Err(ReadError::Size { .. }) => with(Some(self.picture().to_vec())),
            other => other,
        };
        read.map_err(|source| ForeignError::Network {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }
}

fn names() -> String {
    LABELS.map(Label::name).join(", ")
}

#[cfg(test)]
mod tests;
