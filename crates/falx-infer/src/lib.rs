//! Bundles and prediction: what training ends with, checked when it is loaded, and run on slices.
//!
//! A bundle carries everything a prediction needs: the network (`model.onnx`), how a slice becomes its input, the
//! correction of the prior that training distorted, and the SHA-256 of every part. A [`runtime`] executes the network.

mod bundle;
mod card;
mod model;
mod predict;
mod prior;
pub mod runtime;

pub use bundle::{
    Bundle, BundleError, BundleManifest, BundleMetrics, BundleParts, MODEL_CARD, MODEL_ONNX,
};
pub use card::model_card;
pub use model::{Model, ModelError};
pub use predict::{PredictError, PredictOptions, Predicted, Unreadable, predict, samples};
pub use prior::{InvalidPrior, PriorShift, SubtypeShift};
pub use runtime::{Runtime, RuntimeError, RuntimeKind};

#[cfg(test)]
mod tests;
