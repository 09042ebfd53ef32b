//! What the operators beside convolution, normalisation and maximum remember.

use std::sync::Arc;

use burn_backend::TensorMetadata;
use burn_flex::FlexTensor;

use super::super::remembered::{Computed, Held, Remembered};
use super::super::tape::{Recorded, Tracked, numbers, record, tensor};
use crate::operators::{
    ConvKernel, Function, Resample, RowNormalisation, join as rows, means, means_gradient, part,
    scale as channels,
};

#[derive(Clone, Debug)]
struct RecordedFunction {
    function: Function,
    values: Remembered,
}

impl Recorded<1> for RecordedFunction {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let values = self.values.held();
        let gradient = self.function.backward(values.numbers(), numbers(slopes));
        [Some(tensor(&values.shape(), gradient))]
    }
}

/// A function of each number; and how its results are computed again, where its values are.
pub fn function(function: Function, (values, remembered): (&Tracked, Remembered)) -> Computed {
    let inner = Held::of(values);
    let results = tensor(&inner.shape(), function.forward(inner.numbers()));
    let again = remembered.is_again().then(|| {
        Remembered::again(&[&remembered], &inner.shape(), move |values| {
            function.forward(values[0])
        })
    });
    let recorded = RecordedFunction {
        function,
        values: remembered,
    };
    Computed {
        value: record([values], recorded, results),
        again,
    }
}

#[derive(Clone, Debug)]
struct RecordedResample {
    resample: Arc<Resample>,
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

/// Weighted sums of pixels into values of `shape`; and how these are computed again, where the images are.
pub fn resample(
    resample: Resample,
    (images, remembered): (&Tracked, Remembered),
    shape: &[usize],
) -> Computed {
    let resample = Arc::new(resample);
    let values = Held::of(images);
    let results = tensor(shape, resample.forward(values.numbers()));
    let again = remembered.is_again().then(|| {
        let once_more = Arc::clone(&resample);
        Remembered::again(&[&remembered], shape, move |images| {
            once_more.forward(images[0])
        })
    });
    let recorded = RecordedResample {
        resample,
        shape: values.shape(),
    };
    Computed {
        value: record([images], recorded, results),
        again,
    }
}

#[derive(Clone, Debug)]
struct RecordedRows {
    rows: RowNormalisation,
    values: Held,
    weight: Held,
}

impl Recorded<3> for RecordedRows {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let [values, weight] = [&self.values, &self.weight].map(Held::numbers);
        let gradients = self.rows.backward(values, weight, numbers(slopes));
        let row = |gradient: Vec<f32>| Some(tensor(&[gradient.len()], gradient));
        [
            Some(tensor(&self.values.shape(), gradients.input)),
            row(gradients.weight),
            row(gradients.bias),
        ]
    }
}

/// Rows normalised one by one: values, weight, bias.
pub fn normalise_rows(rows: RowNormalisation, inputs: [&Tracked; 3]) -> Tracked {
    let [values, weight, bias] = inputs.map(Held::of);
    let results = rows.forward(values.numbers(), weight.numbers(), bias.numbers());
    let results = tensor(&values.shape(), results);
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

/// How values of `shape` are computed again that lie side by side, where one of them is.
pub fn join_again(values: &[Remembered], shape: &[usize]) -> Option<Remembered> {
    values.iter().any(Remembered::is_again).then(|| {
        let width = |value: &Remembered| value.shape().last().copied().unwrap_or(0);
        let widths: Vec<usize> = values.iter().map(width).collect();
        let values: Vec<&Remembered> = values.iter().collect();
        Remembered::again(&values, shape, move |values| rows(values, &widths))
    })
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
    images: Remembered,
    factors: Held,
    channels: usize,
}

impl Recorded<2> for RecordedScale {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let (factors, slopes) = (self.factors.numbers(), numbers(slopes));
        [
            wanted[0].then(|| {
                let gradient = channels::forward(slopes, factors, self.channels);
                tensor(&self.images.shape(), gradient)
            }),
            wanted[1].then(|| {
                let images = self.images.held();
                let images = images.numbers();
                let gradient = channels::factors(images, slopes, factors.len(), self.channels);
                tensor(&self.factors.shape(), gradient)
            }),
        ]
    }
}

/// Images of N, H, W, C times factors of N, 1, 1, C; and how the products are computed again, where the images are.
pub fn scale((images, remembered): (&Tracked, Remembered), factors: &Tracked) -> Computed {
    let [inner, by] = [images, factors].map(Held::of);
    let channels = by.shape().last().copied().unwrap_or(1);
    let results = channels::forward(inner.numbers(), by.numbers(), channels);
    let results = tensor(&inner.shape(), results);
    let again = remembered.is_again().then(|| {
        let sources = [&remembered, &Remembered::Whole(by.clone())];
        Remembered::again(&sources, &inner.shape(), move |values| {
            channels::forward(values[0], values[1], channels)
        })
    });
    let recorded = RecordedScale {
        images: remembered,
        factors: by,
        channels,
    };
    Computed {
        value: record([images, factors], recorded, results),
        again,
    }
}

#[derive(Clone, Debug)]
struct RecordedConvTranspose {
    kernel: ConvKernel,
    images: Held,
    weights: Held,
    channels: usize,
}

impl<const N: usize> Recorded<N> for RecordedConvTranspose {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N] {
        let [images, weights] = [&self.images, &self.weights];
        let slopes = numbers(slopes);
        std::array::from_fn(|input| {
            wanted[input].then(|| match input {
                0 => {
                    let gradient = self.kernel.forward(slopes, weights.numbers(), None);
                    tensor(&images.shape(), gradient)
                }
                1 => {
                    let gradient = self.kernel.weight_gradient(slopes, images.numbers());
                    tensor(&weights.shape(), gradient)
                }
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
        images: Held::of(images),
        weights: Held::of(weights),
        channels,
    };
    let (values, inner) = (recorded.images.numbers(), recorded.weights.numbers());
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
