//! The model card, drafted from what was actually run.

use std::fmt::Write as _;

use falx_core::{LABELS, RESEARCH_USE, Window};

use crate::{BundleManifest, BundleMetrics, CalibrationLine, Decisions, LabelRule};

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
         {RESEARCH_USE}\n\n\
         ## Model\n\n\
         - {what}, exported by falx {version}\n\
         - Input: one slice of head CT in HU, {size} × {size} pixels, windows (centre/width) {windows}\n\
         - Output: the probability of each of {labels}{flip}{series}\n\
         - Licence: {licence}\n\n\
         {members}## Intended use\n\n{intended_use}\n\n\
         ## Training data\n\n\
         - Hash of ids, pixels and labels: `{data_hash}`\n\
         - Share of positive slices: {prevalence}\n{stated}\n\
         ## Results\n\n\
         {results}\n\n",
        network = manifest.network,
        what = what(manifest),
        flip = flip(manifest),
        series = series(manifest),
        members = members(manifest),
        version = manifest.falx_version,
        size = manifest.input.size,
        windows = windows.join(", "),
        labels = LABELS.map(falx_core::Label::name).join(", "),
        licence = manifest.licence,
        intended_use = manifest.intended_use,
        data_hash = manifest.data_hash,
        prevalence = shares(&manifest.training_prevalence.unwrap_or(manifest.prevalence)),
        stated = stated(manifest),
        results = results(&manifest.metrics),
    );
    if manifest.metrics.weighted_log_loss >= manifest.metrics.prevalence_baseline {
        card.push_str(
            "**This model is not better than no skill on these slices. Do not use it.**\n\n",
        );
    }
    if let Some(prior) = manifest
        .prior
        .filter(|_| manifest.training_prevalence.is_none())
    {
        let _ = writeln!(
            card,
            "Training showed the network {:.1} % slices with haemorrhage where the data has {:.1} %; predictions are \
             corrected for this.",
            100.0 * prior.shown_any.get(),
            100.0 * prior.data_any.get()
        );
    }
    let networks = manifest.networks();
    if let Some(network) = networks.first().filter(|of| !of.calibration.is_empty()) {
        let of_each = if networks.len() > 1 {
            "each network's"
        } else {
            "the network's"
        };
        let _ = write!(
            card,
            "## Calibration\n\nA line on the logits (Platt scaling) makes of {of_each} own probabilities those that are given. It was found on \
             what networks gave of patients that they had not learnt from:\n\n",
        );
        card.push_str(&lines(network.calibration));
        card.push('\n');
    }
    if let Some(decisions) = &manifest.decisions {
        card.push_str(&presence(decisions));
    }
    card
}

/// Lines as a table.
fn lines(of: &[CalibrationLine]) -> String {
    let mut text =
        "| label | slope | intercept | patients with | patients without |\n|---|---|---|---|---|\n"
            .to_owned();
    for line in of {
        let _ = writeln!(
            text,
            "| {} | {:.3} | {:.3} | {} | {} |",
            line.label, line.slope, line.intercept, line.positive_patients, line.negative_patients
        );
    }
    text
}

fn results(metrics: &BundleMetrics) -> String {
    let measured_on = &metrics.measured_on;
    if !metrics.is_measured() {
        return format!("Measured on {measured_on}.");
    }
    format!(
        "Measured on: {measured_on}.\n\n\
         | weighted log loss | prevalence of the training data for every slice |\n|---|---|\n\
         | {:.4} | {:.4} |",
        metrics.weighted_log_loss, metrics.prevalence_baseline
    )
}

/// The rules of presence as a table.
fn presence(decisions: &Decisions) -> String {
    let mut text = format!(
        "## Present, absent, or no answer\n\n\
         Found by conformal prediction on: {}. What is neither ruled in nor ruled out is not answered.\n\n\
         | of a | label | error rate | absence not ruled out up to | presence not ruled out from | patients with | patients without |\n\
         |---|---|---|---|---|---|---|\n",
        decisions.found_on
    );
    let rules = |level: &'static str, rules: &[LabelRule]| {
        rules
            .iter()
            .map(move |rule| (level, *rule))
            .collect::<Vec<_>>()
    };
    for (level, rule) in [
        rules("slice", &decisions.slice),
        rules("study", &decisions.study),
    ]
    .concat()
    {
        let _ = writeln!(
            text,
            "| {level} | {} | {} % | {:.4} | {:.4} | {} | {} |",
            rule.label,
            100.0 * rule.error_rate,
            rule.absent_up_to,
            rule.present_from,
            rule.positive_patients,
            rule.negative_patients
        );
    }
    if !decisions.study_calibration.is_empty() {
        text.push_str(
            "\nA study's probability is made of the highest of its slices' by a line on the logits (Platt scaling), found on the \
             same patients:\n\n",
        );
        text.push_str(&lines(&decisions.study_calibration));
    }
    text
}

fn what(manifest: &BundleManifest) -> String {
    match manifest.members.len() {
        0 => format!("Network `{}`", manifest.network),
        count => format!(
            "Ensemble of {count} networks (`{}`): a prediction is the mean of their probabilities",
            manifest.network
        ),
    }
}

const fn flip(manifest: &BundleManifest) -> &'static str {
    if manifest.test_time_flip {
        ", the mean of what a picture and its left–right mirror give"
    } else {
        ""
    }
}

/// What is made of a series' slices together.
fn series(manifest: &BundleManifest) -> String {
    let mut text = String::new();
    let networks = manifest.networks().into_iter();
    let mut names: Vec<&str> = networks
        .filter_map(|network| Some(network.sequence?.1.model.name()))
        .collect();
    names.dedup();
    if !names.is_empty() {
        let _ = write!(
            text,
            "; a network over series (`{}`) reads the slices of a series together",
            names.join("`, `")
        );
    }
    if let Some(mm) = manifest.smooth_mm {
        let _ = write!(
            text,
            "; smoothed along the series, standard deviation {mm} mm"
        );
    }
    text
}

/// A table of the networks of an ensemble, each with what it reached by itself.
fn members(manifest: &BundleManifest) -> String {
    if manifest.members.is_empty() {
        return String::new();
    }
    let mut table =
        "| file | network | origin | weighted log loss | prevalence | measured on |\n|---|---|---|---|---|---|\n".to_owned();
    for member in &manifest.members {
        let _ = writeln!(
            table,
            "| {} | `{}` | {} | {:.4} | {:.4} | {} |",
            member.file,
            member.network,
            member.origin,
            member.metrics.weighted_log_loss,
            member.metrics.prevalence_baseline,
            member.metrics.measured_on
        );
    }
    table.push_str("\nEach is corrected for its own prior, where its training oversampled or the probabilities are for other data.\n\n");
    table
}

/// What a bundle is, for people: its networks, what they see, and what they reached.
pub fn bundle_text(manifest: &BundleManifest) -> String {
    let windows: Vec<String> = manifest.input.windows.iter().copied().map(window).collect();
    let mut text = format!(
        "{}{}{}\ninput: {size} x {size} pixels, windows {}\n",
        what(manifest).replace('`', ""),
        flip(manifest),
        series(manifest),
        windows.join(", "),
        size = manifest.input.size
    );
    let mut line = |name: &str, metrics: &BundleMetrics| {
        if !metrics.is_measured() {
            let _ = writeln!(text, "{name}: {}", metrics.measured_on);
            return;
        }
        let _ = writeln!(
            text,
            "{name}: weighted log loss {:.4}, prevalence {:.4}, on {}",
            metrics.weighted_log_loss, metrics.prevalence_baseline, metrics.measured_on
        );
    };
    line("result", &manifest.metrics);
    for member in &manifest.members {
        let name = format!(
            "{} ({} from {})",
            member.file, member.network, member.origin
        );
        line(&name, &member.metrics);
    }
    text.push_str(RESEARCH_USE);
    text
}

fn window(window: Window) -> String {
    format!("{}/{}", window.center(), window.width())
}

fn shares(of: &[f64; 6]) -> String {
    let shares: Vec<String> = LABELS
        .iter()
        .zip(of)
        .map(|(label, share)| format!("{label} {:.2} %", 100.0 * share))
        .collect();
    shares.join(", ")
}

/// Where the probabilities hold, if not in data like the training's.
fn stated(manifest: &BundleManifest) -> String {
    if manifest.training_prevalence.is_none() {
        return String::new();
    }
    format!(
        "- Probabilities are for slices of which these shares are positive: {}; elsewhere shift them (`falx predict --prevalence`)\n",
        shares(&manifest.prevalence)
    )
}
