//! What an evaluation holds. Everything here is plain data that travels as JSON.

use falx_core::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Undefined;

/// A score and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The score on the data as they are.
    pub value: f64,
    /// The lower end of the interval; `None` where resampling patients cannot give one.
    pub low: Option<f64>,
    /// The upper end of the interval.
    pub high: Option<f64>,
}

/// How a loss stands to the reference baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better than predicting prevalence, and the interval says so too.
    Skill,
    /// Better or worse, but the interval includes no skill (or there is no interval).
    Unclear,
    /// Not better than predicting prevalence for every slice.
    WorseThanNoSkill,
}

/// A prediction that knows nothing of the image, scored on the same cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What it predicts, in words.
    pub name: String,
    /// What it predicts for each label.
    pub prediction: [f64; 6],
    /// Its weighted log loss.
    pub weighted_log_loss: f64,
    /// The predictions' skill against it: `1 - loss / baseline`, the interval from the same resamples for both.
    /// `None` where the baseline's own loss is 0.
    pub skill: Option<Estimate>,
}

/// One bin of a reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// The lowest prediction in the bin.
    pub low: f64,
    /// The highest prediction in the bin.
    pub high: f64,
    /// The mean prediction in the bin.
    pub predicted: f64,
    /// The share of positives in the bin.
    pub observed: Estimate,
    /// Cases in the bin.
    pub count: u64,
}

/// How well probabilities agree with frequencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// At most ten bins of about equal numbers of cases; equal predictions share a bin.
    pub bins: Vec<Bin>,
    /// Expected calibration error: the mean distance of frequency and prediction, weighted by cases.
    pub expected_error: f64,
}

/// Sensitivity and its companions at one threshold: positive where the prediction is at least `threshold`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// How the threshold was chosen.
    pub rule: String,
    /// The threshold.
    pub threshold: f64,
    /// Positives called positive.
    pub true_positives: u64,
    /// Negatives called positive.
    pub false_positives: u64,
    /// Negatives called negative.
    pub true_negatives: u64,
    /// Positives called negative.
    pub false_negatives: u64,
    /// Share of the positives that are called positive.
    pub sensitivity: f64,
    /// Share of the negatives that are called negative.
    pub specificity: f64,
    /// Share of the called that are positive; `None` where none is called.
    pub positive_predictive_value: Option<f64>,
}

/// The scores of one label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelScore {
    /// The label.
    pub label: Label,
    /// Cases in which the label is known.
    pub known: u64,
    /// Positive cases.
    pub positives: u64,
    /// Patients with a positive case.
    pub positive_patients: u64,
    /// Mean log loss; `None` where no case knows the label.
    pub log_loss: Option<Estimate>,
    /// The reference baseline's mean log loss on the same cases.
    pub baseline_log_loss: Option<f64>,
    /// Area under the ROC curve; `None` where a class is missing.
    pub auc: Option<Estimate>,
    /// Average precision; the baseline is the prevalence. `None` where no case is positive.
    pub average_precision: Option<Estimate>,
    /// Why the area under the curve has no value.
    pub undefined: Option<Undefined>,
    /// True where too few cases or patients carry a class for digits to mean much.
    pub few: bool,
    /// What a reader must know of this row.
    pub note: Option<String>,
    /// The ROC curve as (1 - specificity, sensitivity), thinned to at most some two hundred points.
    pub roc: Vec<(f64, f64)>,
    /// Agreement of probabilities and frequencies.
    pub calibration: Calibration,
    /// What the label's predictions do as a test.
    pub operating_points: Vec<OperatingPoint>,
}

/// The scores per study: a study's prediction is the highest of its slices', its label positive where a slice's is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyScores {
    /// Studies scored.
    pub studies: u64,
    /// Patients they belong to.
    pub patients: u64,
    /// The weighted log loss over studies.
    pub weighted_log_loss: Estimate,
    /// How it stands to the reference baseline, the prevalence among these studies.
    pub verdict: Verdict,
    /// One row a label, in the fixed order.
    pub labels: Vec<LabelScore>,
    /// The no-skill baselines on the same studies.
    pub baselines: Vec<Baseline>,
}

/// Everything that was found out about a set of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Slices scored.
    pub slices: u64,
    /// Patients they belong to; the intervals resample these.
    pub patients: u64,
    /// Positive slices of each label, in the fixed order.
    pub positives: [u64; 6],
    /// Resamples behind every interval.
    pub replicates: u32,
    /// The seed of the resamples.
    pub seed: u64,
    /// The competition's weighted multi-label log loss.
    pub weighted_log_loss: Estimate,
    /// How it stands to the reference baseline, the first of `baselines`.
    pub verdict: Verdict,
    /// One row a label, in the fixed order.
    pub labels: Vec<LabelScore>,
    /// The no-skill baselines on the same slices: prevalence of the training folds (where given), of these slices, and one half.
    pub baselines: Vec<Baseline>,
    /// The scores per study, where the cases name their studies.
    pub study: Option<StudyScores>,
    /// What a reader must know before believing a number.
    pub warnings: Vec<String>,
}

impl Evaluation {
    /// The evaluation as the table that the command line prints.
    pub fn to_text(&self) -> String {
        crate::text::evaluation(self)
    }
}

impl std::fmt::Display for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_text())
    }
}
