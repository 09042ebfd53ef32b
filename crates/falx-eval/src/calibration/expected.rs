//! Expected calibration errors: the reliability diagram in one number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::band::mean_distance;
use super::bins::{Binning, Cell, cells_of};
use crate::{Outcomes, Undefined};

/// How far frequencies lie from predictions, over bins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedErrors {
    /// The mean distance of frequency and mean prediction, weighted by cases (ECE).
    pub expected_error: f64,
    /// The same with part of what chance adds taken off, at least 0; `None` where a bin has fewer than two patients.
    pub expected_error_debiased: Option<f64>,
    /// The largest distance of any bin (MCE).
    pub maximum_error: f64,
}

/// The expected calibration error, plain and debiased, and the maximum calibration error.
///
/// The debiased error takes off what chance adds, as far as one step of that goes (for right predictions some two fifths of it; the
/// Brier score's debiased reliability has no bias, being a square): twice the plain error less its mean if the bins' distances were drawn again from
/// normal distributions around the ones seen, in closed form. Their variance is that over patients, since slices of one
/// patient err together.
///
/// Read [`super::CAVEAT`] before believing any of them.
///
/// # Errors
/// [`Undefined::NoCases`] when there is nothing to bin.
///
/// # Source
/// Naeini, Cooper, Hauskrecht 2015, AAAI 29; for the correction Kumar, Liang, Ma 2019, "Verified uncertainty
/// calibration", Advances in Neural Information Processing Systems 32 (their library's estimator for the absolute error), here with the variance over clusters.
pub fn expected_errors(outcomes: &Outcomes, binning: Binning) -> Result<ExpectedErrors, Undefined> {
    if outcomes.is_empty() {
        return Err(Undefined::NoCases);
    }
    Ok(of_cells(&cells_of(outcomes, binning)))
}

pub(super) fn of_cells(cells: &[Cell]) -> ExpectedErrors {
    let total: u64 = cells.iter().map(Cell::count).sum();
    let share = |cell: &Cell| cell.count() as f64 / total.max(1) as f64;
    let expected_error: f64 = cells.iter().map(|c| share(c) * c.gap().abs()).sum();
    let redrawn: Option<f64> = cells
        .iter()
        .map(|c| Some(share(c) * mean_distance(c.gap(), c.gap_variance()?)))
        .sum();
    ExpectedErrors {
        expected_error,
        expected_error_debiased: redrawn.map(|mean| (2.0 * expected_error - mean).max(0.0)),
        maximum_error: cells.iter().map(|c| c.gap().abs()).fold(0.0, f64::max),
    }
}
