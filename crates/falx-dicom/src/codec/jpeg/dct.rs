//! Sequential DCT: blocks of 8 x 8 samples.
//!
//! # Source
//! ITU-T T.81 Annexes A and F.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use super::huffman::{Bits, Huffman, extend};
use super::{Scan, corrupt};
use crate::Refused;

/// Samples on a side of a block.
pub(super) const SIDE: usize = 8;
/// From the order in the codestream to the place in the block, row by row.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A row of a block, or a column: one lane for each sample beside it.
type Lanes = [f32; SIDE];

/// Decodes blocks and transforms them back.
pub(super) struct Blocks<'a> {
    pub(super) direct: &'a Huffman,
    pub(super) alternating: &'a Huffman,
    pub(super) quantisation: &'a [u16; 64],
    /// The transform's matrix: `basis[u][x]`.
    basis: [Lanes; SIDE],
    /// The last block's direct coefficient; each is coded as the difference from it.
    last_direct: i32,
    middle: f32,
    highest: f32,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(
        scan: &Scan,
        direct: &'a Huffman,
        alternating: &'a Huffman,
        quantisation: &'a [u16; 64],
    ) -> Self {
        let mut basis = [[0.0; SIDE]; SIDE];
        for (u, row) in basis.iter_mut().enumerate() {
            let scale = if u == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
            for (x, value) in row.iter_mut().enumerate() {
                *value = scale * ((2 * x + 1) as f32 * u as f32 * PI / 16.0).cos();
            }
        }
        let levels = (1_u32 << scan.precision) as f32;
        Self {
            direct,
            alternating,
            quantisation,
            basis,
            last_direct: 0,
            middle: levels / 2.0,
            highest: levels - 1.0,
        }
    }

    /// Begins a restart interval.
    pub(super) fn restart(&mut self) {
        self.last_direct = 0;
    }

    /// Decodes the next block's samples, row by row.
    pub(super) fn decode(&mut self, bits: &mut Bits<'_>) -> Result<[[u16; SIDE]; SIDE], Refused> {
        let mut coefficients = [0.0_f32; 64];
        let mut set = |order: usize, value: i32| -> Result<(), Refused> {
            let place = ZIGZAG.get(order).map(|&place| usize::from(place));
            let step = self.quantisation.get(order).copied().unwrap_or_default();
            let coefficient = place.and_then(|place| coefficients.get_mut(place));
            let coefficient = coefficient.ok_or_else(|| corrupt("a block has too much in it"))?;
            *coefficient = (value as f32) * f32::from(step);
            Ok(())
        };
        bits.refill();
        let difference = self.direct.difference(bits)?;
        self.last_direct = self.last_direct.saturating_add(difference);
        set(0, self.last_direct)?;
        let mut order = 1;
        while order < 64 {
            bits.refill();
            let symbol = self.alternating.symbol(bits)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match (run, size) {
                (0, 0) => break,
                (15, 0) => order += 16,
                (_, 0) => return Err(corrupt("a block has a run without a value")),
                _ => {
                    order += run;
                    set(order, extend(bits.take(size)?, size))?;
                    order += 1;
                }
            }
        }
        if order > 64 {
            return Err(corrupt("a block has too much in it"));
        }
        Ok(self.transform(&coefficients))
    }

    fn transform(&self, coefficients: &[f32; 64]) -> [[u16; SIDE]; SIDE] {
        let (rows, _) = coefficients.as_chunks::<SIDE>();
        // Down the columns, then along the rows: the same sum with the axes exchanged.
        let columns = transposed(&self.sums(rows));
        let samples = transposed(&self.sums(&columns));
        samples.map(|row| {
            row.map(|value| {
                let sample = (value + self.middle).round_ties_even();
                sample.clamp(0.0, self.highest) as u16
            })
        })
    }

    /// For each `x` the sum over `u` of `basis[u][x]` times row `u`.
    fn sums(&self, rows: &[Lanes]) -> [Lanes; SIDE] {
        let mut sums = [[0.0; SIDE]; SIDE];
        for (row, weights) in rows.iter().zip(&self.basis) {
            if row.iter().all(|&value| value == 0.0) {
                continue;
            }
            for (sum, weight) in sums.iter_mut().zip(weights) {
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += weight * value;
                }
            }
        }
        sums
    }
}

fn transposed(rows: &[Lanes; SIDE]) -> [Lanes; SIDE] {
    let mut columns = [[0.0; SIDE]; SIDE];
    for (x, row) in rows.iter().enumerate() {
        for (column, &value) in columns.iter_mut().zip(row) {
            if let Some(place) = column.get_mut(x) {
                *place = value;
            }
        }
    }
    columns
}
