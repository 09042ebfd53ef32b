//! How well metadata alone predict `any`: what a network could learn without looking at the brain.
//!
//! Every fact is cut into a few ranges, each a column of zeros and ones, and a logistic regression is fitted to four
//! fifths of the patients and judged on the last fifth, five times over.

mod features;
mod fit;
mod predict;
mod regression;
#[cfg(test)]
mod tests;

use falx_core::Label;
use falx_eval::{Estimate, auc, auc_by_cluster, label_log_loss};
use serde::Serialize;

use super::Severity::{Note, Warning};
use super::findings::{Findings, Kind};
use super::survey::{Survey, group_key};
use crate::index::IndexRow;
use features::Feature;
pub use predict::{cross_fit_from_metadata, predict_from_metadata};

/// Slices that are looked at; of more, whole groups are drawn.
const MOST_SLICES: usize = 20_000;
/// Groups with a positive slice, and groups with a negative one, that are needed.
const FEWEST_GROUPS: usize = 10;
/// Slices that are needed.
const FEWEST_SLICES: usize = 100;
const FOLDS: usize = 5;
const REPLICATES: u32 = 1000;
/// An area whose interval lies above this is worth a warning.
const WORRYING: f64 = 0.6;

/// What metadata alone know of `any`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shortcut {
    /// Area under the ROC curve of all metadata, slice position included; the interval is over resampled groups, for
    /// which the regressions are not fitted again: it is a little narrow.
    pub auc: Estimate,
    /// The same without the slice's place in the head, which is anatomy: of scanner and protocol alone.
    pub auc_of_acquisition: Estimate,
    /// Log loss of all metadata.
    pub log_loss: f64,
    /// Log loss of predicting the prevalence.
    pub prevalence_log_loss: f64,
    /// 1 − log loss / prevalence's log loss.
    pub skill: f64,
    /// The share of positive slices.
    pub prevalence: f64,
    /// Slices that were looked at.
    pub slices: u64,
    /// Groups of slices that were kept on one side.
    pub groups: u64,
    /// What a group is: patients, or what stands for them where they are unknown.
    pub grouped_by: &'static str,
    /// Each fact alone, the best first.
    pub features: Vec<FeatureScore>,
}

/// One fact alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureScore {
    /// The fact.
    pub name: &'static str,
    /// Its area under the ROC curve.
    pub auc: f64,
    /// True where it says where in the head the slice lies.
    pub is_position: bool,
}

/// Why the check was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShortcut {
    /// Too little is labelled.
    #[error("it needs {FEWEST_SLICES} slices whose label `any` is known, and there are {0}")]
    FewSlices(usize),
    /// One outcome only, or nearly so.
    #[error(
        "it needs {FEWEST_GROUPS} patients with haemorrhage and as many with slices without, and there are {0} and {1}"
    )]
    FewGroups(usize, usize),
    /// All slices were taken alike.
    #[error("all slices have the same metadata")]
    NoFeatures,
    /// The regression failed.
    #[error("the regression did not come to a result")]
    NoFit,
}

/// The slices that are looked at, sorted by group.
struct Sample {
    /// Places in the index.
    rows: Vec<usize>,
    truth: Vec<bool>,
    /// Groups numbered in their order here.
    group: Vec<u32>,
    groups: usize,
    /// The fold of every group.
    folds: Vec<usize>,
}

impl Sample {
    /// Whole groups in the order of a hash of their name, so that the draw depends on nothing else.
    fn draw(survey: &Survey<'_>) -> Self {
        let mut of_group: Vec<(u64, Vec<(usize, bool)>)> = vec![(0, Vec::new()); survey.groups()];
        for (at, row) in survey.usable() {
            if let Some(truth) = row.labels.get(Label::Any)
                && let Some((hash, rows)) = of_group.get_mut(survey.group_of(at) as usize)
            {
                if rows.is_empty() {
                    *hash = group_hash(row);
                }
                rows.push((at, truth));
            }
        }
        of_group.retain(|(_, rows)| !rows.is_empty());
        of_group.sort_by_key(|(hash, _)| *hash);
        let mut sample = Self {
            rows: Vec::new(),
            truth: Vec::new(),
            group: Vec::new(),
            groups: 0,
            folds: Vec::new(),
        };
        for (_, rows) in of_group {
            if sample.groups > 0 && sample.rows.len() + rows.len() > MOST_SLICES {
                break;
            }
            for (at, truth) in rows {
                sample.rows.push(at);
                sample.truth.push(truth);
                sample.group.push(sample.groups as u32);
            }
            sample.groups += 1;
        }
        sample.deal();
        sample
    }

    /// Deals the groups to the folds, those with most positive slices first and to and fro, so that all folds have
    /// about the same prevalence.
    fn deal(&mut self) {
        let mut positives = vec![0_u32; self.groups];
        for (&group, &truth) in self.group.iter().zip(&self.truth) {
            if let Some(count) = positives.get_mut(group as usize) {
                *count += u32::from(truth);
            }
        }
        let mut order: Vec<usize> = (0..self.groups).collect();
        order.sort_by_key(|&group| std::cmp::Reverse(positives.get(group).copied()));
        self.folds = vec![0; self.groups];
        for (turn, group) in order.into_iter().enumerate() {
            if let Some(slot) = self.folds.get_mut(group) {
                *slot = fold_of_turn(turn);
            }
        }
    }

    /// Groups with a slice of this outcome.
    fn groups_with(&self, outcome: bool) -> usize {
        let mut groups: Vec<u32> = self
            .group
            .iter()
            .zip(&self.truth)
            .filter(|(_, truth)| **truth == outcome)
            .map(|(group, _)| *group)
            .collect();
        groups.dedup();
        groups.len()
    }

    fn fold(&self, at: usize) -> usize {
        let group = self.group.get(at).copied().unwrap_or(0);
        self.folds.get(group as usize).copied().unwrap_or(0)
    }
}

/// A group's place in an order that depends on nothing but its name.
fn group_hash(row: &IndexRow) -> u64 {
    let digest = blake3::hash(group_key(row).as_bytes());
    let first = digest.as_bytes().iter().take(8);
    first.fold(0, |hash, &byte| hash << 8 | u64::from(byte))
}

/// The fold of the group that is dealt in this turn: to and fro.
const fn fold_of_turn(turn: usize) -> usize {
    let place = turn % FOLDS;
    if (turn / FOLDS).is_multiple_of(2) {
        place
    } else {
        FOLDS - 1 - place
    }
}

/// Judges what metadata alone know of `any`.
///
/// # Errors
/// [`NoShortcut`] where there is too little to judge.
pub(super) fn check(survey: &Survey<'_>) -> Result<Shortcut, NoShortcut> {
    let sample = Sample::draw(survey);
    if sample.rows.len() < FEWEST_SLICES {
        return Err(NoShortcut::FewSlices(sample.rows.len()));
    }
    let (with, without) = (sample.groups_with(true), sample.groups_with(false));
    if with < FEWEST_GROUPS || without < FEWEST_GROUPS {
        return Err(NoShortcut::FewGroups(with, without));
    }
    let features = features::of(survey, &sample.rows);
    if features.is_empty() {
        return Err(NoShortcut::NoFeatures);
    }
    let all: Vec<&Feature> = features.iter().collect();
    let acquisition: Vec<&Feature> = features.iter().filter(|f| !f.is_position).collect();
    let predicted = fit::out_of_fold(&sample, &all)?;
    let of_acquisition = fit::out_of_fold(&sample, &acquisition)?;
    let area = |score: &[f64]| {
        auc_by_cluster(&sample.truth, score, &sample.group, REPLICATES, 0)
            .map_err(|_| NoShortcut::NoFit)
    };
    let positives = sample.truth.iter().filter(|truth| **truth).count();
    let prevalence = positives as f64 / sample.truth.len() as f64;
    let loss = |score: &[f64]| label_log_loss(&sample.truth, score).map_err(|_| NoShortcut::NoFit);
    let log_loss = loss(&predicted)?;
    let prevalence_log_loss = loss(&vec![prevalence; sample.truth.len()])?;
    let mut scores: Vec<FeatureScore> = features
        .iter()
        .filter_map(|feature| {
            Some(FeatureScore {
                name: feature.name,
                auc: auc(&sample.truth, &fit::rates(&sample, feature)).ok()?,
                is_position: feature.is_position,
            })
        })
        .collect();
    scores.sort_by(|a, b| b.auc.total_cmp(&a.auc).then(a.name.cmp(b.name)));
    let named = survey.usable().all(|(_, row)| row.patient.is_some());
    Ok(Shortcut {
        auc: area(&predicted)?,
        auc_of_acquisition: area(&of_acquisition)?,
        log_loss,
        prevalence_log_loss,
        skill: 1.0 - log_loss / prevalence_log_loss,
        prevalence,
        slices: sample.rows.len() as u64,
        groups: sample.groups as u64,
        grouped_by: if named {
            "patients"
        } else {
            "patients, or studies and slices where they are unknown"
        },
        features: scores,
    })
}

impl Shortcut {
    /// True where metadata certainly know something that matters.
    pub fn is_worrying(&self) -> bool {
        self.auc.low.is_some_and(|low| low > WORRYING)
    }

    /// Puts the result among the findings.
    pub(super) fn tell(&self, findings: &mut Findings<'_>) {
        let area = super::text::estimate(&self.auc);
        let of_acquisition = super::text::estimate(&self.auc_of_acquisition);
        let best = self.features.iter().take(3);
        let best: Vec<String> = best
            .map(|feature| format!("{} {:.3}", feature.name, feature.auc))
            .collect();
        let what = format!(
            "Metadata alone, without any picture, predict `any` with an AUC of {area}; without the slice's place in the head, {of_acquisition}. Best alone: {}.",
            best.join(", ")
        );
        let scanners = self.auc_of_acquisition.low.unwrap_or(0.0);
        let (severity, remedy) = if !self.is_worrying() {
            (Note, "nothing; a network must be much better than this")
        } else if scanners > WORRYING {
            let remedy = "keep metadata out of the network's input, compare its score with this one, and look at scores by scanner and source";
            (Warning, remedy)
        } else {
            let remedy = "compare a network's score with this one; it is the slice's place in the head that tells, which is anatomy and no fault of the data";
            (Warning, remedy)
        };
        let kind = Kind {
            name: "shortcut.metadata",
            severity,
            what: &what,
            remedy,
        };
        findings.counted(&kind, self.slices, Vec::new());
    }
}
