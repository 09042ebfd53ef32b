//! The scores of one label.

use falx_core::Label;

use super::sums::{Mean, Sum, Sums, Totals};
use super::{FEW_CASES, FEW_PATIENTS, Unit};
use crate::calibration::{Cell, Outcome, calibration, cells};
use crate::interval::{LEVEL, clustered_area_of};
use crate::operating;
use crate::ranked::{Areas, Counts, Ranked, Walk};
use crate::resampling::{LANES, Resampling, Weights};
use crate::score::specific;
use crate::{LabelScore, Undefined, log_loss};

/// The false positive rates over which the partial area reaches: a specificity of at least 90 %.
const PARTIAL_WIDTH: f64 = 0.1;

/// Everything of one label that a replicate needs, sorted once.
pub(super) struct Prepared {
    label: Label,
    outcomes: Vec<Outcome>,
    ranked: Ranked,
    walk: Option<Walk>,
    cells: Vec<Cell>,
}

/// The label's sums over patients.
pub(super) struct LabelSums {
    log_loss: Mean,
    brier: Mean,
    positives: Sum,
    negatives: Sum,
}

impl Prepared {
    pub(super) fn new(units: &[Unit], label: Label) -> Self {
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
        let ranked = Ranked::new(outcomes.iter().map(|o| (o.positive, o.prediction)));
        let cells = cells(&outcomes);
        let patient = |case: u32| outcomes.get(case as usize).map_or(0, |o| o.patient);
        // Cells go up and the walk goes down.
        let walk = Walk::new(&ranked, patient, cells.iter().rev().map(Cell::count));
        Self {
            label,
            outcomes,
            ranked,
            walk,
            cells,
        }
    }

    pub(super) fn sums(&self, sums: &mut Sums) -> LabelSums {
        let of = |class: bool| {
            let cases = self.outcomes.iter().filter(move |o| o.positive == class);
            cases.map(|o| (o.patient, 1.0))
        };
        let loss = |o: &Outcome| (o.patient, log_loss(o.positive, o.prediction));
        let brier = |o: &Outcome| (o.patient, squared_error(o));
        LabelSums {
            log_loss: sums.mean(self.outcomes.iter().map(loss)),
            brier: sums.mean(self.outcomes.iter().map(brier)),
            positives: sums.add(of(true)),
            negatives: sums.add(of(false)),
        }
    }

    pub(super) fn draws(&self, weights: &Weights, sums: &LabelSums, totals: &Totals) -> LabelDraws {
        let counts = Counts::new(&totals.sum(sums.positives), &totals.sum(sums.negatives));
        let areas = |walk: &Walk| walk.areas(weights, &counts, PARTIAL_WIDTH);
        LabelDraws {
            log_loss: totals.mean(sums.log_loss),
            brier: totals.mean(sums.brier),
            areas: self.walk.as_ref().map(areas),
        }
    }

    pub(super) fn score(
        &self,
        resampling: &Resampling,
        draws: &[&LabelDraws],
        reference: f64,
    ) -> LabelScore {
        let known = self.outcomes.len() as u64;
        let positives = self.outcomes.iter().filter(|o| o.positive).count() as u64;
        let positive_patients = self.patients_with(true);
        let class_patients = positive_patients.min(self.patients_with(false));
        let few = positives.min(known - positives) < FEW_CASES || class_patients < FEW_PATIENTS;
        let (auc, average_precision) = self.ranked.areas(|_| 1);
        let mean = |value: &dyn Fn(&Outcome) -> f64| {
            (known > 0).then(|| self.outcomes.iter().map(value).sum::<f64>() / known as f64)
        };
        let of_means = |value: Option<f64>, of: fn(&LabelDraws) -> &[Option<f64>; LANES]| {
            value.map(|v| resampling.interval_of(v, draws.iter().map(|d| of(d))))
        };
        // With a single patient in a class, resampling shows the spread of the other class only.
        let areas = if class_patients > 1 { draws } else { &[] };
        let of_areas = |value: Option<f64>, of: fn(&Areas) -> &[Option<f64>; LANES]| {
            let draws = areas.iter().filter_map(|d| d.areas.as_ref()).map(of);
            value.map(|v| resampling.interval_of(v, draws))
        };
        let bins = self.bins(resampling, draws);
        let bins: Vec<&[Option<f64>]> = bins.iter().map(Vec::as_slice).collect();
        let predictions: Vec<f64> = self.outcomes.iter().map(|o| o.prediction).collect();
        let cases = self.outcomes.iter().map(|o| (o.positive, o.patient));
        LabelScore {
            label: self.label,
            known,
            positives,
            positive_patients,
            log_loss: of_means(mean(&|o| log_loss(o.positive, o.prediction)), |d| {
                &d.log_loss
            }),
            baseline_log_loss: mean(&|o| log_loss(o.positive, reference)),
            brier: of_means(mean(&squared_error), |d| &d.brier),
            undefined: auc.err(),
            auc: of_areas(auc.ok(), |a| &a.auc),
            auc_delong: clustered_area_of(&self.ranked, cases)
                .ok()
                .map(|area| area.interval(LEVEL)),
            partial_auc: of_areas(
                specific(&self.ranked, |_| 1, PARTIAL_WIDTH).map(|area| area.standardised),
                |a| &a.partial,
            ),
            average_precision: of_areas(average_precision.ok(), |a| &a.average_precision),
            few,
            note: note(auc.err(), few, known, positives, positive_patients),
            roc: operating::roc(&self.ranked),
            roc_band: Vec::new(),
            calibration: calibration(&self.cells, &bins, &self.outcomes),
            operating_points: operating::points(&self.ranked, &predictions),
            recalibration: None,
            locked_points: None,
            decision_curve: None,
        }
    }

    /// Patients with a case of a class.
    fn patients_with(&self, class: bool) -> u64 {
        let cases = self.outcomes.iter().filter(|o| o.positive == class);
        let mut patients: Vec<u32> = cases.map(|o| o.patient).collect();
        patients.sort_unstable();
        patients.dedup();
        patients.len() as u64
    }

    /// The share of positives in every cell: one row a replicate.
    fn bins(&self, resampling: &Resampling, draws: &[&LabelDraws]) -> Vec<Vec<Option<f64>>> {
        let cells = self.cells.len();
        let mut rows: Vec<Vec<Option<f64>>> = Vec::new();
        for cell in (0..cells).rev() {
            let blocks = draws
                .iter()
                .filter_map(|d| d.areas.as_ref()?.observed.get(cell));
            let replicates = resampling.replicates_of(blocks);
            rows.resize_with(replicates.len(), || Vec::with_capacity(cells));
            for (row, value) in rows.iter_mut().zip(replicates) {
                row.push(value);
            }
        }
        rows
    }
}

fn squared_error(outcome: &Outcome) -> f64 {
    let distance = f64::from(u8::from(outcome.positive)) - outcome.prediction;
    distance * distance
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

/// A block of draws of one label.
pub(super) struct LabelDraws {
    log_loss: [Option<f64>; LANES],
    brier: [Option<f64>; LANES],
    areas: Option<Areas>,
}
