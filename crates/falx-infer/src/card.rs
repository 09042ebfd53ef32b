//! The model card, drafted from what was actually run.

use std::fmt::Write as _;

use falx_core::{LABELS, Window};

use crate::BundleManifest;

/// The card of a bundle as Markdown.
///
/// # Source
/// Sections after Mitchell et al., "Model Cards for Model Reporting" (2019).
pub fn model_card(manifest: &BundleManifest) -> String {
    let mut card = String::new();
    let windows: Vec<String> = manifest.input.windows.iter().copied().map(window).collect();
    // Writing to a String cannot fail.
    let _ = write!(
        card,
        "# Model card: {network}\n\n\
         Research use; not a medical device.\n\n\
         ## Model\n\n\
         - Network `{network}`, trained and exported by falx {version}\n\
         - Input: one slice of head CT in HU, {size} × {size} pixels, windows (centre/width) {windows}\n\
         - Output: the probability of each of {labels}\n\
         - Licence: {licence}\n\n\
         ## Intended use\n\n{intended_use}\n\n\
         ## Training data\n\n\
         - Hash of ids, pixels and labels: `{data_hash}`\n\
         - Share of positive slices: {prevalence}\n\n\
         ## Results\n\n\
         Measured on: {measured_on}.\n\n\
         | weighted log loss | prevalence of the training data for every slice |\n|---|---|\n\
         | {loss:.4} | {baseline:.4} |\n\n",
        network = manifest.network,
        version = manifest.falx_version,
        size = manifest.input.size,
        windows = windows.join(", "),
        labels = LABELS.map(falx_core::Label::name).join(", "),
        licence = manifest.licence,
        intended_use = manifest.intended_use,
        data_hash = manifest.data_hash,
        prevalence = prevalence(manifest),
        measured_on = manifest.metrics.measured_on,
        loss = manifest.metrics.weighted_log_loss,
        baseline = manifest.metrics.prevalence_baseline,
    );
    if manifest.metrics.weighted_log_loss >= manifest.metrics.prevalence_baseline {
        card.push_str(
            "**This model is not better than no skill on these slices. Do not use it.**\n\n",
        );
    }
    if let Some(prior) = manifest.prior {
        let _ = writeln!(
            card,
            "Training showed the network {:.1} % slices with haemorrhage where the data has {:.1} %; predictions are \
             corrected for this.",
            100.0 * prior.shown_any.get(),
            100.0 * prior.data_any.get()
        );
    }
    card
}

fn window(window: Window) -> String {
    format!("{}/{}", window.center(), window.width())
}

fn prevalence(manifest: &BundleManifest) -> String {
    let shares: Vec<String> = LABELS
        .iter()
        .zip(manifest.prevalence)
        .map(|(label, share)| format!("{label} {:.2} %", 100.0 * share))
        .collect();
    shares.join(", ")
}
