//! The models that commands are given: a bundle, a run, a cross-validation, or the one in the box.

use std::path::Path;

use falx_core::Label;
use falx_infer::{Bundle, BundleError, DetectError, Detector, PredictOptions, is_one_file};
use falx_train::bundle_in;

use crate::cli::DEFAULT_MODEL;

/// Opens the bundle of a name; see [`DEFAULT_MODEL`].
///
/// # Errors
/// [`BundleError`].
pub fn open(model: &Path) -> Result<Bundle, BundleError> {
    if is_default(model) {
        Bundle::in_the_box()
    } else {
        Bundle::open(&bundle_in(model))?.meaningful()
    }
}

/// Whether a name is a bundle's or a run's, and not that of a network or of a file of weights.
pub fn is_bundle(model: &Path) -> bool {
    is_default(model) || model.is_dir() || model.is_file() && is_one_file(model)
}

/// A detector with the bundle of a name, which is checked.
///
/// # Errors
/// [`DetectError`].
pub fn detector(model: &Path, options: PredictOptions) -> Result<Detector, DetectError> {
    if is_default(model) {
        Detector::in_the_box(options)
    } else {
        Detector::load(&bundle_in(model), options)
    }
}

/// What a command says of the model in the box, where that was used.
pub fn said(model: &Path, bundle: &Bundle) -> Option<String> {
    let manifest = bundle.manifest();
    is_default(model).then(|| {
        format!(
            "by the model in the box ({}; licence: {}), whose probabilities are for data with haemorrhage in {:.1} % of the slices: \
             `falx models show {DEFAULT_MODEL}`",
            manifest.network,
            manifest.licence,
            100.0 * manifest.prevalence[Label::Any.index()]
        )
    })
}

/// Whether a name is the model in the box's, and not that of something on the disk.
fn is_default(model: &Path) -> bool {
    model == Path::new(DEFAULT_MODEL) && !model.exists()
}
