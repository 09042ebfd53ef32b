//! Lossless JPEG: differences from a prediction of each sample.
//!
//! # Source
//! ITU-T T.81 Annex H.

use super::huffman::{Bits, Huffman};
use super::{Scan, corrupt};
use crate::Refused;

/// Decodes `rows` rows of a restart interval, each given to `write` with its samples before the point transform.
pub(super) fn decode_interval(
    bits: &mut Bits<'_>,
    scan: &Scan,
    table: &Huffman,
    rows: usize,
    write: &mut impl FnMut(&[u16]) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let bits_left = u32::from(scan.precision).saturating_sub(u32::from(scan.point_transform));
    let middle = 1_u16 << bits_left.saturating_sub(1);
    let mut above = vec![0; scan.cols];
    let mut row = vec![0; scan.cols];
    for number in 0..rows {
        if number == 0 {
            // The first row is predicted from the left, whatever the scan's predictor.
            predict_row(bits, table, middle, &above, &mut row, |a, _, _| a)?;
        } else {
            let start = above.first().copied().unwrap_or(middle);
            let (above, row) = (&above, &mut row);
            match scan.predictor {
                1 => predict_row(bits, table, start, above, row, |a, _, _| a),
                2 => predict_row(bits, table, start, above, row, |_, b, _| b),
                3 => predict_row(bits, table, start, above, row, |_, _, c| c),
                4 => predict_row(bits, table, start, above, row, |a, b, c| a + b - c),
                5 => predict_row(bits, table, start, above, row, |a, b, c| a + ((b - c) >> 1)),
                6 => predict_row(bits, table, start, above, row, |a, b, c| b + ((a - c) >> 1)),
                _ => predict_row(bits, table, start, above, row, |a, b, _| (a + b) >> 1),
            }?;
        }
        let used = row.iter().fold(0, |used, sample| used | sample);
        if u32::from(used) >> bits_left != 0 {
            return Err(corrupt("a sample is outside the codestream's precision"));
        }
        write(&row)?;
        std::mem::swap(&mut above, &mut row);
    }
    Ok(())
}

/// Decodes a row whose first sample is predicted as `start`.
#[inline]
fn predict_row(
    bits: &mut Bits<'_>,
    table: &Huffman,
    start: u16,
    above: &[u16],
    row: &mut [u16],
    predict: impl Fn(i32, i32, i32) -> i32,
) -> Result<(), Refused> {
    let mut prediction = i32::from(start);
    let mut above = above.iter().map(|&sample| i32::from(sample));
    let mut corner = above.next().unwrap_or_default();
    for sample in row {
        bits.refill();
        // Sums are modulo 65536.
        *sample = (prediction + table.difference(bits)?) as u16;
        // What the next sample sees; behind the last one it is not used.
        let next_above = above.next().unwrap_or_default();
        prediction = predict(i32::from(*sample), next_above, corner);
        corner = next_above;
    }
    Ok(())
}
