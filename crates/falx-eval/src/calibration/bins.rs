//! Reliability: do probabilities agree with frequencies?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::band::{Moments, needs_cases, shares};
use crate::resampling::{Resampling, estimate};
use crate::{Bin, Estimate, Outcomes};

/// How predictions are sorted into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// At most so many bins of about equal numbers of cases; equal predictions share a bin, and a small rest joins its
    /// neighbour: a bin of three cases says nothing.
    EqualMass(usize),
    /// So many bins of equal width from 0 to 1, each with its upper edge; empty ones are left out.
    EqualWidth(usize),
}

impl Default for Binning {
    fn default() -> Self {
        Self::EqualMass(10)
    }
}

impl Binning {
    /// The bins' upper edges, rising; every bin holds its upper edge.
    pub(crate) fn edges(self, prediction: &[f64]) -> Vec<f64> {
        match self {
            Self::EqualMass(bins) => equal_mass(prediction, bins.max(1)),
            Self::EqualWidth(bins) => {
                let bins = bins.max(1);
                (1..=bins).map(|i| i as f64 / bins as f64).collect()
            }
        }
    }
}

/// The bin of a prediction, given the bins' upper edges; what lies above the last is in the last.
pub(crate) fn bin_of(edges: &[f64], p: f64) -> usize {
    edges
        .partition_point(|&edge| edge < p)
        .min(edges.len().saturating_sub(1))
}

fn equal_mass(prediction: &[f64], bins: usize) -> Vec<f64> {
    let mut kept = prediction.to_vec();
    let target = kept.len().div_ceil(bins).max(1);
    let (mut edges, mut rest, mut last) = (Vec::new(), kept.as_mut_slice(), 0);
    while !rest.is_empty() {
        let nth = target.min(rest.len()) - 1;
        let (_, &mut edge, above) = rest.select_nth_unstable_by(nth, f64::total_cmp);
        // What equals the edge joins it.
        let mut ties = 0;
        for at in 0..above.len() {
            if above[at] <= edge {
                above.swap(at, ties);
                ties += 1;
            }
        }
        last = nth + 1 + ties;
        rest = &mut above[ties..];
        edges.push(edge);
    }
    if edges.len() > 1 && last * 2 < target {
        edges.remove(edges.len() - 2);
    }
    edges
}

/// One case of one label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) positive: bool,
    pub(crate) prediction: f64,
    pub(crate) patient: u32,
}

/// What a patient brings to a bin.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    patient: u32,
    cases: u32,
    positives: u32,
    predicted: f64,
}

/// The cases of a bin, and how they spread over patients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    low: f64,
    high: f64,
    count: u64,
    positives: u64,
    moments: Moments,
    /// Sum of the squared residuals (y - p)².
    squares: f64,
    patients: Vec<Share>,
    consistency: (f64, f64),
}

impl Cell {
    fn new() -> Self {
        Self {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            ..Self::default()
        }
    }

    fn add(&mut self, positive: bool, p: f64) {
        self.low = self.low.min(p);
        self.high = self.high.max(p);
        self.count += 1;
        self.positives += u64::from(positive);
        self.moments.add(p);
        let residual = f64::from(u8::from(positive)) - p;
        self.squares += residual * residual;
    }

    /// The share of positives under patient weights; `None` where no case of the bin was drawn.
    pub(crate) fn observed(&self, weights: &[u32]) -> Option<f64> {
        let (mut cases, mut positives) = (0_u64, 0_u64);
        for share in &self.patients {
            let weight = u64::from(weights.get(share.patient as usize).copied().unwrap_or(0));
            cases += weight * u64::from(share.cases);
            positives += weight * u64::from(share.positives);
        }
        (cases > 0).then(|| positives as f64 / cases as f64)
    }

    /// How many cases.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The share of positives less the mean prediction.
    pub(super) fn gap(&self) -> f64 {
        (self.positives as f64 - self.moments.mean) / self.count.max(1) as f64
    }

    /// The variance of [`Self::gap`] over patients; `None` with fewer than two.
    pub(super) fn gap_variance(&self) -> Option<f64> {
        let patients = self.patients.len() as f64;
        let (n, gap) = (self.count as f64, self.gap());
        let squares: f64 = self
            .patients
            .iter()
            .map(|s| f64::from(s.positives) - s.predicted - gap * f64::from(s.cases))
            .map(|residual| residual * residual)
            .sum();
        (patients > 1.0).then(|| squares * patients / (patients - 1.0) / (n * n))
    }

    /// How many times larger the variance is than with independent cases, at least 1.
    fn design_effect(&self) -> f64 {
        // Cases of one class only show how predictions resemble each other within patients, not how outcomes do.
        if self.positives == 0 || self.positives == self.count {
            return 1.0;
        }
        let n = self.count as f64;
        let independent = (self.squares / n - self.gap().powi(2)) / (n - 1.0);
        match self.gap_variance() {
            Some(clustered) if independent > 0.0 => (clustered / independent).max(1.0),
            _ => 1.0,
        }
    }

    /// The cell as a bin, with the interval of the draws' frequencies.
    pub(super) fn bin(&self, draws: impl Iterator<Item = Option<f64>>) -> Bin {
        let n = self.count.max(1) as f64;
        self.with(estimate(self.positives as f64 / n, draws))
    }

    fn with(&self, observed: Estimate) -> Bin {
        Bin {
            low: self.low,
            high: self.high,
            predicted: self.moments.mean / self.count.max(1) as f64,
            observed,
            count: self.count,
            consistency_low: self.consistency.0,
            consistency_high: self.consistency.1,
        }
    }
}

/// The outcomes' cells, from the lowest predictions up; none is empty.
pub(super) fn cells_of(outcomes: &Outcomes, binning: Binning) -> Vec<Cell> {
    let edges = binning.edges(outcomes.prediction());
    let mut cells = vec![Cell::new(); edges.len()];
    // One row of shares a cell, one column a patient.
    let patients = outcomes.clusters();
    let mut shares = vec![Share::default(); patients * edges.len()];
    for (positive, p, patient) in outcomes.iter() {
        let bin = bin_of(&edges, p);
        if let Some(cell) = cells.get_mut(bin) {
            cell.add(positive, p);
        }
        if let Some(share) = shares.get_mut(bin * patients + patient as usize) {
            share.patient = patient;
            share.cases += 1;
            share.positives += u32::from(positive);
            share.predicted += p;
        }
    }
    for (cell, shares) in cells.iter_mut().zip(shares.chunks(patients.max(1))) {
        cell.patients = shares.iter().filter(|s| s.cases > 0).copied().collect();
    }
    set_bands(&mut cells, &edges, outcomes.prediction());
    cells.retain(|cell| cell.count > 0);
    cells
}

fn set_bands(cells: &mut [Cell], edges: &[f64], prediction: &[f64]) {
    // The exact distribution needs the predictions themselves; where the variance is large, moments do.
    let exact: Vec<bool> = cells
        .iter()
        .map(|c| needs_cases(c.moments.variance))
        .collect();
    let mut members: Vec<Vec<f64>> = vec![Vec::new(); cells.len()];
    if exact.contains(&true) {
        for &p in prediction {
            let bin = bin_of(edges, p);
            if exact.get(bin) == Some(&true)
                && let Some(members) = members.get_mut(bin)
            {
                members.push(p);
            }
        }
    }
    for (cell, members) in cells.iter_mut().zip(&members) {
        let wider = cell.design_effect();
        cell.consistency = shares(&cell.moments, members, cell.count, wider);
    }
}

/// Sorts outcomes into at most ten bins of about equal size; equal predictions stay together.
pub(crate) fn cells(outcomes: &[Outcome]) -> Vec<Cell> {
    let columns = Columns::new(outcomes);
    columns
        .outcomes()
        .map_or_else(Vec::new, |outcomes| cells_of(&outcomes, Binning::default()))
}

/// Outcomes column by column.
pub(crate) struct Columns {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    cluster: Vec<u32>,
}

impl Columns {
    pub(crate) fn new(outcomes: &[Outcome]) -> Self {
        Self {
            truth: outcomes.iter().map(|o| o.positive).collect(),
            prediction: outcomes.iter().map(|o| o.prediction).collect(),
            cluster: outcomes.iter().map(|o| o.patient).collect(),
        }
    }

    pub(crate) fn outcomes(&self) -> Option<Outcomes<'_>> {
        Outcomes::new(&self.truth, &self.prediction, &self.cluster).ok()
    }
}

/// The reliability diagram's table: for every bin the mean prediction and the frequency, with the frequency's 95 % interval over
/// resampled patients and its consistency band, as [`super::consistency`] gives it.
///
/// # Shape
/// One row a bin that holds cases, from the lowest predictions up.
///
/// # Source
/// Bröcker, Smith 2007, "Increasing the reliability of reliability diagrams", Weather and Forecasting 22.
pub fn reliability(outcomes: &Outcomes, binning: Binning, resampling: &Resampling) -> Vec<Bin> {
    bins_of(&cells_of(outcomes, binning), resampling)
}

pub(super) fn bins_of(cells: &[Cell], resampling: &Resampling) -> Vec<Bin> {
    let observed =
        resampling.estimates(|weights| cells.iter().map(|c| c.observed(weights)).collect());
    let alone = |cell: &Cell| cell.bin(std::iter::empty());
    cells
        .iter()
        .zip(observed)
        .map(|(cell, observed)| observed.map_or_else(|| alone(cell), |o| cell.with(o)))
        .collect()
}
