//! The scores of one level: slices, or studies.

use falx_core::{LABELS, Label, LabelRow, Progress};

use crate::calibration::{Cell, Outcome, calibration, cells};
use crate::metrics::row_loss;
use crate::operating;
use crate::ranked::Ranked;
use crate::resampling::{estimate, replicate};
use crate::{Baseline, Estimate, EvaluateOptions, LabelScore, Undefined, Verdict, log_loss};

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

/// Sums a patient contributes to a mean.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: f64,
    count: u32,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }
}

fn weighted_mean(sums: &[Sum], weights: &[u32]) -> Option<f64> {
    let mut total = 0.0;
    let mut count = 0_u64;
    for (s, &w) in sums.iter().zip(weights) {
        total += s.sum * f64::from(w);
        count += u64::from(s.count) * u64::from(w);
    }
    (count > 0).then(|| total / count as f64)
}

fn sums(units: &[Unit], patients: usize, mut value: impl FnMut(&Unit) -> Option<f64>) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); patients];
    for unit in units {
        if let (Some(v), Some(s)) = (value(unit), sums.get_mut(unit.patient as usize)) {
            s.add(v);
        }
    }
    sums
}

/// Everything of one label that a replicate needs, sorted once.
struct Prepared {
    label: Label,
    outcomes: Vec<Outcome>,
    by_case: Ranked,
    by_patient: Ranked,
    losses: Vec<Sum>,
    cells: Vec<Cell>,
}

impl Prepared {
    fn new(units: &[Unit], patients: usize, label: Label) -> Self {
        let i = label.index();
        let outcomes: Vec<Outcome> = units
            .iter()
            .filter_map(|u| {
                Some(Outcome {
                    positive: u.truth.get(label)?,
                    prediction: u.prediction[i],
                    patient: u.patient,
                })
            })
            .collect();
        let by_case = Ranked::new(outcomes.iter().map(|o| (o.positive, o.prediction)));
        let mut by_patient = by_case.clone();
        by_patient.renumber(|case| outcomes.get(case as usize).map_or(0, |o| o.patient));
        let losses = sums(units, patients, |u| {
            Some(log_loss(u.truth.get(label)?, u.prediction[i]))
        });
        let cells = cells(&outcomes);
        Self {
            label,
            outcomes,
            by_case,
            by_patient,
            losses,
            cells,
        }
    }

    fn draw(&self, weights: &[u32]) -> LabelDraw {
        let weight = |patient: u32| weights.get(patient as usize).copied().unwrap_or(0);
        let (auc, average_precision) = self.by_patient.areas(weight);
        LabelDraw {
            log_loss: weighted_mean(&self.losses, weights),
            auc: auc.ok(),
            average_precision: average_precision.ok(),
            bins: self.cells.iter().map(|c| c.observed(weights)).collect(),
        }
    }

    fn score(&self, draws: &[&LabelDraw], reference: f64) -> LabelScore {
        let patients_with = |positive: bool| {
            let mut seen: Vec<u32> = self
                .outcomes
                .iter()
                .filter(|o| o.positive == positive)
                .map(|o| o.patient)
                .collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len() as u64
        };
        let known = self.outcomes.len() as u64;
        let positives = self.outcomes.iter().filter(|o| o.positive).count() as u64;
        let positive_patients = patients_with(true);
        let class_patients = positive_patients.min(patients_with(false));
        let few = positives.min(known - positives) < FEW_CASES || class_patients < FEW_PATIENTS;
        // With a single patient in a class, resampling shows the spread of the other class only.
        let areas = if class_patients > 1 { draws } else { &[] };
        let (auc, average_precision) = self.by_case.areas(|_| 1);
        let mean = |value: &dyn Fn(&Outcome) -> f64| {
            (known > 0).then(|| self.outcomes.iter().map(value).sum::<f64>() / known as f64)
        };
        let bins: Vec<&[Option<f64>]> = draws.iter().map(|d| d.bins.as_slice()).collect();
        LabelScore {
            label: self.label,
            known,
            positives,
            positive_patients,
            log_loss: mean(&|o| log_loss(o.positive, o.prediction))
                .map(|v| estimate(v, draws.iter().map(|d| d.log_loss))),
            baseline_log_loss: mean(&|o| log_loss(o.positive, reference)),
            undefined: auc.err(),
            auc: auc.ok().map(|v| estimate(v, areas.iter().map(|d| d.auc))),
            average_precision: average_precision
                .ok()
                .map(|v| estimate(v, areas.iter().map(|d| d.average_precision))),
            few,
            note: note(auc.err(), few, known, positives, positive_patients),
            roc: operating::roc(&self.by_case),
            calibration: calibration(&self.cells, &bins),
            operating_points: operating::points(
                &self.by_case,
                &self
                    .outcomes
                    .iter()
                    .map(|o| o.prediction)
                    .collect::<Vec<_>>(),
            ),
            locked_points: None,
            decision_curve: None,
        }
    }
}

fn note(
    undefined: Option<Undefined>,
    few: bool,
    known: u64,
    positives: u64,
    patients: u64,
) -> Option<String> {
    if let Some(reason) = undefined {
        return Some(format!("{reason}: the AUC is undefined"));
    }
    let cases = |n: u64, class: &str| match n {
        1 => format!("1 {class} case"),
        n => format!("{n} {class} cases"),
    };
    few.then(|| {
        if positives > known - positives {
            format!(
                "only {}: an indication, not a measurement",
                cases(known - positives, "negative")
            )
        } else {
            format!(
                "only {} of {patients} patient{}: an indication, not a measurement",
                cases(positives, "positive"),
                if patients == 1 { "" } else { "s" }
            )
        }
    })
}

/// One replicate of one label.
struct LabelDraw {
    log_loss: Option<f64>,
    auc: Option<f64>,
    average_precision: Option<f64>,
    bins: Vec<Option<f64>>,
}

/// One replicate of a level.
struct Draw {
    loss: Option<f64>,
    baselines: Vec<Option<f64>>,
    labels: Vec<LabelDraw>,
}

/// Scores a level; `None` where no unit has a known label. The first no-skill prediction is a constant, and the reference.
pub(crate) fn score(
    units: &[Unit],
    patients: usize,
    blind: Vec<NoSkill>,
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Option<Level> {
    let losses = sums(units, patients, |u| row_loss(u.truth, &u.prediction));
    let blind_losses: Vec<Vec<Sum>> = blind
        .iter()
        .map(|b| {
            let mut at = 0..units.len();
            sums(units, patients, |u| {
                row_loss(u.truth, b.prediction.at(at.next()?)?)
            })
        })
        .collect();
    let prepared: Vec<Prepared> = LABELS
        .into_iter()
        .map(|label| Prepared::new(units, patients, label))
        .collect();

    let draws = replicate(
        patients,
        options.replicates,
        options.seed,
        progress,
        |weights| Draw {
            loss: weighted_mean(&losses, weights),
            baselines: blind_losses
                .iter()
                .map(|sums| weighted_mean(sums, weights))
                .collect(),
            labels: prepared.iter().map(|p| p.draw(weights)).collect(),
        },
    );

    let everyone = vec![1_u32; patients];
    let loss = weighted_mean(&losses, &everyone)?;
    let skill = |loss: f64, baseline: f64| (baseline > PERFECT).then(|| 1.0 - loss / baseline);
    let baselines: Vec<Baseline> = blind
        .into_iter()
        .zip(&blind_losses)
        .enumerate()
        .filter_map(|(i, (blind, sums))| {
            let baseline = weighted_mean(sums, &everyone)?;
            let draws = draws
                .iter()
                .map(|d| skill(d.loss?, d.baselines.get(i).copied().flatten()?));
            Some(Baseline {
                name: blind.name,
                prediction: blind.prediction.constant(),
                weighted_log_loss: baseline,
                skill: skill(loss, baseline).map(|value| estimate(value, draws)),
            })
        })
        .collect();
    let labels = prepared
        .iter()
        .enumerate()
        .map(|(i, p)| {
            let draws: Vec<&LabelDraw> = draws.iter().filter_map(|d| d.labels.get(i)).collect();
            let reference = baselines
                .first()
                .and_then(|b| b.prediction)
                .map_or(0.5, |p| p[i]);
            p.score(&draws, reference)
        })
        .collect();
    Some(Level {
        weighted_log_loss: estimate(loss, draws.iter().map(|d| d.loss)),
        verdict: verdict(loss, baselines.first()),
        labels,
        baselines,
    })
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
