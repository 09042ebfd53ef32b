//! Lines on the logits that make of a network's numbers the probabilities that they are called.

use std::collections::HashSet;

use falx_core::{Label, Probability};
use falx_eval::Outcomes;
use falx_eval::calibration::{Platt, PlattTargets};
use serde::{Deserialize, Serialize};

/// Patients of either class from which on a line is fitted: ten for each of its two numbers. With fewer it says more of chance
/// than of the model.
const LEAST_PATIENTS: usize = 20;

/// One label's line: from a slice's probability to a better one, or from the highest of a study's slices to the study's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationLine {
    /// The label.
    pub label: Label,
    /// What the logit of the probability is multiplied by.
    pub slope: f64,
    /// What is added then.
    pub intercept: f64,
    /// Patients with a case of the label that the line was found on.
    pub positive_patients: u64,
    /// Patients with a case without it.
    pub negative_patients: u64,
}

impl CalibrationLine {
    /// The line with the least log loss; `None` where either class has too few patients, or higher predictions do not go with
    /// more haemorrhages.
    ///
    /// # Source
    /// [`Platt`] scaling with smoothed targets.
    pub fn fit(label: Label, outcomes: &Outcomes) -> Option<Self> {
        let patients = |class: bool| {
            let cases = outcomes.cluster().iter().zip(outcomes.truth());
            let of_class = cases.filter(|&(_, &truth)| truth == class);
            of_class
                .map(|(patient, _)| patient)
                .collect::<HashSet<_>>()
                .len()
        };
        let (positive, negative) = (patients(true), patients(false));
        if positive.min(negative) < LEAST_PATIENTS {
            return None;
        }
        let line = Platt::fit(outcomes, PlattTargets::Smoothed).ok()?;
        Some(Self {
            label,
            slope: line.slope,
            intercept: line.intercept,
            positive_patients: positive as u64,
            negative_patients: negative as u64,
        })
    }

    /// What it makes of a probability.
    pub fn probability(&self, p: Probability) -> Probability {
        let line = Platt {
            slope: self.slope,
            intercept: self.intercept,
        };
        Probability::new(line.apply(p.get())).unwrap_or(p)
    }
}

/// Six probabilities made better, where there is a line for the label; `any` stays at least as likely as each subtype.
pub fn calibrated(lines: &[CalibrationLine], given: [Probability; 6]) -> [Probability; 6] {
    if lines.is_empty() {
        return given;
    }
    let mut better = given;
    for line in lines {
        let at = line.label.index();
        better[at] = line.probability(given[at]);
    }
    let most_likely = better
        .into_iter()
        .max_by(|a, b| a.get().total_cmp(&b.get()));
    better[Label::Any.index()] = most_likely.unwrap_or_default();
    better
}
