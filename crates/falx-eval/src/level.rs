//! The scores of one level: slices, or studies.

mod label;
mod sums;

use falx_core::{LABELS, LabelRow, Progress};
use rayon::prelude::*;

use crate::metrics::row_loss;
use crate::resampling::{LANES, Resampling};
use crate::{Baseline, Estimate, EvaluateOptions, LabelScore, Verdict};
use label::{LabelDraws, LabelSums, Prepared};
use sums::{Mean, Sums};

/// One thing to score: a slice or a study.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Patients are numbered from 0 without gaps, in the order of their pseudonyms.
    pub(crate) patient: u32,
    pub(crate) truth: LabelRow,
    pub(crate) prediction: [f64; 6],
}

/// A prediction that knows nothing of the image.
#[derive(Clone, Debug)]
pub(crate) struct NoSkill {
    pub(crate) name: String,
    pub(crate) prediction: Blind,
}

/// The same for everything, or one row a unit.
#[derive(Clone, Debug)]
pub(crate) enum Blind {
    Constant([f64; 6]),
    ByUnit(Vec<[f64; 6]>),
}

impl Blind {
    fn at(&self, unit: usize) -> Option<&[f64; 6]> {
        match self {
            Self::Constant(prediction) => Some(prediction),
            Self::ByUnit(rows) => rows.get(unit),
        }
    }

    const fn constant(&self) -> Option<[f64; 6]> {
        match self {
            Self::Constant(prediction) => Some(*prediction),
            Self::ByUnit(_) => None,
        }
    }
}

/// The scores of one level.
pub(crate) struct Level {
    pub(crate) weighted_log_loss: Estimate,
    pub(crate) verdict: Verdict,
    pub(crate) labels: Vec<LabelScore>,
    pub(crate) baselines: Vec<Baseline>,
}

/// A baseline's loss below this has only one outcome to predict: a skill against it would be a division by nothing.
pub(crate) const PERFECT: f64 = 1e-12;

/// Below these numbers, of cases and of patients in either class, digits suggest more than is known.
const FEW_CASES: u64 = 20;
const FEW_PATIENTS: u64 = 10;

/// A block of draws of a level.
struct Draws {
    loss: [Option<f64>; LANES],
    blind: Vec<[Option<f64>; LANES]>,
    labels: Vec<LabelDraws>,
}

/// Scores a level; `None` where no unit has a known label. The first no-skill prediction is a constant, and the reference.
pub(crate) fn score(
    units: &[Unit],
    patients: usize,
    blind: Vec<NoSkill>,
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Option<Level> {
    let mut sums = Sums::new(patients);
    let losses = units.iter();
    let losses = losses.filter_map(|u| Some((u.patient, row_loss(u.truth, &u.prediction)?)));
    let model = sums.mean(losses);
    let blind_means: Vec<Mean> =
        blind
            .iter()
            .map(|b| {
                sums.mean(units.iter().enumerate().filter_map(|(at, u)| {
                    Some((u.patient, row_loss(u.truth, b.prediction.at(at)?)?))
                }))
            })
            .collect();
    let prepared: Vec<Prepared> = LABELS
        .into_par_iter()
        .map(|label| Prepared::new(units, label))
        .collect();
    let of_labels: Vec<LabelSums> = prepared.iter().map(|p| p.sums(&mut sums)).collect();

    let resampling = Resampling::new(patients, options.replicates, options.seed);
    let draws = resampling.blocks_of_draws(progress, |weights| {
        let totals = sums.totals(weights);
        Draws {
            loss: totals.mean(model),
            blind: blind_means.iter().map(|&m| totals.mean(m)).collect(),
            labels: prepared
                .iter()
                .zip(&of_labels)
                .map(|(p, sums)| p.draws(weights, sums, &totals))
                .collect(),
        }
    });

    let loss = sums.of_everyone(model)?;
    let baselines: Vec<Baseline> = blind
        .into_iter()
        .zip(&blind_means)
        .enumerate()
        .filter_map(|(i, (blind, &mean))| {
            let baseline = sums.of_everyone(mean)?;
            let skills: Vec<[Option<f64>; LANES]> = draws
                .iter()
                .filter_map(|d| Some((d.loss, d.blind.get(i)?)))
                .map(|(loss, blind)| std::array::from_fn(|l| skill(loss[l]?, blind[l]?)))
                .collect();
            Some(Baseline {
                name: blind.name,
                prediction: blind.prediction.constant(),
                weighted_log_loss: baseline,
                skill: skill(loss, baseline)
                    .map(|value| resampling.interval_of(value, skills.iter())),
            })
        })
        .collect();
    let reference = baselines.first().and_then(|b| b.prediction);
    let labels = prepared
        .par_iter()
        .enumerate()
        .map(|(i, p)| {
            let draws: Vec<&LabelDraws> = draws.iter().filter_map(|d| d.labels.get(i)).collect();
            p.score(&resampling, &draws, reference.map_or(0.5, |p| p[i]))
        })
        .collect();
    Some(Level {
        weighted_log_loss: resampling.interval_of(loss, draws.iter().map(|d| &d.loss)),
        verdict: verdict(loss, baselines.first()),
        labels,
        baselines,
    })
}

fn skill(loss: f64, baseline: f64) -> Option<f64> {
    (baseline > PERFECT).then(|| 1.0 - loss / baseline)
}

fn verdict(loss: f64, reference: Option<&Baseline>) -> Verdict {
    let Some(reference) = reference else {
        return Verdict::Unclear;
    };
    if loss >= reference.weighted_log_loss {
        return Verdict::WorseThanNoSkill;
    }
    match reference.skill.and_then(|s| s.low) {
        Some(low) if low > 0.0 => Verdict::Skill,
        _ => Verdict::Unclear,
    }
}
