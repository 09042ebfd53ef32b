//! Scores of parts of the population, and how far apart they lie.
//!
//! * [`axes_of`] makes axes (age, scanner, thickness …) of what is known of the cases.
//! * [`by_group`] scores one label's cases on one axis; [`subgroups`] all labels asked for on all axes, with the p-values
//!   of the gaps corrected for their number.
//!
//! A group that too few patients carry gets counts and no score. Missing values are a group of their own, `unknown`,
//! which takes no part in gaps.

mod axes;
mod gap;
mod judged;
mod permutation;
mod scores;

use falx_core::{LABELS, Label, LabelRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use axes::{Axis, OTHER, UNKNOWN, axes_of};
pub use gap::{Gap, GapMetric};
pub(crate) use judged::of;
pub use scores::{ByGroup, FEW_PATIENTS, GroupScore, by_group};

use crate::conformal::Share;
use crate::interval::holm;
use crate::metrics::row_loss;
use crate::resampling::draws;
use crate::{Estimate, Outcomes, OutcomesError, Resampling};

/// The cases of all labels.
///
/// # Shape
/// One truth, prediction (in the order of [`LABELS`]) and cluster (patient) a case.
#[derive(Clone, Copy, Debug)]
pub struct SubgroupCases<'a> {
    /// What is true.
    pub truth: &'a [LabelRow],
    /// What was predicted, as probabilities.
    pub prediction: &'a [[f64; 6]],
    /// The patient, numbered from 0.
    pub cluster: &'a [u32],
}

/// What to score.
#[derive(Clone, Debug, PartialEq)]
pub struct SubgroupOptions {
    /// The labels whose areas, sensitivities and specificities are wanted.
    pub labels: Vec<Label>,
    /// The locked threshold of each label, in the order of [`LABELS`]; chosen on other cases.
    pub thresholds: [Option<f64>; 6],
    /// Permutations behind each p-value; 0 gives none.
    pub permutations: u32,
}

impl Default for SubgroupOptions {
    /// `any` alone, no thresholds, 999 permutations.
    fn default() -> Self {
        Self {
            labels: vec![Label::Any],
            thresholds: [None; 6],
            permutations: 999,
        }
    }
}

/// A group's loss over all labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupLoss {
    /// The group.
    pub group: String,
    /// Its cases.
    pub cases: u64,
    /// Its patients.
    pub patients: u64,
    /// The weighted log loss; `None` where fewer than ten patients carry it.
    pub weighted_log_loss: Option<Estimate>,
}

/// The scores on one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AxisScores {
    /// The axis.
    pub axis: String,
    /// Each group's loss.
    pub groups: Vec<GroupLoss>,
    /// Each label's scores by group.
    pub labels: Vec<ByGroup>,
    /// Patients with cases in more than one group. In the permutation test each counts as of its commonest.
    pub straddling_patients: u64,
}

/// How many tests were made, and what was done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Multiplicity {
    /// Gaps that were tested: axes times labels times metrics, where there were two groups to compare.
    pub tests: u64,
    /// The correction over all of them.
    pub corrected: String,
}

/// The scores of parts of the population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subgroups {
    /// The scores on each axis.
    pub axes: Vec<AxisScores>,
    /// The gaps on all axes; `p_corrected` is corrected over them all.
    pub gaps: Vec<Gap>,
    /// How many tests that were.
    pub multiplicity: Multiplicity,
    /// Resamples behind every interval.
    pub replicates: u32,
    /// Permutations behind every p-value.
    pub permutations: u32,
    /// What a reader must know, in words.
    pub notes: Vec<String>,
}

impl Subgroups {
    /// The widest gap of an axis, whatever it is measured by; `None` where too few groups could be compared.
    pub fn widest(&self, axis: &str) -> Option<&Gap> {
        let gaps = self.gaps.iter().filter(|gap| gap.axis == axis);
        // Of equal gaps the first.
        gaps.rev()
            .max_by(|a, b| a.gap.value.total_cmp(&b.gap.value))
    }
}

/// Why there are no subgroups.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SubgroupError {
    /// The cases are no outcomes.
    #[error(transparent)]
    Outcomes(#[from] OutcomesError),
    /// An axis has another number of cases.
    #[error(
        "the axis {axis} names the groups of {given} cases, but there are {cases}; give one for every case"
    )]
    Axis {
        /// Which axis.
        axis: String,
        /// Groups given.
        given: usize,
        /// Cases there are.
        cases: usize,
    },
}

/// All labels asked for on all axes, and the gaps between groups, with p-values corrected by Holm over all of them.
///
/// # Errors
/// [`SubgroupError`] for unequal lengths or predictions that are no finite numbers.
pub fn subgroups(
    cases: &SubgroupCases<'_>,
    axes: &[Axis],
    options: &SubgroupOptions,
    resampling: &Resampling,
) -> Result<Subgroups, SubgroupError> {
    let n = cases.truth.len();
    if cases.prediction.len() != n || cases.cluster.len() != n {
        return Err(SubgroupError::Outcomes(OutcomesError::Lengths {
            truths: n,
            predictions: cases.prediction.len(),
            clusters: cases.cluster.len(),
        }));
    }
    let clusters = cases.cluster.iter().max().map_or(0, |&c| c as usize + 1);
    let resampling = resampling.covering(clusters);
    let resampling = resampling
        .at_most(draws(n, resampling.replicates()))
        .keeping_draws();
    let mut scored = Vec::new();
    let mut gaps = Vec::new();
    for axis in axes {
        axis.check(n)?;
        let mut labels = Vec::new();
        for &label in LABELS.iter().filter(|label| options.labels.contains(label)) {
            let threshold = options.thresholds.get(label.index()).copied().flatten();
            let (scores, of_label) = one_label(
                cases,
                axis,
                label,
                threshold,
                options.permutations,
                &resampling,
            )?;
            labels.push(scores);
            gaps.extend(of_label);
        }
        scored.push(AxisScores {
            axis: axis.name.clone(),
            groups: losses(cases, axis, &resampling),
            labels,
            straddling_patients: axis.straddling(cases.cluster),
        });
    }
    let tested: Vec<Option<f64>> = gaps.iter().map(|g| g.p).collect();
    for (gap, p) in gaps.iter_mut().zip(holm(&tested)) {
        gap.p_corrected = p;
    }
    Ok(Subgroups {
        notes: notes(&scored, &gaps, resampling.replicates()),
        axes: scored,
        multiplicity: Multiplicity {
            tests: tested.iter().flatten().count() as u64,
            corrected: "Holm".to_owned(),
        },
        gaps,
        replicates: resampling.replicates(),
        permutations: options.permutations,
    })
}

/// The cases that know the label, on one axis.
fn one_label(
    cases: &SubgroupCases<'_>,
    axis: &Axis,
    label: Label,
    threshold: Option<f64>,
    permutations: u32,
    resampling: &Resampling,
) -> Result<(ByGroup, Vec<Gap>), SubgroupError> {
    let mut known = Axis {
        group: Vec::new(),
        ..axis.clone()
    };
    let (mut truth, mut prediction, mut cluster) = (Vec::new(), Vec::new(), Vec::new());
    for (((row, p), &c), &group) in cases
        .truth
        .iter()
        .zip(cases.prediction)
        .zip(cases.cluster)
        .zip(&axis.group)
    {
        if let (Some(positive), Some(&p)) = (row.get(label), p.get(label.index())) {
            truth.push(positive);
            prediction.push(p);
            cluster.push(c);
            known.group.push(group);
        }
    }
    let outcomes = Outcomes::new(&truth, &prediction, &cluster)?;
    by_group(
        &outcomes,
        &known,
        label,
        threshold,
        permutations,
        resampling,
    )
}

fn losses(cases: &SubgroupCases<'_>, axis: &Axis, resampling: &Resampling) -> Vec<GroupLoss> {
    let mut by_group: Vec<Vec<(u32, f64, f64)>> = vec![Vec::new(); axis.groups.len()];
    let rows = cases.truth.iter().zip(cases.prediction).zip(cases.cluster);
    for (((row, p), &cluster), &group) in rows.zip(&axis.group) {
        if let (Some(of), Some(loss)) = (by_group.get_mut(group as usize), row_loss(*row, p)) {
            of.push((cluster, loss, 1.0));
        }
    }
    let counts: Vec<u64> = by_group.iter().map(|g| g.len() as u64).collect();
    let shares: Vec<Share> = by_group
        .into_iter()
        .map(|g| Share::of(resampling.clusters(), g))
        .collect();
    let found = Share::estimates(&shares, resampling);
    let rows = axis.groups.iter().zip(counts).zip(shares.iter().zip(found));
    rows.map(|((group, cases), (share, loss))| GroupLoss {
        group: group.clone(),
        cases,
        patients: share.patients(),
        weighted_log_loss: loss.filter(|_| share.patients() >= FEW_PATIENTS),
    })
    .collect()
}

/// What a corrected p-value must not exceed for a gap to be called real.
pub(crate) const SIGNIFICANT: f64 = 0.05;

fn notes(axes: &[AxisScores], gaps: &[Gap], replicates: u32) -> Vec<String> {
    let mut notes: Vec<String> = gaps
        .iter()
        .filter(|g| g.p_corrected.is_some_and(|p| p <= SIGNIFICANT))
        .map(|g| {
            format!(
                "{}: the {} for {} differs between groups, from {:.3} ({}) to {:.3} ({}).",
                g.axis, g.metric, g.label, g.lowest_value, g.lowest, g.highest_value, g.highest
            )
        })
        .collect();
    for axis in axes.iter().filter(|a| a.straddling_patients > 0) {
        notes.push(format!(
            "{}: {} have cases in more than one group; tests count each as of its commonest.",
            axis.axis,
            crate::text::count(axis.straddling_patients, "patient")
        ));
    }
    if !gaps.is_empty() {
        notes.push(format!(
            "Intervals from {} resamples of patients. The groups of a gap are the extremes found, so a gap alone \
             is no evidence; its p-value takes the choice into account.",
            crate::text::thousands(u64::from(replicates))
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
