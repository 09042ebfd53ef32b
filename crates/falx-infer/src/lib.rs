//! Bundles and prediction: a trained model run on slices.
