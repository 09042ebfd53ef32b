//! What a label's report holds of calibration.

use super::bins::{Binning, Cell, Columns, Outcome, bins_of, cells_of};
use super::expected::of_cells;
use super::fit_error::check;
use super::slope::{in_the_large_of, logits, slope_of};
use crate::resampling::Resampling;
use crate::score::brier;
use crate::{Calibration, Outcomes};

/// Everything about a label's calibration: the reliability table, calibration errors, slope and intercept, and the Brier score's
/// parts. Intervals of the bins are over resampled patients, those of slope and intercept are of the sandwich variance.
pub fn summary(outcomes: &Outcomes, resampling: &Resampling) -> Calibration {
    let cells = cells_of(outcomes, Binning::default());
    let mut found = over(&cells, outcomes);
    found.bins = bins_of(&cells, resampling);
    found
}

/// As [`summary`], from cells and draws at hand; `replicates` has one row of bins a replicate.
pub(crate) fn calibration(
    cells: &[Cell],
    replicates: &[&[Option<f64>]],
    outcomes: &[Outcome],
) -> Calibration {
    let columns = Columns::new(outcomes);
    let mut found = columns
        .outcomes()
        .map_or_else(Calibration::default, |outcomes| over(cells, &outcomes));
    found.bins = (0..)
        .zip(cells)
        .map(|(i, cell)| cell.bin(replicates.iter().map(|row| row.get(i).copied().flatten())))
        .collect();
    found
}

/// The summary without its bins.
fn over(cells: &[Cell], outcomes: &Outcomes) -> Calibration {
    if outcomes.is_empty() {
        return Calibration::default();
    }
    let errors = of_cells(cells);
    let logits = check(outcomes).map(|()| logits(outcomes));
    let line = logits
        .as_ref()
        .map_err(|e| *e)
        .and_then(|logits| slope_of(outcomes, logits, [0.0, 1.0]));
    let in_the_large = logits
        .ok()
        .and_then(|logits| in_the_large_of(outcomes, &logits).ok());
    Calibration {
        bins: Vec::new(),
        expected_error: errors.expected_error,
        expected_error_debiased: errors.expected_error_debiased,
        maximum_error: Some(errors.maximum_error),
        slope: line.ok().map(|l| l.slope),
        intercept: line.ok().map(|l| l.intercept),
        in_the_large,
        slope_undefined: line.err(),
        clipped: line.map_or(0, |l| l.clipped),
        brier: brier(outcomes, Binning::default()).ok(),
    }
}
