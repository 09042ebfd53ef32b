//! Sums over clusters under many weightings at once.

use super::{LANES, Row, Weights};

/// Clusters whose weights are unpacked at a time: they stay in the processor's nearest cache for all columns.
const TILE: usize = 32;
/// Lanes that are summed in registers.
const WIDTH: usize = 16;

type Tile = [[[f64; WIDTH]; LANES / WIDTH]; TILE];

/// Each column's sum in every lane; a column has a number for each cluster. Sums of whole numbers are exact.
pub(crate) fn totals(columns: &[impl AsRef<[f64]>], weights: &Weights) -> Vec<[f64; LANES]> {
    let mut totals = vec![[0.0; LANES]; columns.len()];
    let mut tile: Tile = [[[0.0; WIDTH]; LANES / WIDTH]; TILE];
    for (first, rows) in (0..).step_by(TILE).zip(weights.rows().chunks(TILE)) {
        for (place, row) in tile.iter_mut().zip(rows) {
            unpack(row, place);
        }
        for (column, total) in columns.iter().zip(&mut totals) {
            let values = column.as_ref().get(first..first + rows.len());
            add_products(&tile, values.unwrap_or_default(), total);
        }
    }
    totals
}

fn unpack(row: &Row, place: &mut [[f64; WIDTH]; LANES / WIDTH]) {
    for (place, &weight) in place.as_flattened_mut().iter_mut().zip(&row.0) {
        *place = f64::from(weight);
    }
}

fn add_products(tile: &Tile, values: &[f64], total: &mut [f64; LANES]) {
    for (part, total) in total.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        let mut sum = [0.0; WIDTH];
        for (weights, &value) in tile.iter().zip(values) {
            for (sum, weight) in sum.iter_mut().zip(&weights[part]) {
                *sum += weight * value;
            }
        }
        for (total, sum) in total.iter_mut().zip(sum) {
            *total += sum;
        }
    }
}
