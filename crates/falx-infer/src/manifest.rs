//! The manifest of a bundle: what its networks need to be used, and the checksum of every part.

use std::collections::BTreeMap;

use falx_data::input::InputSpec;
use falx_nn::zoo::SequenceConfig;
use serde::{Deserialize, Serialize};

use crate::{CalibrationLine, Decisions, MODEL_ONNX, PriorShift, SEQUENCE_ONNX};

/// The manifest, `bundle.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleManifest {
    /// Version of this format.
    pub format: u32,
    /// The network's name in the zoo; of an ensemble the names of all its networks.
    pub network: String,
    /// The version of falx that wrote the bundle.
    pub falx_version: String,
    /// The labels in the order of the network's outputs.
    pub labels: Vec<String>,
    /// Hash of the data (ids, pixels, labels) that the network was trained on; of an ensemble each hash once.
    pub data_hash: String,
    /// Whether the labels of the training data were dealt out anew among its slices: what it says means nothing, and it serves the
    /// sanity check of heat maps alone.
    #[serde(default, skip_serializing_if = "is_off")]
    pub shuffled_labels: bool,
    /// Terms under which the weights may be used.
    pub licence: String,
    /// What the model is meant for, and what it is not.
    pub intended_use: String,
    /// Whether a prediction is the mean of what a picture and its left–right mirror give.
    #[serde(default, skip_serializing_if = "is_off")]
    pub test_time_flip: bool,
    /// Predictions are smoothed along the series by a Gaussian of this standard deviation, in mm along the slice normal;
    /// left out = not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smooth_mm: Option<f64>,
    /// How a slice becomes the network's input.
    pub input: InputSpec,
    /// What the network's probabilities become before anything else; an ensemble's members have their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<CalibrationLine>,
    /// The correction of the prior, where training oversampled; an ensemble's members have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<PriorShift>,
    /// The network over series that reads what the network of slices gives, where there is one; an ensemble's members have
    /// their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<SequenceConfig>,
    /// Share of positive slices per label where the probabilities hold, the training data if nothing else is said: the
    /// no-skill prediction.
    pub prevalence: [f64; 6],
    /// The same of the training data, where the probabilities hold elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_prevalence: Option<[f64; 6]>,
    /// From which probabilities a haemorrhage is said to be there, or not; left out where too few patients were there to
    /// find that on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisions: Option<Decisions>,
    /// What the model reached.
    pub metrics: BundleMetrics,
    /// The networks of an ensemble, [`MODEL_ONNX`] first; none where the bundle is of one network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<BundleMember>,
    /// SHA-256 of every other file of the bundle.
    pub parts: BTreeMap<String, String>,
}

/// A score with what it is measured against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleMetrics {
    /// On which slices: `validation fold 0`, `locked test`.
    pub measured_on: String,
    /// Weighted multi-label log loss.
    pub weighted_log_loss: f64,
    /// The same loss when the prevalence of the training data is predicted for every slice.
    pub prevalence_baseline: f64,
}

impl BundleMetrics {
    /// Of a network that nobody has judged; `why`, after "measured on".
    pub fn unmeasured(why: &str) -> Self {
        Self {
            measured_on: format!("nothing: {why}"),
            weighted_log_loss: f64::NAN,
            prevalence_baseline: f64::NAN,
        }
    }

    /// Whether anybody has measured them.
    pub const fn is_measured(&self) -> bool {
        !self.weighted_log_loss.is_nan()
    }
}

/// One network of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleMember {
    /// Its file in the bundle.
    pub file: String,
    /// Its name in the zoo.
    pub network: String,
    /// The bundle that it was taken from: `fold-0`.
    pub origin: String,
    /// Hash of the data that it was trained on.
    pub data_hash: String,
    /// What its probabilities become before anything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<CalibrationLine>,
    /// The correction of its own prior, where its training oversampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<PriorShift>,
    /// Its own network over series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<SequenceConfig>,
    /// What it reached by itself.
    pub metrics: BundleMetrics,
}

impl BundleManifest {
    /// The oldest format that can say what this manifest says.
    pub(crate) fn needed_format(&self) -> u32 {
        let is_plain = !self.test_time_flip && self.smooth_mm.is_none();
        let networks = self.networks();
        let mut calibrations = networks.iter().map(|network| network.calibration);
        if self.shuffled_labels
            || self.input.own_window
            || calibrations.any(|lines| !lines.is_empty())
        {
            6
        } else if self.training_prevalence.is_some() || self.input.clip_hu.is_some() {
            5
        } else if let Some(decisions) = &self.decisions {
            if decisions.study_calibration.is_empty() {
                3
            } else {
                4
            }
        } else if self.members.is_empty() && self.sequence.is_none() && is_plain {
            1
        } else {
            2
        }
    }

    /// What is wrong with the list of members, if anything.
    pub(crate) fn fault_of_members(&self) -> Option<String> {
        if self.members.len() == 1 {
            return Some("an ensemble of one member is none".to_owned());
        }
        let mut named = self.members.iter().enumerate();
        let (at, member) = named.find(|(at, member)| member.file != member_file(*at))?;
        Some(format!(
            "its member {} is called `{}`, where `{}` is wanted",
            at + 1,
            member.file,
            member_file(at)
        ))
    }

    /// Its networks: one, or the members of an ensemble.
    pub(crate) fn networks(&self) -> Vec<NetworkFiles<'_>> {
        if self.members.is_empty() {
            let sequence = self.sequence.as_ref();
            return vec![NetworkFiles::of(0, &self.calibration, self.prior, sequence)];
        }
        let members = self.members.iter().enumerate();
        let files = members.map(|(at, member)| {
            let sequence = member.sequence.as_ref();
            NetworkFiles::of(at, &member.calibration, member.prior, sequence)
        });
        files.collect()
    }

    /// The files of its networks, each one's network of slices before its network over series.
    pub(crate) fn network_files(&self) -> Vec<String> {
        let files = |network: NetworkFiles<'_>| {
            std::iter::once(network.model).chain(network.sequence.map(|(file, _)| file))
        };
        self.networks().into_iter().flat_map(files).collect()
    }
}

/// The files of one network.
pub(crate) struct NetworkFiles<'a> {
    /// The network of slices.
    pub model: String,
    /// What its probabilities become first.
    pub calibration: &'a [CalibrationLine],
    /// The correction of its prior.
    pub prior: Option<PriorShift>,
    /// The network over series, and which one it is.
    pub sequence: Option<(String, &'a SequenceConfig)>,
}

impl<'a> NetworkFiles<'a> {
    fn of(
        at: usize,
        calibration: &'a [CalibrationLine],
        prior: Option<PriorShift>,
        sequence: Option<&'a SequenceConfig>,
    ) -> Self {
        Self {
            model: member_file(at),
            calibration,
            prior,
            sequence: sequence.map(|config| (sequence_file(at), config)),
        }
    }
}

/// The file of a member's network over series, by the member's place.
fn sequence_file(at: usize) -> String {
    match at {
        0 => SEQUENCE_ONNX.to_owned(),
        at => format!("sequence-{at}.onnx"),
    }
}

/// The file of a member, by its place: `model.onnx`, `model-1.onnx` and so on.
pub(crate) fn member_file(at: usize) -> String {
    match at {
        0 => MODEL_ONNX.to_owned(),
        at => format!("model-{at}.onnx"),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
const fn is_off(flag: &bool) -> bool {
    !*flag
}
