//! Thresholds chosen on some patients, locked, and judged on others.

use falx_core::random;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::performance::{CountsByCluster, Performance, performances, plain_performance};
use super::threshold::{NoThreshold, Rule, Steps};
use crate::{Outcomes, Resampling};

/// On whom a threshold was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenOn {
    /// On the development set: other patients than those it is judged on.
    Development,
    /// On the patients of the other folds, fold by fold.
    OtherFolds,
    /// On nobody: it was given beforehand.
    Fixed,
    /// On the very cases that it is judged on, which flatters it.
    SameCases,
}

impl ChosenOn {
    /// As a reader is told.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Development => "chosen on the development set",
            Self::OtherFolds => "chosen on the other folds' patients",
            Self::Fixed => "fixed beforehand",
            Self::SameCases => "chosen on these same cases; looks better than it is",
        }
    }
}

/// A threshold that was locked before it was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LockedPoint {
    /// What the threshold is to do.
    pub rule: Rule,
    /// The rule in words.
    pub name: String,
    /// The threshold. With folds: the one that all patients together choose, to be used on new ones.
    pub threshold: f64,
    /// The threshold of each fold; empty without folds.
    pub fold_thresholds: Vec<f64>,
    /// On whom the threshold was chosen.
    pub chosen_on: ChosenOn,
    /// What the threshold does on the cases that chose it, without intervals: what was hoped for.
    pub development: Option<Performance>,
    /// What it does on the cases that it is judged on.
    pub test: Performance,
}

/// A rule without a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MissingPoint {
    /// The rule.
    pub rule: Rule,
    /// The rule in words.
    pub name: String,
    /// Why there is none.
    pub reason: NoThreshold,
}

/// Locked thresholds, one a rule, and the rules that have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LockedPoints {
    /// In the rules' order.
    pub points: Vec<LockedPoint>,
    /// Rules without a threshold.
    pub missing: Vec<MissingPoint>,
}

impl LockedPoints {
    /// The point of a rule.
    pub fn of(&self, rule: &Rule) -> Option<&LockedPoint> {
        self.points.iter().find(|point| point.rule == *rule)
    }
}

/// A threshold before it is judged.
struct Locked {
    rule: Rule,
    threshold: f64,
    fold_thresholds: Vec<f64>,
    chosen_on: ChosenOn,
    development: Option<Performance>,
    judged: CountsByCluster,
}

/// Chooses each rule's threshold on the development set and judges it on the test set.
///
/// # Shape
/// `resampling` draws the test set's clusters.
pub fn locked_points(
    rules: &[Rule],
    development: &Outcomes,
    test: &Outcomes,
    resampling: &Resampling,
) -> LockedPoints {
    let steps = Steps::new(development.iter().map(|(t, p, _)| (t, p)));
    let chosen = rules.iter().map(|&rule| {
        let threshold = rule.choose_among(&steps)?;
        let on = CountsByCluster::at(development, threshold);
        Ok(Locked {
            rule,
            threshold,
            fold_thresholds: Vec::new(),
            chosen_on: chosen_on(rule, ChosenOn::Development),
            development: (!development.is_empty()).then(|| plain_performance(&on)),
            judged: CountsByCluster::at(test, threshold),
        })
    });
    judge(rules, chosen, resampling)
}

/// Judges every patient at the threshold that the other folds' patients choose.
///
/// Folds are of whole patients, dealt by cluster number and `resampling.seed()`, those with a positive case first so that
/// every fold has its share of them.
///
/// # Shape
/// `resampling` draws the outcomes' clusters.
pub fn cross_fitted_points(
    rules: &[Rule],
    outcomes: &Outcomes,
    folds: u32,
    resampling: &Resampling,
) -> LockedPoints {
    let dealt = deal(outcomes, folds, resampling.seed());
    let fold_of = |cluster: u32| dealt.as_ref().ok()?.get(cluster as usize).copied();
    // One sorting for all rules; the folds one after the other, as each holds a copy of the cases.
    let choose = |left_out: Option<u32>| -> Vec<Result<f64, NoThreshold>> {
        let cases = outcomes.iter();
        let others = cases.filter(|&(_, _, c)| left_out.is_none() || fold_of(c) != left_out);
        let steps = Steps::new(others.map(|(t, p, _)| (t, p)));
        rules.iter().map(|rule| rule.choose_among(&steps)).collect()
    };
    let by_all = choose(None);
    let folds = if dealt.is_ok() { folds } else { 0 };
    let by_fold: Vec<_> = (0..folds).map(|fold| choose(Some(fold))).collect();
    let chosen = rules
        .iter()
        .zip(by_all)
        .enumerate()
        .map(|(at, (&rule, whole))| {
            let whole = whole?;
            if let Rule::Fixed { threshold } = rule {
                return Ok(Locked {
                    rule,
                    threshold,
                    fold_thresholds: Vec::new(),
                    chosen_on: ChosenOn::Fixed,
                    development: None,
                    judged: CountsByCluster::at(outcomes, threshold),
                });
            }
            dealt.as_ref().map_err(|reason| *reason)?;
            let fold_thresholds = by_fold
                .iter()
                .filter_map(|rules| rules.get(at).copied())
                .collect::<Result<Vec<f64>, NoThreshold>>()?;
            let called = |prediction: f64, cluster: u32| {
                let fold = fold_of(cluster).unwrap_or_default();
                let threshold = fold_thresholds.get(fold as usize);
                threshold.is_some_and(|&threshold| prediction >= threshold)
            };
            Ok(Locked {
                rule,
                threshold: whole,
                chosen_on: ChosenOn::OtherFolds,
                development: Some(plain_performance(&CountsByCluster::at(outcomes, whole))),
                judged: CountsByCluster::new(outcomes, called),
                fold_thresholds,
            })
        });
    judge(rules, chosen, resampling)
}

const fn chosen_on(rule: Rule, otherwise: ChosenOn) -> ChosenOn {
    match rule {
        Rule::Fixed { .. } => ChosenOn::Fixed,
        _ => otherwise,
    }
}

fn judge(
    rules: &[Rule],
    chosen: impl Iterator<Item = Result<Locked, NoThreshold>>,
    resampling: &Resampling,
) -> LockedPoints {
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for (&rule, chosen) in rules.iter().zip(chosen) {
        match chosen {
            Ok(chosen) => found.push(chosen),
            Err(reason) => missing.push(MissingPoint {
                rule,
                name: rule.to_string(),
                reason,
            }),
        }
    }
    let judged: Vec<CountsByCluster> = found.iter().map(|c| c.judged.clone()).collect();
    let points = found
        .into_iter()
        .zip(performances(&judged, resampling))
        .map(|(chosen, test)| LockedPoint {
            rule: chosen.rule,
            name: chosen.rule.to_string(),
            threshold: chosen.threshold,
            fold_thresholds: chosen.fold_thresholds,
            chosen_on: chosen.chosen_on,
            development: chosen.development,
            test,
        })
        .collect();
    LockedPoints { points, missing }
}

/// The fold of each cluster that has a case.
pub(crate) fn deal(outcomes: &Outcomes, folds: u32, seed: u64) -> Result<Vec<u32>, NoThreshold> {
    let mut kinds: Vec<Option<bool>> = vec![None; outcomes.clusters()];
    for (truth, _, cluster) in outcomes.iter() {
        if let Some(kind) = kinds.get_mut(cluster as usize) {
            *kind = Some(kind.unwrap_or(false) || truth);
        }
    }
    let mut order: Vec<(bool, u64, u32)> = (0_u32..)
        .zip(&kinds)
        .filter_map(|(cluster, kind)| {
            let place = random::stream(seed, "folds of thresholds", &[u64::from(cluster)]).random();
            Some((!(*kind)?, place, cluster))
        })
        .collect();
    if folds < 2 || order.len() < folds as usize {
        return Err(NoThreshold::Folds {
            patients: order.len(),
            folds,
        });
    }
    order.sort_unstable();
    let mut fold_of = vec![0; kinds.len()];
    for (fold, &(_, _, cluster)) in (0..folds).cycle().zip(&order) {
        if let Some(place) = fold_of.get_mut(cluster as usize) {
            *place = fold;
        }
    }
    Ok(fold_of)
}
