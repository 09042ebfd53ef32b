//! What an evaluation holds. Everything here is plain data that travels as JSON.

use falx_core::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calibration::{FitError, Recalibrations};
use crate::level::PERFECT;
use crate::operating::{ChosenOn, DecisionCurve, LockedPoints, RocBandPoint};
use crate::readers::Readers;
use crate::score::Brier;
use crate::subgroup::Subgroups;
use crate::worklist::WorklistGain;
use crate::{Abstention, Aggregation, Undefined};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// What it predicts, in words.
    pub name: String,
    /// What it predicts for each label; `None` where that differs from case to case.
    pub prediction: Option<[f64; 6]>,
    /// Its weighted log loss.
    pub weighted_log_loss: f64,
    /// The predictions' skill against it: `1 - loss / baseline`, the interval from the same resamples for both.
    /// `None` where the baseline's own loss is 0.
    pub skill: Option<Estimate>,
}

/// One bin of a reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Were the predictions right, the share of positives would lie above this in 97.5 % of repetitions.
    pub consistency_low: f64,
    /// And below this in 97.5 %.
    pub consistency_high: f64,
}

/// How well probabilities agree with frequencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// At most ten bins of about equal numbers of cases; equal predictions share a bin.
    pub bins: Vec<Bin>,
    /// Expected calibration error: the mean distance of frequency and prediction, weighted by cases.
    pub expected_error: f64,
    /// The same with part of what chance adds in small samples taken off; `None` where a bin has fewer than two patients.
    pub expected_error_debiased: Option<f64>,
    /// The largest distance of any bin; `None` without cases.
    pub maximum_error: Option<f64>,
    /// The calibration slope: below 1 where predictions are too extreme.
    pub slope: Option<Estimate>,
    /// The intercept beside that slope, in logits.
    pub intercept: Option<Estimate>,
    /// Calibration in the large: the intercept with a slope of 1, in logits; above 0 where predictions are too low.
    pub in_the_large: Option<Estimate>,
    /// Why the slope has no value.
    pub slope_undefined: Option<FitError>,
    /// Predictions nearer to 0 or 1 than 1e-15, which weigh heavily in the slope.
    #[serde(default)]
    pub clipped: u64,
    /// The Brier score and its parts over the same bins.
    pub brier: Option<Brier>,
}

/// Sensitivity and its companions at one threshold: positive where the prediction is at least `threshold`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Share of those not called that are negative; `None` where all are called.
    pub negative_predictive_value: Option<f64>,
    /// The harmonic mean of sensitivity and positive predictive value.
    pub f1: Option<f64>,
    /// Sensitivity ÷ (1 − specificity); `None` without a false alarm.
    pub positive_likelihood_ratio: Option<f64>,
    /// (1 − sensitivity) ÷ specificity; `None` without a true negative.
    pub negative_likelihood_ratio: Option<f64>,
    /// On whom the threshold was chosen.
    pub chosen_on: ChosenOn,
}

/// The scores of one label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelScore {
    /// The label.
    #[schemars(with = "crate::schema::LabelName")]
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
    /// The Brier score, the mean squared distance of prediction and truth; `None` where no case knows the label.
    pub brier: Option<Estimate>,
    /// Area under the ROC curve; `None` where a class is missing.
    pub auc: Option<Estimate>,
    /// The same area with the interval by formula: `DeLong`'s for clustered cases, on the logit scale. `None` where a class
    /// lies in a single patient.
    pub auc_delong: Option<Estimate>,
    /// The area over specificities of at least 90 %, standardised: 0.5 is chance and 1 perfect.
    pub partial_auc: Option<Estimate>,
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
    /// The curve's sensitivity at fixed specificities with pointwise intervals; empty where a class is missing, and over series.
    #[serde(default)]
    pub roc_band: Vec<RocBandPoint>,
    /// Agreement of probabilities and frequencies.
    pub calibration: Calibration,
    /// What the label's predictions do as a test.
    pub operating_points: Vec<OperatingPoint>,
    /// What recalibration gains, fitted on other patients than those it is judged on; of slices and studies, not of series.
    #[serde(default)]
    pub recalibration: Option<Recalibrations>,
    /// Thresholds that were found on other patients than those they are judged on; of slices and studies, not of series.
    #[serde(default)]
    pub locked_points: Option<LockedPoints>,
    /// What acting on the predictions is worth; of slices and studies, not of series, and where both classes occur.
    #[serde(default)]
    pub decision_curve: Option<DecisionCurve>,
}

/// The scores per series, as [`StudyScores`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesScores {
    /// Series scored.
    pub series: u64,
    /// Patients they belong to.
    pub patients: u64,
    /// How the slices' predictions became the series'.
    #[serde(default)]
    pub aggregation: Aggregation,
    /// The weighted log loss over series.
    pub weighted_log_loss: Estimate,
    /// How it stands to the reference baseline, the prevalence among these series.
    pub verdict: Verdict,
    /// One row a label, in the fixed order.
    pub labels: Vec<LabelScore>,
    /// The no-skill baselines on the same series.
    pub baselines: Vec<Baseline>,
}

/// The scores per study: its prediction is aggregated from its slices', its label positive where a slice's is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyScores {
    /// Studies scored.
    pub studies: u64,
    /// Patients they belong to.
    pub patients: u64,
    /// How the slices' predictions became the study's.
    #[serde(default)]
    pub aggregation: Aggregation,
    /// The weighted log loss over studies.
    pub weighted_log_loss: Estimate,
    /// How it stands to the reference baseline, the prevalence among these studies.
    pub verdict: Verdict,
    /// One row a label, in the fixed order.
    pub labels: Vec<LabelScore>,
    /// The no-skill baselines on the same studies.
    pub baselines: Vec<Baseline>,
}

/// What studies score under one of the offered aggregations.
///
/// To choose the best of them on the cases that are judged is to learn from these; name the choice beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AggregationScore {
    /// How the slices' predictions became the study's.
    pub aggregation: Aggregation,
    /// The weighted log loss over studies.
    pub weighted_log_loss: f64,
    /// The area under the ROC curve of `any` over studies; `None` where a class is missing.
    pub auc_of_any: Option<f64>,
}

/// What the main scores count: one thing of this kind is one case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitOfAnalysis {
    /// A slice.
    #[default]
    Slice,
    /// A study, where only whole studies have a truth.
    Study,
}

impl UnitOfAnalysis {
    /// One of them, as text and page call it.
    pub const fn one(self) -> &'static str {
        match self {
            Self::Slice => "slice",
            Self::Study => "study",
        }
    }

    /// Several of them.
    pub const fn many(self) -> &'static str {
        match self {
            Self::Slice => "slices",
            Self::Study => "studies",
        }
    }
}

/// On which cases thresholds and corrections were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Development {
    /// On other patients' cases, which were given.
    Given {
        /// Cases with a known label.
        cases: u64,
        /// Their patients.
        patients: u64,
    },
    /// On the judged cases themselves, fold by fold: each patient is judged with what the other folds' patients gave.
    CrossFitted {
        /// Folds of patients.
        folds: u32,
    },
}

/// Everything that was found out about a set of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// What the scores below count: slices, or studies where only these have a truth.
    #[serde(default)]
    pub unit: UnitOfAnalysis,
    /// Slices whose predictions are scored; where studies are the unit, those that these are aggregated from.
    pub slices: u64,
    /// Patients they belong to; the intervals resample these.
    pub patients: u64,
    /// Positive cases of each label, in the fixed order.
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
    /// The no-skill baselines on the same slices: prevalence of the training folds (where given), of these slices, one
    /// half, and metadata alone (where known).
    pub baselines: Vec<Baseline>,
    /// The scores per series, where the cases name their series.
    #[serde(default)]
    pub series: Option<SeriesScores>,
    /// The scores per study, where the cases name their studies; `None` where studies are the unit of all of it.
    pub study: Option<StudyScores>,
    /// The loss and the AUC of studies under every aggregation that is offered.
    #[serde(default)]
    pub aggregations: Vec<AggregationScore>,
    /// On which cases thresholds and corrections were found.
    #[serde(default)]
    pub development: Option<Development>,
    /// What abstaining does: prediction sets, bounded misses, selective risk.
    #[serde(default)]
    pub abstention: Option<Abstention>,
    /// What the locked threshold of `any` would do to an assumed department's work list, where there are studies.
    #[serde(default)]
    pub worklist: Option<WorklistGain>,
    /// The scores of parts of the population, where the cases' attributes make groups.
    #[serde(default)]
    pub subgroups: Option<Subgroups>,
    /// How readers agree, and the model among them, where their own reads are known.
    #[serde(default)]
    pub readers: Option<Readers>,
    /// What a reader must know before believing a number.
    pub warnings: Vec<String>,
}

impl LabelScore {
    /// Whether the reference does better; where it cannot be wrong, for there is one outcome only, nothing can be said.
    pub(crate) fn is_worse_than_no_skill(&self) -> bool {
        match (self.log_loss, self.baseline_log_loss) {
            (Some(loss), Some(baseline)) => baseline > PERFECT && loss.value > baseline,
            _ => false,
        }
    }
}

impl Evaluation {
    /// What had a prediction of its own: slices, or studies where each was predicted as a whole.
    pub fn predicted(&self) -> UnitOfAnalysis {
        let studies = self.labels.iter().map(|s| s.known).max();
        match self.unit {
            UnitOfAnalysis::Study if studies.is_some_and(|n| n >= self.slices) => self.unit,
            _ => UnitOfAnalysis::Slice,
        }
    }

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
