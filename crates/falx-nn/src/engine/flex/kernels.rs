//! What our own operators remember, and how they are put on the tape.

use burn_backend::TensorMetadata;
use burn_flex::FlexTensor;

use super::tape::{Recorded, Tracked, numbers, record, tensor};
use crate::operators::{ConvKernel, Normalisation, PoolKernel};

mod values;

pub use values::{conv_transpose, function, join, normalise_rows, resample, scale};

/// A gradient with the shape of the value it belongs to.
fn like(value: &FlexTensor, data: Vec<f32>) -> FlexTensor {
    tensor(&value.shape(), data)
}

#[derive(Clone, Debug)]
struct RecordedConv {
    kernel: ConvKernel,
    images: FlexTensor,
    weights: FlexTensor,
}

impl<const N: usize> Recorded<N> for RecordedConv {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N] {
        let (images, weights, slopes) = (
            numbers(&self.images),
            numbers(&self.weights),
            numbers(slopes),
        );
        std::array::from_fn(|input| {
            wanted[input].then(|| match input {
                0 => like(&self.images, self.kernel.input_gradient(slopes, weights)),
                1 => like(&self.weights, self.kernel.weight_gradient(images, slopes)),
                _ => {
                    let gradient = self.kernel.bias_gradient(slopes);
                    tensor(&[gradient.len()], gradient)
                }
            })
        })
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.images, self.weights]
    }
}

/// A convolution into values of `shape`.
pub fn conv(
    kernel: ConvKernel,
    images: &Tracked,
    weights: &Tracked,
    bias: Option<&Tracked>,
    shape: &[usize],
) -> Tracked {
    let recorded = RecordedConv {
        kernel,
        images: images.primitive().to_contiguous(),
        weights: weights.primitive().to_contiguous(),
    };
    let biases = bias.map(|bias| numbers(bias.primitive()));
    let results = kernel.forward(
        numbers(&recorded.images),
        numbers(&recorded.weights),
        biases,
    );
    let results = tensor(shape, results);
    match bias {
        Some(bias) => record([images, weights, bias], recorded, results),
        None => record([images, weights], recorded, results),
    }
}

#[derive(Clone, Debug)]
struct RecordedNormalisation {
    normalisation: Normalisation,
    values: FlexTensor,
}

impl Recorded<3> for RecordedNormalisation {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let gradients = self
            .normalisation
            .backward(numbers(&self.values), numbers(slopes));
        let channel = |gradient: Vec<f32>| Some(tensor(&[gradient.len()], gradient));
        [
            Some(like(&self.values, gradients.input)),
            channel(gradients.weight),
            channel(gradients.bias),
        ]
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.values]
    }
}

/// A normalisation, with what follows it, into values of `shape`.
pub fn normalise(normalisation: Normalisation, inputs: [&Tracked; 3], shape: &[usize]) -> Tracked {
    let values = inputs[0].primitive().to_contiguous();
    let results = tensor(shape, normalisation.forward(numbers(&values)));
    record(
        inputs,
        RecordedNormalisation {
            normalisation,
            values,
        },
        results,
    )
}

#[derive(Clone, Debug)]
struct RecordedPool {
    kernel: PoolKernel,
    images: FlexTensor,
}

impl Recorded<1> for RecordedPool {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let gradient = self.kernel.backward(numbers(&self.images), numbers(slopes));
        [Some(like(&self.images, gradient))]
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.images]
    }
}

/// A maximum into values of `shape`.
pub fn max_pool(kernel: PoolKernel, images: &Tracked, shape: &[usize]) -> Tracked {
    let values = images.primitive().to_contiguous();
    let results = tensor(shape, kernel.forward(numbers(&values)));
    record(
        [images],
        RecordedPool {
            kernel,
            images: values,
        },
        results,
    )
}
