//! What the operators beside convolution, normalisation and maximum remember.

use burn_backend::TensorMetadata;
use burn_flex::FlexTensor;

use super::super::tape::{Recorded, Tracked, numbers, record, tensor};
use super::like;
use crate::operators::{
    ConvKernel, Function, Resample, RowNormalisation, join as rows, means, means_gradient, part,
    scale as channels,
};

#[derive(Clone, Debug)]
struct RecordedFunction {
    function: Function,
    values: FlexTensor,
}

impl Recorded<1> for RecordedFunction {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let gradient = self
            .function
            .backward(numbers(&self.values), numbers(slopes));
        [Some(like(&self.values, gradient))]
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.values]
    }
}

/// A function of each number.
pub fn function(function: Function, values: &Tracked) -> Tracked {
    let inner = values.primitive().to_contiguous();
    let results = like(&inner, function.forward(numbers(&inner)));
    let recorded = RecordedFunction {
        function,
        values: inner,
    };
    record([values], recorded, results)
}

#[derive(Clone, Debug)]
struct RecordedResample {
    resample: Resample,
    shape: Vec<usize>,
}

impl Recorded<1> for RecordedResample {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(tensor(
            &self.shape,
            self.resample.backward(numbers(slopes)),
        ))]
    }
}

/// Weighted sums of pixels into values of `shape`.
pub fn resample(resample: Resample, images: &Tracked, shape: &[usize]) -> Tracked {
    let values = images.primitive().to_contiguous();
    let results = tensor(shape, resample.forward(numbers(&values)));
    let shape = values.shape().to_vec();
    record([images], RecordedResample { resample, shape }, results)
}

#[derive(Clone, Debug)]
struct RecordedRows {
    rows: RowNormalisation,
    values: FlexTensor,
    weight: FlexTensor,
}

impl Recorded<3> for RecordedRows {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let [values, weight] = [&self.values, &self.weight].map(numbers);
        let gradients = self.rows.backward(values, weight, numbers(slopes));
        let row = |gradient: Vec<f32>| Some(tensor(&[gradient.len()], gradient));
        [
            Some(like(&self.values, gradients.input)),
            row(gradients.weight),
            row(gradients.bias),
        ]
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.values]
    }
}

/// Rows normalised one by one: values, weight, bias.
pub fn normalise_rows(rows: RowNormalisation, inputs: [&Tracked; 3]) -> Tracked {
    let [values, weight, bias] = inputs.map(|input| input.primitive().to_contiguous());
    let results = rows.forward(numbers(&values), numbers(&weight), numbers(&bias));
    let results = like(&values, results);
    let recorded = RecordedRows {
        rows,
        values,
        weight,
    };
    record(inputs, recorded, results)
}

#[derive(Clone, Debug)]
struct RecordedJoin<const N: usize>([Vec<usize>; N]);

impl<const N: usize> Recorded<N> for RecordedJoin<N> {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N] {
        let widths = self
            .0
            .each_ref()
            .map(|shape| shape.last().copied().unwrap_or(0));
        let width = widths.iter().sum();
        std::array::from_fn(|at| {
            let start = widths[..at].iter().sum();
            wanted[at].then(|| {
                let gradient = part(numbers(slopes), width, start, widths[at]);
                tensor(&self.0[at], gradient)
            })
        })
    }
}

/// Values side by side along the last axis.
pub fn join<const N: usize>(inputs: [&Tracked; N]) -> Tracked {
    let values = inputs.map(|input| input.primitive().to_contiguous());
    let shapes = values.each_ref().map(|value| value.shape().to_vec());
    let widths = shapes
        .each_ref()
        .map(|shape| shape.last().copied().unwrap_or(0));
    let mut shape = shapes.first().cloned().unwrap_or_default();
    if let Some(last) = shape.last_mut() {
        *last = widths.iter().sum();
    }
    let results = rows(&values.each_ref().map(numbers), &widths);
    record(inputs, RecordedJoin(shapes), tensor(&shape, results))
}

#[derive(Clone, Debug)]
struct RecordedMean {
    /// N, H, W, C.
    shape: [usize; 4],
}

impl Recorded<1> for RecordedMean {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let [_, height, width, channels] = self.shape;
        let gradient = means_gradient(numbers(slopes), height * width, channels);
        [Some(tensor(&self.shape, gradient))]
    }
}

/// Each channel's mean of images of N, H, W, C, into values of `shape`.
pub fn mean(images: &Tracked, input: [usize; 4], shape: &[usize]) -> Tracked {
    let [_, height, width, channels] = input;
    let values = images.primitive().to_contiguous();
    let results = means(numbers(&values), height * width, channels);
    record(
        [images],
        RecordedMean { shape: input },
        tensor(shape, results),
    )
}

#[derive(Clone, Debug)]
struct RecordedScale {
    images: FlexTensor,
    factors: FlexTensor,
    channels: usize,
}

impl Recorded<2> for RecordedScale {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let [images, factors] = [&self.images, &self.factors].map(numbers);
        let slopes = numbers(slopes);
        [
            wanted[0].then(|| {
                like(
                    &self.images,
                    channels::forward(slopes, factors, self.channels),
                )
            }),
            wanted[1].then(|| {
                let gradient = channels::factors(images, slopes, factors.len(), self.channels);
                like(&self.factors, gradient)
            }),
        ]
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.images]
    }
}

/// Images of N, H, W, C times factors of N, 1, 1, C.
pub fn scale(images: &Tracked, factors: &Tracked) -> Tracked {
    let [inner, by] = [images, factors].map(|value| value.primitive().to_contiguous());
    let channels = by.shape().to_vec().last().copied().unwrap_or(1);
    let results = channels::forward(numbers(&inner), numbers(&by), channels);
    let results = like(&inner, results);
    let recorded = RecordedScale {
        images: inner,
        factors: by,
        channels,
    };
    record([images, factors], recorded, results)
}

#[derive(Clone, Debug)]
struct RecordedConvTranspose {
    kernel: ConvKernel,
    images: FlexTensor,
    weights: FlexTensor,
    channels: usize,
}

impl<const N: usize> Recorded<N> for RecordedConvTranspose {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N] {
        let [images, weights, slopes] = [&self.images, &self.weights, slopes].map(numbers);
        std::array::from_fn(|input| {
            wanted[input].then(|| match input {
                0 => like(&self.images, self.kernel.forward(slopes, weights, None)),
                1 => like(&self.weights, self.kernel.weight_gradient(slopes, images)),
                _ => {
                    let sums = crate::operators::channel_sums(slopes, self.channels);
                    tensor(&[sums.len()], sums)
                }
            })
        })
    }
}

/// A turned convolution into values of `shape`; `kernel` is the convolution back.
pub fn conv_transpose(
    kernel: ConvKernel,
    images: &Tracked,
    weights: &Tracked,
    bias: Option<&Tracked>,
    shape: &[usize],
) -> Tracked {
    let channels = shape.last().copied().unwrap_or(1);
    let recorded = RecordedConvTranspose {
        kernel,
        images: images.primitive().to_contiguous(),
        weights: weights.primitive().to_contiguous(),
        channels,
    };
    let (values, inner) = (numbers(&recorded.images), numbers(&recorded.weights));
    let mut results = kernel.input_gradient(values, inner);
    if let Some(bias) = bias {
        let bias = numbers(bias.primitive());
        for pixel in results.chunks_exact_mut(channels) {
            pixel.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
        }
    }
    let results = tensor(shape, results);
    match bias {
        Some(bias) => record([images, weights, bias], recorded, results),
        None => record([images, weights], recorded, results),
    }
}
