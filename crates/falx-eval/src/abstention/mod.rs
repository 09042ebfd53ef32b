//! What an evaluation says of abstaining: prediction sets, bounded misses, and what leaving cases to a reader buys.
//!
//! The methods are those of [`crate::conformal`]; here they meet an evaluation's cases, its development set or its folds.

mod text;

use falx_core::{LABELS, Label, LabelRow};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conformal::{
    ConformalError, ConformalEvaluation, ConformalOptions, Detections, RiskControlEvaluation,
    RiskCoverage, SelectiveLoss, confidence, evaluate, evaluate_risk_control, selective_risk_of,
};
use crate::details::LabelCases;
use crate::operating::HEADLINE_RULE;
use crate::operating::{ChosenOn, LockedPoint, dealt_for_thresholds};
use crate::resampling::FOLDS;
use crate::units::Units;
use crate::{LabelScore, Outcomes, Resampling, UnitOfAnalysis};

pub(crate) use text::{lines, range};

/// The share of haemorrhages that a controlled threshold may miss: what the summary's rule leaves, nine of ten being found.
const MISSED: f64 = 0.1;

/// Resamples behind the intervals of selective risk, at most: each walks through all cases.
const MOST_REPLICATES: u32 = 200;

/// What abstaining does, at each level that it is asked of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Abstention {
    /// Over what the main scores count: slices, or studies where only these have a truth.
    pub main: LevelAbstention,
    /// Over studies, where slices are what the main scores count and cases name their studies.
    pub study: Option<LevelAbstention>,
}

impl Abstention {
    /// Its levels with what they count, where the main scores count `unit`: studies first, as a clinic acts on these.
    pub(crate) fn levels(
        &self,
        unit: UnitOfAnalysis,
    ) -> impl Iterator<Item = (&'static str, &LevelAbstention)> {
        let main = match unit {
            UnitOfAnalysis::Slice => "slices",
            UnitOfAnalysis::Study => "studies",
        };
        let study = self.study.iter().map(|level| ("studies", level));
        study.chain([(main, &self.main)])
    }
}

/// What abstaining does over slices, or over studies.
///
/// Models and thresholds come from the development set, or are cross-fitted by patient in folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelAbstention {
    /// The prediction sets of each label that is known, in the fixed order.
    pub labels: Vec<LabelSets>,
    /// A threshold of `any` that bounds the share of a patient's positive cases that are missed.
    pub missed: Option<RiskControlEvaluation>,
    /// One threshold for all five subtypes that bounds the share of a case's subtypes that are missed.
    pub missed_subtypes: Option<RiskControlEvaluation>,
    /// What stays wrong where the least confident cases of `any` are left to a reader; `None` without a locked threshold.
    pub selective: Option<Selective>,
}

/// One label's prediction sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelSets {
    /// The label.
    #[schemars(with = "crate::schema::LabelName")]
    pub label: Label,
    /// The sets' model, and what the sets do on patients that it was not computed from.
    pub sets: Option<ConformalEvaluation>,
    /// Why there are none.
    pub undefined: Option<String>,
}

/// Selective risk of `any`: cases on the wrong side of the locked threshold that the summary shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Selective {
    /// The threshold's rule in words.
    pub rule: String,
    /// The threshold; with folds, the one that all patients together choose, each being judged at its own fold's.
    pub threshold: f64,
    /// On whom the threshold was chosen.
    pub chosen_on: ChosenOn,
    /// Resamples behind the intervals: at most 200.
    pub replicates: u32,
    /// The share of wrong answers against the share of cases kept.
    pub risk: RiskCoverage,
}

impl LevelAbstention {
    /// A label's prediction sets, where there are any.
    pub fn sets(&self, label: Label) -> Option<&ConformalEvaluation> {
        let found = self.labels.iter().find(|l| l.label == label)?;
        found.sets.as_ref()
    }
}

/// One level's abstention, after `scores` have their locked points; `None` where no label is known.
pub(crate) fn of(
    scores: &[LabelScore],
    judged: &Units,
    development: Option<&Units>,
    resampling: &Resampling,
) -> Option<LevelAbstention> {
    let sets = || -> Vec<LabelSets> {
        let labels = LABELS.into_par_iter();
        labels
            .filter_map(|label| sets(label, judged, development, resampling))
            .collect()
    };
    let any = LabelCases::of(&judged.units, Label::Any);
    let of_any = any.outcomes().filter(|outcomes| !outcomes.is_empty());
    let point = scores.iter().find(|s| s.label == Label::Any);
    let point = point.and_then(|s| s.locked_points.as_ref()?.of(&HEADLINE_RULE));
    let risks = || {
        rayon::join(
            || of_any.and_then(|test| missed(&test, development, resampling)),
            || missed_subtypes(judged, development, resampling),
        )
    };
    let selective = || of_any.zip(point).map(|(o, p)| selective(&o, p, resampling));
    let (labels, ((missed, missed_subtypes), selective)) =
        rayon::join(sets, || rayon::join(risks, selective));
    let level = LevelAbstention {
        labels,
        missed,
        missed_subtypes,
        selective,
    };
    (!level.labels.is_empty()).then_some(level)
}

/// `None` where no judged case knows the label.
fn sets(
    label: Label,
    judged: &Units,
    development: Option<&Units>,
    resampling: &Resampling,
) -> Option<LabelSets> {
    let cases = LabelCases::of(&judged.units, label);
    let test = cases.outcomes().filter(|outcomes| !outcomes.is_empty())?;
    let developed = development.map(|units| LabelCases::of(&units.units, label));
    let developed = developed.as_ref().map(LabelCases::outcomes);
    let options = ConformalOptions::default();
    let found = match developed {
        Some(None) => Err(ConformalError::NoCases),
        Some(Some(developed)) => evaluate(Some(&developed), &test, &options, FOLDS, resampling),
        None => evaluate(None, &test, &options, FOLDS, resampling),
    };
    let (sets, undefined) = match found {
        Ok(found) => (Some(found), None),
        Err(why) => (None, Some(why.to_string())),
    };
    Some(LabelSets {
        label,
        sets,
        undefined,
    })
}

fn missed(
    test: &Outcomes<'_>,
    development: Option<&Units>,
    resampling: &Resampling,
) -> Option<RiskControlEvaluation> {
    let detections = |outcomes: &Outcomes<'_>| Detections::of_cases(outcomes).ok();
    let developed = match development {
        Some(units) => {
            let cases = LabelCases::of(&units.units, Label::Any);
            Some(detections(&cases.outcomes()?)?)
        }
        None => None,
    };
    controlled(developed.as_ref(), &detections(test)?, resampling)
}

fn missed_subtypes(
    judged: &Units,
    development: Option<&Units>,
    resampling: &Resampling,
) -> Option<RiskControlEvaluation> {
    let detections = |units: &Units| {
        let units = || units.units.iter();
        let truth: Vec<LabelRow> = units().map(|u| u.truth).collect();
        let prediction: Vec<[f64; 6]> = units().map(|u| u.prediction).collect();
        let cluster: Vec<u32> = units().map(|u| u.patient).collect();
        Detections::of_subtypes(&truth, &prediction, &cluster).ok()
    };
    let developed = match development {
        Some(units) => Some(detections(units)?),
        None => None,
    };
    controlled(developed.as_ref(), &detections(judged)?, resampling)
}

/// `None` without a patient who has a haemorrhage: the promise is for such patients.
fn controlled(
    developed: Option<&Detections>,
    test: &Detections,
    resampling: &Resampling,
) -> Option<RiskControlEvaluation> {
    let found = evaluate_risk_control(developed, test, MISSED, FOLDS, resampling);
    found.ok().filter(|found| found.realised.patients > 0)
}

/// Each case is judged, and its confidence taken, at the threshold that its own fold was judged with.
fn selective(outcomes: &Outcomes<'_>, point: &LockedPoint, resampling: &Resampling) -> Selective {
    let folds = match point.fold_thresholds.len() {
        0 => Vec::new(),
        folds => {
            dealt_for_thresholds(outcomes, folds as u32, resampling.seed()).unwrap_or_default()
        }
    };
    let threshold = |cluster: u32| {
        let fold = folds.get(cluster as usize).copied();
        let of_fold = fold.and_then(|fold| point.fold_thresholds.get(fold as usize));
        of_fold.copied().unwrap_or(point.threshold)
    };
    let (confident, wrong): (Vec<f64>, Vec<f64>) = outcomes
        .iter()
        .map(|(truth, p, cluster)| {
            let threshold = threshold(cluster);
            let wrong = f64::from(u8::from((p >= threshold) != truth));
            (confidence(p, threshold), wrong)
        })
        .unzip();
    let resampling = resampling.at_most(MOST_REPLICATES);
    Selective {
        rule: point.name.clone(),
        threshold: point.threshold,
        chosen_on: point.chosen_on,
        replicates: resampling.replicates(),
        risk: selective_risk_of(
            &confident,
            &wrong,
            outcomes.cluster(),
            SelectiveLoss::Error,
            &resampling,
        ),
    }
}

#[cfg(test)]
mod tests;
