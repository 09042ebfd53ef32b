//! The distance between the best and the worst group.

use falx_core::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Estimate;

/// What is compared between groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapMetric {
    /// Area under the ROC curve.
    Auc,
    /// Sensitivity at the locked threshold.
    Sensitivity,
    /// Specificity at the locked threshold.
    Specificity,
}

impl GapMetric {
    pub(super) const ALL: [Self; 3] = [Self::Auc, Self::Sensitivity, Self::Specificity];

    /// The metric's place in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for GapMetric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auc => "AUC",
            Self::Sensitivity => "sensitivity",
            Self::Specificity => "specificity",
        })
    }
}

/// The fairness gap: the largest minus the smallest of the groups' values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// The axis.
    pub axis: String,
    /// The label.
    #[schemars(with = "String")]
    pub label: Label,
    /// What is compared.
    pub metric: GapMetric,
    /// Groups compared: those with enough patients and a known value.
    pub groups: u64,
    /// The group with the largest value.
    pub highest: String,
    /// That value.
    pub highest_value: f64,
    /// The group with the smallest value.
    pub lowest: String,
    /// That value.
    pub lowest_value: f64,
    /// Their difference. The interval is that of the difference between these two groups, from the same resamples of
    /// patients for both; it may reach below 0.
    pub gap: Estimate,
    /// How often groups dealt at random to the patients lie as far apart; `None` without permutations.
    pub p: Option<f64>,
    /// The same, corrected for all gaps that were tested.
    pub p_corrected: Option<f64>,
}
