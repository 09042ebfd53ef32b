//! What a bundle needs to say "present", "absent" or "I do not know" with an error rate that it keeps.

use falx_core::{LABELS, Label, Probability};
use falx_eval::Outcomes;
use falx_eval::conformal::{ConformalModel, ConformalOptions, PredictionSet, fit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CalibrationLine;

/// Whether a haemorrhage is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
    /// At the error rate that is promised neither can be ruled out, or the case is like none that the model was judged on.
    Abstains,
}

impl Presence {
    /// Its name in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Abstains => "abstains",
        }
    }
}

impl From<PredictionSet> for Presence {
    fn from(set: PredictionSet) -> Self {
        match set {
            PredictionSet::Yes => Self::Present,
            PredictionSet::No => Self::Absent,
            PredictionSet::Neither | PredictionSet::Both => Self::Abstains,
        }
    }
}

/// One label's rule: which probabilities rule a haemorrhage in, and which rule it out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelRule {
    /// The label.
    pub label: Label,
    /// The share of haemorrhages that may be called absent, and of heads without one that may be called present.
    pub error_rate: f64,
    /// Up to this probability absence is not ruled out.
    pub absent_up_to: f64,
    /// From this probability presence is not ruled out.
    pub present_from: f64,
    /// Patients with a case of the label that the rule was found on.
    pub positive_patients: u64,
    /// Patients with a case without it.
    pub negative_patients: u64,
}

impl LabelRule {
    fn of(label: Label, model: &ConformalModel) -> Option<Self> {
        Some(Self {
            label,
            error_rate: model.options.alpha,
            absent_up_to: model.quantiles.no?,
            present_from: 1.0 - model.quantiles.yes?,
            positive_patients: model.patients.yes,
            negative_patients: model.patients.no,
        })
    }

    /// What this probability allows to say.
    pub fn presence(&self, probability: Probability) -> Presence {
        let p = probability.get();
        PredictionSet::new(p <= self.absent_up_to, p >= self.present_from).into()
    }
}

/// The rules of a bundle, on the scale of its own probabilities: before they are shifted to another prevalence.
///
/// Each is split conformal prediction by class with patients as units, so that its promise holds whatever the prevalence
/// is, for patients like those that it was found on.
///
/// # Source
/// [`falx_eval::conformal`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// On whose predictions the rules were found.
    pub found_on: String,
    /// For slices.
    pub slice: Vec<LabelRule>,
    /// For studies, whose probability is the highest of their slices'; none where studies are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub study: Vec<LabelRule>,
    /// How the highest probability of a study's slices becomes the study's own; none where too few patients were there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub study_calibration: Vec<CalibrationLine>,
}

/// Cases of one label: what is true, what was predicted, and whose they are, numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct LabelCases {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    patient: Vec<u32>,
}

impl LabelCases {
    /// Adds a case.
    pub fn add(&mut self, truth: bool, prediction: Probability, patient: u32) {
        self.truth.push(truth);
        self.prediction.push(prediction.get());
        self.patient.push(patient);
    }

    /// The rule that these cases allow; `None` where either class has too few patients to rule it out ever.
    pub fn rule(&self, label: Label, error_rate: f64) -> Option<LabelRule> {
        let outcomes = Outcomes::new(&self.truth, &self.prediction, &self.patient).ok()?;
        let options = ConformalOptions {
            alpha: error_rate,
            ..ConformalOptions::default()
        };
        let model = fit(&outcomes, &options).ok()?;
        // With one side alone even certainty would be no answer.
        LabelRule::of(label, &model)
    }

    /// The line that makes these cases' predictions probabilities; `None` where either class has too few patients, or higher
    /// predictions do not go with more haemorrhages.
    ///
    /// # Source
    /// [`falx_eval::calibration::Platt`] scaling with smoothed targets.
    pub fn line(&self, label: Label) -> Option<CalibrationLine> {
        let outcomes = Outcomes::new(&self.truth, &self.prediction, &self.patient).ok()?;
        CalibrationLine::fit(label, &outcomes)
    }
}

/// What the rules of a level say of six probabilities; `None` for a label without a rule.
pub fn presences(rules: &[LabelRule], probabilities: [Probability; 6]) -> [Option<Presence>; 6] {
    LABELS.map(|label| {
        let rule = rules.iter().find(|rule| rule.label == label)?;
        Some(rule.presence(probabilities[label.index()]))
    })
}
