//! What our own operators remember, and how they are put on the tape.

use burn_backend::TensorMetadata;
use burn_flex::FlexTensor;

use super::tape::{Recorded, Tracked, numbers, record, release, tensor};
use crate::operators::{ConvKernel, Epilogue, Normalisation, PoolKernel, rectifier_gradient};

mod values;

pub use values::{conv_transpose, function, join, mean, normalise_rows, resample, scale};

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

impl RecordedNormalisation {
    /// The gradients of values, weight and bias.
    fn of(&self, slopes: &FlexTensor, wanted: bool) -> [Option<FlexTensor>; 3] {
        let gradients = self
            .normalisation
            .backward(numbers(&self.values), numbers(slopes), wanted);
        let channel = |gradient: Vec<f32>| Some(tensor(&[gradient.len()], gradient));
        [
            gradients.input.map(|input| like(&self.values, input)),
            channel(gradients.weight),
            channel(gradients.bias),
        ]
    }
}

impl Recorded<3> for RecordedNormalisation {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        self.of(slopes, wanted[0])
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.values]
    }
}

/// A normalisation, with what follows it, into values of `shape`.
pub fn normalise(normalisation: Normalisation, inputs: [&Tracked; 3], shape: &[usize]) -> Tracked {
    let values = inputs[0].primitive().to_contiguous();
    let results = tensor(shape, normalisation.forward(numbers(&values), None));
    record(
        inputs,
        RecordedNormalisation {
            normalisation,
            values,
        },
        results,
    )
}

/// A normalisation to which something is added.
#[derive(Clone, Debug)]
struct RecordedSum {
    normalisation: RecordedNormalisation,
    /// What the rectifier after it gave, where there is one.
    rectified: Option<FlexTensor>,
}

impl Recorded<4> for RecordedSum {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; 4]) -> [Option<FlexTensor>; 4] {
        self.gradients_from(slopes.clone(), wanted)
    }

    fn gradients_from(&self, mut slopes: FlexTensor, wanted: [bool; 4]) -> [Option<FlexTensor>; 4] {
        if let Some(rectified) = &self.rectified {
            rectifier_gradient(numbers(rectified), slopes.storage_mut());
        }
        let [values, weight, bias] = self.normalisation.of(&slopes, wanted[0]);
        if wanted[3] {
            return [values, weight, bias, Some(slopes)];
        }
        release(slopes);
        [values, weight, bias, None]
    }

    fn values(self) -> Vec<FlexTensor> {
        let values = [self.normalisation.values];
        values.into_iter().chain(self.rectified).collect()
    }
}

/// A normalisation of the first input plus the last one, with what follows, into values of `shape`.
pub fn normalise_and_add(
    normalisation: Normalisation,
    inputs: [&Tracked; 4],
    shape: &[usize],
) -> Tracked {
    let [values, other] = [inputs[0], inputs[3]].map(|value| value.primitive().to_contiguous());
    let results = normalisation.forward(numbers(&values), Some(numbers(&other)));
    let results = tensor(shape, results);
    let rectified = (normalisation.epilogue == Epilogue::AddRelu).then(|| results.clone());
    let recorded = RecordedSum {
        normalisation: RecordedNormalisation {
            normalisation,
            values,
        },
        rectified,
    };
    record(inputs, recorded, results)
}

/// A maximum that remembers where it was found.
#[derive(Clone, Debug)]
struct RecordedPool {
    kernel: PoolKernel,
    taps: Vec<u8>,
    shape: Vec<usize>,
}

impl Recorded<1> for RecordedPool {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let gradient = self.kernel.backward_to(&self.taps, numbers(slopes));
        [Some(tensor(&self.shape, gradient))]
    }
}

/// A maximum over a window with more places than a byte can number.
#[derive(Clone, Debug)]
struct RecordedLargePool {
    kernel: PoolKernel,
    images: FlexTensor,
}

impl Recorded<1> for RecordedLargePool {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let gradient = self.kernel.backward(numbers(&self.images), numbers(slopes));
        [Some(like(&self.images, gradient))]
    }

    fn values(self) -> Vec<FlexTensor> {
        vec![self.images]
    }
}

/// A maximum into values of `shape`; with `track` its gradient can be asked for.
pub fn max_pool(kernel: &PoolKernel, images: &Tracked, shape: &[usize], track: bool) -> Tracked {
    let values = images.primitive().to_contiguous();
    if track && kernel.is_small() {
        let (results, taps) = kernel.forward_with_taps(numbers(&values));
        let recorded = RecordedPool {
            kernel: *kernel,
            taps,
            shape: values.shape().to_vec(),
        };
        return record([images], recorded, tensor(shape, results));
    }
    let results = tensor(shape, kernel.forward(numbers(&values)));
    let recorded = RecordedLargePool {
        kernel: *kernel,
        images: values,
    };
    record([images], recorded, results)
}
