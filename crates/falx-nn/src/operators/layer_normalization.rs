//! Normalisation of each row or pixel by itself.

use pulp::Arch;
use rayon::prelude::*;

use super::{Rules, axis, buffers, only};
use crate::onnx::message::Node;
use crate::onnx::{Attribute, Place};
use crate::{Initialisation, ParameterKind, ParameterSpec};

/// ONNX `LayerNormalization` along one axis: the last, or the channels of images (exported between two `Transpose`).
///
/// # Source
/// Ba et al. 2016, "Layer Normalization".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormalization {
    /// The axis that is normalised; the batch is 0.
    pub axis: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Rules for LayerNormalization {
    fn name(&self) -> &'static str {
        "LayerNormalization"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let shape = only(inputs)?;
        let place = axis::place(self.axis, shape)?;
        if place + 1 == shape.len() || (place == 0 && shape.len() == 3) {
            Ok(shape.to_vec())
        } else {
            Err("it goes along the last axis, or the channels of images")
        }
    }

    fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        let shape = inputs.first().copied().unwrap_or_default();
        let length = axis::place(self.axis, shape).map_or(0, |place| shape[place]);
        let spec = |(part, start): (&str, f32)| ParameterSpec {
            name: format!("{name}.{part}"),
            shape: vec![length],
            kind: ParameterKind::Weight,
            initialisation: Initialisation::Constant(start),
        };
        [("weight", 1.0), ("bias", 0.0)]
            .into_iter()
            .map(spec)
            .collect()
    }

    /// Along the channels of images it stands between two transpositions.
    fn nodes(&self, place: &Place) -> Vec<Node> {
        let last = place.shapes.first().map_or(0, Vec::len);
        let attributes = vec![
            Attribute::int("axis", last),
            Attribute::float("epsilon", self.epsilon),
        ];
        if self.axis == last {
            return vec![place.node("LayerNormalization", attributes)];
        }
        let [turned, normal] = ["turned", "normal"].map(|part| place.of(part));
        let mut inputs = vec![turned.as_str()];
        inputs.extend(place.parameters.iter().map(String::as_str));
        let perm = |perm: [usize; 4]| vec![Attribute::ints("perm", &perm)];
        vec![
            place.part("turned", "Transpose", &[place.input()], perm([0, 2, 3, 1])),
            place.part("normal", "LayerNormalization", &inputs, attributes),
            place.last("Transpose", &[&normal], perm([0, 3, 1, 2])),
        ]
    }
}

/// Rows that are normalised one by one, in fixed groups so that sums do not depend on the number of threads.
const ROWS: usize = 64;

/// The normalisation of rows of `length` numbers each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RowNormalisation {
    pub length: usize,
    pub epsilon: f32,
}

/// The gradients of a normalisation of rows.
pub(crate) struct RowGradients {
    pub input: Vec<f32>,
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl RowNormalisation {
    /// The mean of a row, and 1 / its standard deviation.
    fn statistics(self, row: &[f32]) -> (f32, f32) {
        let count = row.len() as f32;
        let mean = row.iter().sum::<f32>() / count;
        let square = |x: &f32| (x - mean) * (x - mean);
        let variance = row.iter().map(square).sum::<f32>() / count;
        (mean, 1.0 / (variance + self.epsilon).sqrt())
    }

    /// The results for rows in `values`.
    pub fn forward(self, values: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let (arch, chunk) = (Arch::new(), ROWS * self.length);
        let mut results = buffers::taken(values.len());
        let chunks = results.par_chunks_mut(chunk).zip(values.par_chunks(chunk));
        chunks.for_each(|(results, values)| {
            arch.dispatch(|| {
                let rows = values.chunks_exact(self.length);
                for (row, results) in rows.zip(results.chunks_exact_mut(self.length)) {
                    let (mean, scale) = self.statistics(row);
                    let affine = weight.iter().zip(bias);
                    for ((result, x), (w, b)) in results.iter_mut().zip(row).zip(affine) {
                        *result = (x - mean) * scale * w + b;
                    }
                }
            });
        });
        results
    }

    /// The gradients from the results'.
    pub fn backward(self, values: &[f32], weight: &[f32], slopes: &[f32]) -> RowGradients {
        let (arch, chunk, length) = (Arch::new(), ROWS * self.length, self.length);
        let mut input = buffers::taken(values.len());
        let inputs = values.par_chunks(chunk).zip(slopes.par_chunks(chunk));
        let sums: Vec<[Vec<f32>; 2]> = input
            .par_chunks_mut(chunk)
            .zip(inputs)
            .map(|(input, (values, slopes))| {
                let mut sums = [vec![0.0; length], vec![0.0; length]];
                arch.dispatch(|| {
                    let rows = values.chunks_exact(length).zip(slopes.chunks_exact(length));
                    for ((row, slopes), input) in rows.zip(input.chunks_exact_mut(length)) {
                        self.row(row, weight, slopes, input, &mut sums);
                    }
                });
                sums
            })
            .collect();
        let mut gradients = RowGradients {
            input,
            weight: vec![0.0; length],
            bias: vec![0.0; length],
        };
        for [weight, bias] in sums {
            let add = |(sum, x): (&mut f32, f32)| *sum += x;
            gradients.weight.iter_mut().zip(weight).for_each(add);
            gradients.bias.iter_mut().zip(bias).for_each(add);
        }
        gradients
    }

    fn row(
        self,
        row: &[f32],
        weight: &[f32],
        slopes: &[f32],
        input: &mut [f32],
        [weights, biases]: &mut [Vec<f32>; 2],
    ) {
        let (mean, scale) = self.statistics(row);
        let (mut sum, mut product) = (0.0, 0.0);
        let parts = row.iter().zip(slopes).zip(weight);
        for (((x, g), w), (sum_w, sum_b)) in parts.zip(weights.iter_mut().zip(biases)) {
            let normal = (x - mean) * scale;
            *sum_w += g * normal;
            *sum_b += g;
            sum += g * w;
            product += g * w * normal;
        }
        let count = row.len() as f32;
        let (sum, product) = (sum / count, product / count);
        let parts = row.iter().zip(slopes).zip(weight);
        for (((x, g), w), input) in parts.zip(input) {
            *input = scale * (g * w - sum - (x - mean) * scale * product);
        }
    }
}
