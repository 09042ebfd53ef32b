//! Values side by side.

use rayon::prelude::*;

use super::{Rules, axis, buffers};
use crate::onnx::Attribute;

/// ONNX `Concat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat {
    /// The axis along which they lie; the batch is 0, 1 are channels or features.
    pub axis: usize,
}

impl Rules for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [first, others @ ..] = inputs else {
            return Err("it takes at least one input");
        };
        let place = axis::place(self.axis, first)?;
        let mut shape = first.to_vec();
        for other in others {
            let same = |(at, pair): (usize, (&usize, &usize))| at == place || pair.0 == pair.1;
            if other.len() != first.len() || !first.iter().zip(*other).enumerate().all(same) {
                return Err("all must have the same lengths but along the axis");
            }
            shape[place] += other[place];
        }
        Ok(shape)
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![Attribute::int("axis", self.axis)]
    }
}

/// Pixels that one thread copies at a time.
const PIXELS: usize = 256;

/// The rows of several values side by side; `widths` are the lengths of their rows.
pub(crate) fn join(parts: &[&[f32]], widths: &[usize]) -> Vec<f32> {
    let width: usize = widths.iter().sum();
    let length = parts.iter().map(|part| part.len()).sum();
    let mut results = buffers::taken(length);
    let chunks = results.par_chunks_mut(PIXELS * width.max(1)).enumerate();
    chunks.for_each(|(chunk, results)| {
        for (row, results) in results.chunks_exact_mut(width).enumerate() {
            let (row, mut rest) = (chunk * PIXELS + row, results);
            for (part, &width) in parts.iter().zip(widths) {
                let (target, after) = rest.split_at_mut(width);
                target.copy_from_slice(&part[row * width..][..width]);
                rest = after;
            }
        }
    });
    results
}

/// The part of `length` numbers at `start` of every row of `width`.
pub(crate) fn part(values: &[f32], width: usize, start: usize, length: usize) -> Vec<f32> {
    let rows = values.len() / width.max(1);
    let mut results = buffers::taken(rows * length);
    let chunks = results.par_chunks_mut(PIXELS * length.max(1));
    chunks
        .zip(values.par_chunks(PIXELS * width.max(1)))
        .for_each(|(results, values)| {
            let rows = results.chunks_exact_mut(length);
            for (target, row) in rows.zip(values.chunks_exact(width)) {
                target.copy_from_slice(&row[start..][..length]);
            }
        });
    results
}
