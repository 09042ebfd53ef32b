//! Bundles and prediction: what training ends with, checked when it is loaded, and run on slices.
//!
//! A bundle carries everything a prediction needs: the network (`model.onnx`), how a slice becomes its input, the
//! correction of the prior that training distorted, and the SHA-256 of every part. A [`runtime`] executes the network. An
//! ensemble is a bundle of several networks, whose probabilities are averaged.

mod answer;
mod bundle;
mod calibration;
mod card;
mod decisions;
mod detector;
mod ensemble;
mod foreign;
mod kernel;
mod manifest;
mod mean;
mod model;
mod networks;
mod packed;
mod parts;
mod predict;
mod prior;
pub mod runtime;
mod series;
mod studies;

pub use answer::{
    Answer, AnswerHead, Finding, Findings, LostFile, LostSlice, ModelNamed, SeriesAnswer,
    SliceAnswer, StudyAnswer, answer_schema,
};
pub use bundle::{
    Bundle, BundleError, BundleNetwork, BundleParts, MANIFEST, MODEL_CARD, MODEL_ONNX,
    SEQUENCE_ONNX,
};
pub use calibration::{CalibrationLine, calibrated};
pub use card::{bundle_text, model_card};
pub use decisions::{Decisions, LabelCases, LabelRule, Presence, presences};
pub use detector::{DetectError, Detector};
pub use ensemble::{EnsembleError, Joining, average, write_ensemble};
pub use foreign::{ForeignError, ForeignNetwork, Gives, import_bundle};
pub use kernel::KernelKind;
pub use manifest::{BundleManifest, BundleMember, BundleMetrics};
pub use mean::{Mean, mean_of_predictions, mirrored};
pub use model::{Model, ModelError};
pub use packed::{Judgement, PackError, Packing, Restated, pack};
pub use parts::is_one_file;
pub use predict::{PredictError, PredictOptions, Predicted, Unreadable, predict, samples};
pub use prior::{InvalidPrior, PriorShift, SubtypeShift};
pub use runtime::{Runtime, RuntimeError, RuntimeKind};
pub use series::{SeriesModel, smoothed};
pub use studies::{Caveat, NoSuchSeries, Refused, SeriesChoice, SeriesFacts, Study, studies};

#[cfg(test)]
mod tests;
