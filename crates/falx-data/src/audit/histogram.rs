//! How geometry is spread over the slices.

use serde::Serialize;

use super::survey::Survey;
use crate::index::IndexRow;

/// The spread of one quantity over the usable slices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// What is counted, such as `spacing_mm`.
    pub quantity: String,
    /// The width of a bin in mm; bin `i` is centred at `i` × width, and the last one holds all that is larger.
    pub bin_mm: f64,
    /// Slices by bin.
    pub slices: Vec<u64>,
    /// Slices of which it is not known.
    pub unknown: u64,
}

/// The histograms of spacing, thickness and pixel size.
pub(super) fn all(survey: &Survey<'_>) -> Vec<Histogram> {
    let of = |quantity, bin_mm, bins, value| one(survey, quantity, bin_mm, bins, value);
    vec![
        of("spacing_mm", 0.5, 21, |row| {
            row.spacing_mm.map(|spacing| spacing.0)
        }),
        of("thickness_mm", 0.5, 21, |row| {
            row.acquisition.as_ref()?.thickness_mm
        }),
        of("pixel_mm", 0.05, 25, |row| {
            row.acquisition.as_ref()?.pixel_mm
        }),
    ]
}

fn one(
    survey: &Survey<'_>,
    quantity: &str,
    bin_mm: f64,
    bins: usize,
    value: fn(&IndexRow) -> Option<f64>,
) -> Histogram {
    let mut slices = vec![0; bins];
    let mut unknown = 0;
    for (_, row) in survey.usable() {
        let bin = value(row)
            .filter(|value| value.is_finite())
            .map(|value| ((value / bin_mm).round().max(0.0) as usize).min(bins - 1));
        match bin.and_then(|bin| slices.get_mut(bin)) {
            Some(count) => *count += 1,
            None => unknown += 1,
        }
    }
    Histogram {
        quantity: quantity.to_owned(),
        bin_mm,
        slices,
        unknown,
    }
}
