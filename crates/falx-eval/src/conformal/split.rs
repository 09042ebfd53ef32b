//! Split conformal prediction of a yes-or-no label, with patients as the exchangeable units.

use falx_core::random;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcomes;

/// The answers that a prediction cannot rule out at the promised error rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PredictionSet {
    /// `{}`: the case is like neither class.
    Neither,
    /// `{no}`
    No,
    /// `{yes}`
    Yes,
    /// `{no, yes}`: the case is like both.
    Both,
}

impl PredictionSet {
    /// The set with these members.
    pub const fn new(no: bool, yes: bool) -> Self {
        match (no, yes) {
            (false, false) => Self::Neither,
            (true, false) => Self::No,
            (false, true) => Self::Yes,
            (true, true) => Self::Both,
        }
    }

    /// True where the set holds this truth.
    pub const fn contains(self, truth: bool) -> bool {
        match self {
            Self::Neither => false,
            Self::No => !truth,
            Self::Yes => truth,
            Self::Both => true,
        }
    }

    /// Members, 0 to 2.
    pub const fn size(self) -> u8 {
        match self {
            Self::Neither => 0,
            Self::No | Self::Yes => 1,
            Self::Both => 2,
        }
    }

    /// True where the set gives no answer: it has both members, or none.
    pub const fn abstains(self) -> bool {
        matches!(self, Self::Neither | Self::Both)
    }
}

/// For whom the error rate is promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// For all cases together. With a rare finding nearly all errors may then fall on the positive cases.
    Marginal,
    /// For positive and for negative cases, each by itself (Mondrian). The default: a promise for all cases together is
    /// kept by a model that misses every haemorrhage, if haemorrhage is rarer than the error rate.
    #[default]
    ByClass,
}

/// How cases that share a patient count.
///
/// # Source
/// Dunn, Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", JASA 118 (2023):
/// CDF pooling, single and repeated subsampling. Lee, Barber and Willett, "Distribution-free inference with
/// hierarchical data", arXiv 2306.06342: with the weight of one more patient at infinity, pooling has the guarantee for
/// any number of patients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clustering {
    /// The mean over patients of their distributions of scores, one patient more at infinity. The default: it uses all
    /// slices, draws nothing at random, and holds its promise for a random case of a new patient with any number of
    /// patients and slices. With one case a patient it is the usual rule.
    #[default]
    Pooled,
    /// One random case of each patient: guaranteed likewise on average over seeds, but it throws the other cases away,
    /// and another seed gives another answer. With the same seed and numbers of patients the choices are the same ranks.
    SubsampledOnce {
        /// The seed of the choice.
        seed: u64,
    },
    /// The mean distribution over several such choices; it tends to [`Self::Pooled`] as they grow in number.
    Subsampled {
        /// How many choices.
        draws: u32,
        /// The seed of the choices.
        seed: u64,
    },
    /// Every case as if it were a patient of its own. Right only with one case a patient; there to be compared with.
    Cases,
}

/// What is promised, and how.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConformalOptions {
    /// The error rate that is promised not to be exceeded: the share of truths outside their sets.
    pub alpha: f64,
    /// For whom.
    pub condition: Condition,
    /// How cases that share a patient count.
    pub clustering: Clustering,
}

impl Default for ConformalOptions {
    /// 10 %, by class, pooled.
    fn default() -> Self {
        Self {
            alpha: 0.1,
            condition: Condition::default(),
            clustering: Clustering::default(),
        }
    }
}

/// Why no guarantee can be computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ConformalError {
    /// The level is no error rate.
    #[error("the error rate {0} must lie between 0 and 1, both excluded")]
    Level(f64),
    /// Nothing to learn from or to judge.
    #[error("there is no case; give the predictions and truths of at least one patient")]
    NoCases,
    /// A prediction is no probability.
    #[error("the prediction of case {case} is {value}; it must be a probability from 0 to 1")]
    NotProbability {
        /// Which case, from 0.
        case: usize,
        /// What was given.
        value: f64,
    },
    /// Slices of unequal lengths.
    #[error("{cases} cases, but {given} {what}; give one for every case")]
    Lengths {
        /// Cases given.
        cases: usize,
        /// How many of the other.
        given: usize,
        /// What the other is.
        what: &'static str,
    },
    /// Too few patients to choose on some and judge on others.
    #[error(
        "{} cannot be dealt into {folds} folds; give at least one patient a fold, and two folds", crate::text::count(*patients as u64, "patient")
    )]
    Folds {
        /// Patients there are.
        patients: usize,
        /// Folds asked for.
        folds: u32,
    },
}

/// A number for each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Units {
    /// Of the negative class.
    pub no: u64,
    /// Of the positive class.
    pub yes: u64,
}

/// The largest nonconformity that each class admits; `None` admits everything, since too few patients were there to
/// rule anything out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// For the answer no.
    pub no: Option<f64>,
    /// For the answer yes.
    pub yes: Option<f64>,
}

/// What turns a probability into a prediction set. It is small, plain data, so that a bundle can carry it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConformalModel {
    /// What is promised, and how.
    pub options: ConformalOptions,
    /// The largest nonconformity of each answer's set.
    pub quantiles: Quantiles,
    /// Patients with a case of each class that it was computed from.
    pub patients: Units,
    /// Cases of each class that it was computed from.
    pub cases: Units,
}

/// How ill a truth fits a prediction: 1 − the probability given to it.
///
/// # Units
/// 0 to 1.
pub fn nonconformity(truth: bool, prediction: f64) -> f64 {
    if truth { 1.0 - prediction } else { prediction }
}

impl ConformalModel {
    /// The answers that a probability cannot rule out.
    pub fn set(&self, prediction: f64) -> PredictionSet {
        let admits = |truth: bool, quantile: Option<f64>| {
            quantile.is_none_or(|q| nonconformity(truth, prediction) <= q)
        };
        PredictionSet::new(
            admits(false, self.quantiles.no),
            admits(true, self.quantiles.yes),
        )
    }

    /// The sets of many predictions.
    pub fn sets(&self, predictions: &[f64]) -> Vec<PredictionSet> {
        predictions.iter().map(|&p| self.set(p)).collect()
    }
}

/// The model that these cases allow.
///
/// The quantile is the lowest score below or at which at least 1 − alpha of all weight lies, where each of the n patients
/// weighs 1 ÷ (n + 1) and the patient to come weighs as much at infinity: with one case a patient the
/// ⌈(n + 1)(1 − alpha)⌉-th lowest score.
///
/// # Errors
/// [`ConformalError`] for a level outside (0, 1), no cases, or predictions that are no probabilities.
///
/// # Source
/// Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005); Vovk, "Conditional validity of inductive
/// conformal predictors" (2012) for classes; see [`Clustering`] for patients.
pub fn fit(
    outcomes: &Outcomes<'_>,
    options: &ConformalOptions,
) -> Result<ConformalModel, ConformalError> {
    check(outcomes, options.alpha)?;
    let class = |class: Option<bool>| scores(outcomes, class, options.clustering);
    let level = |s: &Scores| s.quantile(options.alpha);
    let (no, yes) = (class(Some(false)), class(Some(true)));
    let quantiles = match options.condition {
        Condition::ByClass => Quantiles {
            no: level(&no),
            yes: level(&yes),
        },
        Condition::Marginal => {
            let one = level(&class(None));
            Quantiles { no: one, yes: one }
        }
    };
    Ok(ConformalModel {
        options: *options,
        quantiles,
        patients: Units {
            no: no.patients,
            yes: yes.patients,
        },
        cases: Units {
            no: outcomes.len() as u64 - outcomes.positives(),
            yes: outcomes.positives(),
        },
    })
}

pub(crate) fn check(outcomes: &Outcomes<'_>, alpha: f64) -> Result<(), ConformalError> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(ConformalError::Level(alpha));
    }
    if outcomes.is_empty() {
        return Err(ConformalError::NoCases);
    }
    let mut cases = (0..).zip(outcomes.prediction());
    match cases.find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        Some((case, &value)) => Err(ConformalError::NotProbability { case, value }),
        None => Ok(()),
    }
}

/// Each case's set, from a model of the other folds' patients, and those models.
///
/// # Shape
/// `fold` has the fold of each cluster, as [`super::patient_folds`] gives it.
///
/// # Errors
/// [`ConformalError`] as [`fit`], and where a fold's complement has no case.
pub fn cross_fitted_sets(
    outcomes: &Outcomes<'_>,
    fold: &[u32],
    options: &ConformalOptions,
) -> Result<(Vec<ConformalModel>, Vec<PredictionSet>), ConformalError> {
    check(outcomes, options.alpha)?;
    let of = |cluster: u32| fold.get(cluster as usize).copied().unwrap_or(0);
    let folds = outcomes.cluster().iter().map(|&c| of(c)).max();
    let mut models = Vec::new();
    for f in 0..=folds.unwrap_or(0) {
        let others = outcomes.iter().filter(|(_, _, cluster)| of(*cluster) != f);
        let mut truth = Vec::new();
        let mut prediction = Vec::new();
        let mut cluster = Vec::new();
        for (t, p, c) in others {
            truth.push(t);
            prediction.push(p);
            cluster.push(c);
        }
        let others =
            Outcomes::new(&truth, &prediction, &cluster).map_err(|_| ConformalError::NoCases)?;
        models.push(fit(&others, options)?);
    }
    let sets = outcomes
        .iter()
        .map(|(_, p, cluster)| {
            models
                .get(of(cluster) as usize)
                .map_or(PredictionSet::Both, |model| model.set(p))
        })
        .collect();
    Ok((models, sets))
}

/// Scores with the weight of each; every patient's weights sum to 1.
struct Scores {
    patients: u64,
    weighted: Vec<(f64, f64)>,
}

/// What sums of shares may be off by, relative to the number of patients.
const ROUNDING: f64 = 1e-12;

impl Scores {
    fn quantile(&self, alpha: f64) -> Option<f64> {
        let units = self.patients as f64 + 1.0;
        let wanted = (1.0 - alpha) * units - ROUNDING * units;
        let mut reached = 0.0;
        self.weighted.iter().find_map(|&(score, weight)| {
            reached += weight;
            (reached >= wanted).then_some(score)
        })
    }
}

/// The sorted, weighted scores of one class, or of all cases.
fn scores(outcomes: &Outcomes<'_>, class: Option<bool>, clustering: Clustering) -> Scores {
    let mut of_class: Vec<(u32, f64)> = outcomes
        .iter()
        .filter(|(truth, _, _)| class.is_none_or(|class| class == *truth))
        .map(|(truth, p, cluster)| (cluster, nonconformity(truth, p)))
        .collect();
    of_class.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let groups: Vec<&[(u32, f64)]> = of_class.chunk_by(|a, b| a.0 == b.0).collect();
    let mut weighted = Vec::new();
    let mut patients = groups.len() as u64;
    match clustering {
        Clustering::Cases => {
            patients = of_class.len() as u64;
            weighted.extend(of_class.iter().map(|&(_, score)| (score, 1.0)));
        }
        Clustering::Pooled => {
            for group in &groups {
                let weight = 1.0 / group.len() as f64;
                weighted.extend(group.iter().map(|&(_, score)| (score, weight)));
            }
        }
        Clustering::SubsampledOnce { seed } => subsample(&groups, 1, seed, &mut weighted),
        Clustering::Subsampled { draws, seed } => {
            subsample(&groups, draws.max(1), seed, &mut weighted);
        }
    }
    weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    Scores { patients, weighted }
}

/// `draws` times one random score of each patient. Scores are sorted within a patient, so that the choice does not depend
/// on the order in which cases came.
fn subsample(groups: &[&[(u32, f64)]], draws: u32, seed: u64, weighted: &mut Vec<(f64, f64)>) {
    let weight = 1.0 / f64::from(draws);
    for group in groups {
        let Some(&(cluster, _)) = group.first() else {
            continue;
        };
        let mut rng = random::stream(seed, "conformal subsample", &[u64::from(cluster)]);
        for _ in 0..draws {
            if let Some(&(_, score)) = group.get(rng.random_range(0..group.len())) {
                weighted.push((score, weight));
            }
        }
    }
}
