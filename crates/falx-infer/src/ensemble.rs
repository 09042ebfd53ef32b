//! Several bundles as one: their networks beside each other, and the mean of what these say.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::manifest::member_file;
use crate::{
    Bundle, BundleError, BundleManifest, BundleMember, BundleMetrics, Decisions, MODEL_ONNX,
    model_card,
};

/// A bundle that joins an ensemble.
#[derive(Clone, Debug)]
pub struct Joining {
    /// What the ensemble calls its origin: a folder's name, without the folders above it.
    pub origin: String,
    /// The bundle; an ensemble joins with each of its networks.
    pub bundle: Bundle,
}

/// Why there is no ensemble.
#[derive(Debug, thiserror::Error)]
pub enum EnsembleError {
    /// One network has no mean.
    #[error("an ensemble needs at least two networks, and {0} given; name further bundles or runs")]
    TooFew(&'static str),
    /// Networks that do not see the same.
    #[error(
        "{second} does not see what {first} sees: {what}; slices are drawn once for all networks of an ensemble, so give \
         bundles with one input"
    )]
    Differ {
        /// A bundle.
        first: String,
        /// The other one.
        second: String,
        /// What differs, with both values.
        what: String,
    },
    /// The same network again.
    #[error("{second} holds the same network as {first}, which would count twice; name each once")]
    Twice {
        /// Where it was first.
        first: String,
        /// Where it was again.
        second: String,
    },
    /// There is a bundle in its place.
    #[error("{0}: there is a bundle here already; choose another --out")]
    Exists(PathBuf),
    /// A bundle cannot be written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Writes the ensemble of all networks of these bundles to `out`, each with the same weight.
///
/// `metrics` are what was measured of it; left out, the card says the mean of what the members reached by themselves,
/// and that nobody judged the whole.
///
/// # Errors
/// [`EnsembleError`]: fewer than two networks, one twice, other inputs, a bundle in the place, or a file that fails.
pub fn average(
    out: &Path,
    joining: &[Joining],
    metrics: Option<BundleMetrics>,
) -> Result<Bundle, EnsembleError> {
    if Bundle::is_at(out) {
        return Err(EnsembleError::Exists(out.to_owned()));
    }
    write_ensemble(out, joining, metrics, None)
}

/// The same in place of whatever bundle is there, with the rules of presence that somebody found for the ensemble.
///
/// # Errors
/// As [`average`], but for a bundle in the place.
pub fn write_ensemble(
    out: &Path,
    joining: &[Joining],
    metrics: Option<BundleMetrics>,
    decisions: Option<Decisions>,
) -> Result<Bundle, EnsembleError> {
    let Some(first) = joining.first() else {
        return Err(EnsembleError::TooFew("none is"));
    };
    for other in joining {
        if let Some(what) = difference(first.bundle.manifest(), other.bundle.manifest()) {
            return Err(EnsembleError::Differ {
                first: first.origin.clone(),
                second: other.origin.clone(),
                what,
            });
        }
    }
    check_twice(joining)?;
    let mut members: Vec<BundleMember> = joining.iter().flat_map(members_of).collect();
    if members.len() < 2 {
        return Err(EnsembleError::TooFew("one is"));
    }
    for (at, member) in members.iter_mut().enumerate() {
        member.file = member_file(at);
    }
    let mut manifest = manifest(joining, members, metrics);
    manifest.decisions = decisions;
    let card = model_card(&manifest);
    // One at a time: all together they may be larger than memory.
    let networks = joining.iter().flat_map(|joining| {
        let files = joining.bundle.manifest().network_files();
        files
            .into_iter()
            .map(|file| joining.bundle.read(&file).map(Cow::Owned))
    });
    Ok(Bundle::write_networks(out, manifest, networks, &card)?)
}

/// The networks of a bundle as members of another.
fn members_of(joining: &Joining) -> Vec<BundleMember> {
    let manifest = joining.bundle.manifest();
    if manifest.members.is_empty() {
        return vec![BundleMember {
            file: MODEL_ONNX.to_owned(),
            network: manifest.network.clone(),
            origin: joining.origin.clone(),
            data_hash: manifest.data_hash.clone(),
            calibration: manifest.calibration.clone(),
            prior: manifest.prior,
            sequence: manifest.sequence.clone(),
            metrics: manifest.metrics.clone(),
        }];
    }
    let mut members = manifest.members.clone();
    for member in &mut members {
        member.origin = format!("{}/{}", joining.origin, member.origin);
    }
    members
}

fn manifest(
    joining: &[Joining],
    members: Vec<BundleMember>,
    metrics: Option<BundleMetrics>,
) -> BundleManifest {
    let manifests = || joining.iter().map(|joining| joining.bundle.manifest());
    let each_once = |what: &mut dyn Iterator<Item = &str>, between: &str| {
        let mut seen = BTreeSet::new();
        let once: Vec<&str> = what.filter(|text| seen.insert(*text)).collect();
        once.join(between)
    };
    let mean = |shares: &dyn Fn(&BundleManifest) -> [f64; 6]| {
        let mut mean = [0.0; 6];
        for manifest in manifests() {
            let weight = manifest.members.len().max(1) as f64 / members.len() as f64;
            for (mean, share) in mean.iter_mut().zip(shares(manifest)) {
                *mean += weight * share;
            }
        }
        mean
    };
    let prevalence = mean(&|manifest| manifest.prevalence);
    let is_stated = manifests().any(|manifest| manifest.training_prevalence.is_some());
    let training_prevalence = is_stated
        .then(|| mean(&|manifest| manifest.training_prevalence.unwrap_or(manifest.prevalence)));
    BundleManifest {
        format: 0,
        network: each_once(&mut members.iter().map(|m| m.network.as_str()), ", "),
        falx_version: env!("CARGO_PKG_VERSION").to_owned(),
        labels: Vec::new(),
        data_hash: each_once(&mut members.iter().map(|m| m.data_hash.as_str()), ", "),
        shuffled_labels: manifests().any(|m| m.shuffled_labels),
        licence: each_once(&mut manifests().map(|m| m.licence.as_str()), "; "),
        intended_use: each_once(&mut manifests().map(|m| m.intended_use.as_str()), " "),
        test_time_flip: manifests().any(|m| m.test_time_flip),
        // All have the same.
        input: manifests()
            .next()
            .map(|m| m.input.clone())
            .unwrap_or_default(),
        calibration: Vec::new(),
        prior: None,
        sequence: None,
        smooth_mm: manifests().next().and_then(|m| m.smooth_mm),
        prevalence,
        training_prevalence,
        // The members' rules are of their own probabilities.
        decisions: None,
        metrics: metrics.unwrap_or_else(|| mean_of_metrics(&members)),
        members,
        parts: std::collections::BTreeMap::new(),
    }
}

/// What the members reached, each on its own slices.
fn mean_of_metrics(members: &[BundleMember]) -> BundleMetrics {
    let mean = |value: fn(&BundleMetrics) -> f64| {
        let sum: f64 = members.iter().map(|member| value(&member.metrics)).sum();
        sum / members.len() as f64
    };
    BundleMetrics {
        measured_on: "the members one by one, each on the slices that its own bundle names; this is the mean of their \
            losses, and nobody has judged the ensemble yet"
            .to_owned(),
        weighted_log_loss: mean(|metrics| metrics.weighted_log_loss),
        prevalence_baseline: mean(|metrics| metrics.prevalence_baseline),
    }
}

fn check_twice(joining: &[Joining]) -> Result<(), EnsembleError> {
    let mut seen: Vec<(Vec<&String>, &str)> = Vec::new();
    for joining in joining {
        let manifest = joining.bundle.manifest();
        for network in manifest.networks() {
            // The same network of slices may have two networks over series.
            let files = [Some(network.model), network.sequence.map(|(file, _)| file)];
            let files = files.iter().flatten();
            let sum: Vec<&String> = files.filter_map(|file| manifest.parts.get(file)).collect();
            if let Some((_, first)) = seen.iter().find(|(other, _)| *other == sum) {
                return Err(EnsembleError::Twice {
                    first: (*first).to_owned(),
                    second: joining.origin.clone(),
                });
            }
            seen.push((sum, &joining.origin));
        }
    }
    Ok(())
}

/// What two networks see differently, in words.
fn difference(first: &BundleManifest, second: &BundleManifest) -> Option<String> {
    if first.test_time_flip != second.test_time_flip {
        let word = |flips: bool| if flips { "asks" } else { "does not ask" };
        return Some(format!(
            "the first {} for test_time_flip, the second {}",
            word(first.test_time_flip),
            word(second.test_time_flip)
        ));
    }
    if first.smooth_mm != second.smooth_mm {
        let word = |mm: Option<f64>| mm.map_or_else(|| "not".to_owned(), |mm| format!("{mm} mm"));
        return Some(format!(
            "smooth_mm is {} in the first and {} in the second",
            word(first.smooth_mm),
            word(second.smooth_mm)
        ));
    }
    if first.input == second.input {
        return None;
    }
    let keys =
        |manifest: &BundleManifest| toml::Table::try_from(&manifest.input).unwrap_or_default();
    let (a, b) = (keys(first), keys(second));
    let shown = |value: Option<&toml::Value>| {
        value.map_or_else(|| "not given".to_owned(), ToString::to_string)
    };
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differing = names.into_iter().find(|name| a.get(*name) != b.get(*name));
    Some(differing.map_or_else(
        || "their inputs differ".to_owned(),
        |name| {
            let (a, b) = (shown(a.get(name)), shown(b.get(name)));
            format!("input.{name} is {a} in the first and {b} in the second")
        },
    ))
}
