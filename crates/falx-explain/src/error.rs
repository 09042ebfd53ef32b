//! Why nothing is explained.

use std::path::{Path, PathBuf};

use falx_core::Label;
use falx_data::loader::LoaderError;
use falx_data::mask::MaskError;
use falx_data::samples::SamplesError;
use falx_infer::{PredictError, RuntimeError};
use falx_nn::onnx::OnnxError;
use falx_nn::{EngineError, SurgeryError};

/// Why there are no heat maps.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] falx_infer::BundleError),
    /// The network cannot be read by falx's own kernels, or has nothing of a name.
    #[error("{path}: {source}")]
    Network {
        /// The network's file.
        path: PathBuf,
        /// What is wrong.
        source: Box<SurgeryError>,
    },
    /// The network gives something else than six numbers a square picture.
    #[error(
        "{0}: the network has no output `logits` or `probabilities` of the six labels for square pictures; give a bundle made by \
         `falx train`"
    )]
    NotSixOutputs(PathBuf),
    /// A layer has no rows and columns.
    #[error(
        "{path}: `{layer}` is no map of the picture; `falx models show` names the layers and their shapes, or use --method \
         occlusion"
    )]
    NotAMap {
        /// The network's file.
        path: PathBuf,
        /// What was asked for.
        layer: String,
    },
    /// The head is none that CAM can use.
    #[error(
        "{0}: CAM needs a head that takes the mean of each map and has one linear layer; this one has another: use --method \
         grad-cam or occlusion"
    )]
    NoCam(PathBuf),
    /// The network cannot be cut.
    #[error("{path}: the network cannot be cut: {source}")]
    Cut {
        /// The network's file.
        path: PathBuf,
        /// What is wrong.
        source: OnnxError,
    },
    /// The network does not take the pictures.
    #[error("{path}: {source}; does the bundle's input fit the network?")]
    Engine {
        /// The network's file.
        path: PathBuf,
        /// What the engine said.
        source: EngineError,
    },
    /// The run-time refuses the network or the pictures.
    #[error("{path}: {source}")]
    Runtime {
        /// The network's file.
        path: PathBuf,
        /// What the run-time said.
        source: RuntimeError,
    },
    /// Slices cannot be predicted.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// Slices cannot be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The list of slices cannot be kept.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// A mask cannot be read.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// There is nothing to judge by.
    #[error(
        "none of {slices} slices has a mask; give an index of a data set with masks (CT-ICH), or --masks with a folder of NIfTI \
         volumes called by their Series Instance UID, as `falx phantom` writes them"
    )]
    NoMasks {
        /// How many slices there are.
        slices: usize,
    },
    /// No mask marks anything that has a map.
    #[error(
        "{masks} slices have a mask, but none of them marks {}; judge slices with a haemorrhage",
        listed(.labels)
    )]
    NothingMarked {
        /// Slices with a mask.
        masks: usize,
        /// The labels asked for.
        labels: Vec<Label>,
    },
    /// A bundle that was to have learnt from shuffled labels did not.
    #[error(
        "{0}: its labels were not shuffled; train the model's recipe with data.shuffle_labels = true (docs/explain.md)"
    )]
    NotShuffled(PathBuf),
    /// A bundle that was to have learnt from shuffled labels is of another recipe.
    #[error(
        "{0}: its {1} is not the model's; train the model's own recipe with data.shuffle_labels = true"
    )]
    OtherShuffled(PathBuf, &'static str),
    /// A file cannot be written.
    #[error("{path} cannot be written: {source}; choose a folder that may be written and has room")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A picture cannot be encoded, which no picture should bring about.
    #[error("{path} cannot be drawn: {source}; this is a bug in falx")]
    Draw {
        /// The picture's file.
        path: PathBuf,
        /// What the encoder said.
        source: png::EncodingError,
    },
    /// Somebody asked to stop.
    #[error("stopped before all slices were explained; what was written before is intact")]
    Interrupted,
}

fn listed(labels: &[Label]) -> String {
    let names: Vec<&str> = labels.iter().map(|label| label.name()).collect();
    names.join(", ")
}

impl ExplainError {
    pub(crate) fn engine(path: &Path, source: EngineError) -> Self {
        Self::Engine {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}
