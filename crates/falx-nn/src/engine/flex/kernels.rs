//! What our own operators remember, and how they are put on the tape.

use std::sync::Arc;

use burn_flex::FlexTensor;

use super::remembered::{Computed, Held, Remembered};
use super::tape::{Recorded, Tracked, numbers, record, release, tensor};
use crate::operators::{ConvKernel, Epilogue, Normalisation, PoolKernel, rectifier_gradient};

mod values;

pub use values::{
    conv_transpose, function, join, join_again, mean, normalise_rows, resample, scale,
};

#[derive(Clone, Debug)]
struct RecordedConv {
    kernel: ConvKernel,
    images: Remembered,
    weights: Held,
}

impl<const N: usize> Recorded<N> for RecordedConv {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N] {
        let slopes = numbers(slopes);
        // Images that are computed again are needed for this alone, and make room for their gradient.
        let mut weights = wanted[1].then(|| {
            let images = self.images.held();
            let gradient = self.kernel.weight_gradient(images.numbers(), slopes);
            tensor(&self.weights.shape(), gradient)
        });
        std::array::from_fn(|input| match input {
            1 => weights.take(),
            _ if !wanted[input] => None,
            0 => {
                let gradient = self.kernel.input_gradient(slopes, self.weights.numbers());
                Some(tensor(&self.images.shape(), gradient))
            }
            _ => {
                let gradient = self.kernel.bias_gradient(slopes);
                Some(tensor(&[gradient.len()], gradient))
            }
        })
    }
}

/// A convolution of images, which are remembered as said, into values of `shape`; the weights' place on the tape has no numbers.
pub fn conv(
    kernel: ConvKernel,
    (images, remembered): (&Tracked, Remembered),
    (weights, held): (&Tracked, Held),
    bias: Option<&Tracked>,
    shape: &[usize],
) -> Tracked {
    let biases = bias.map(|bias| numbers(bias.primitive()));
    let results = kernel.forward(Held::of(images).numbers(), held.numbers(), biases);
    let results = tensor(shape, results);
    let recorded = RecordedConv {
        kernel,
        images: remembered,
        weights: held,
    };
    match bias {
        Some(bias) => record([images, weights, bias], recorded, results),
        None => record([images, weights], recorded, results),
    }
}

#[derive(Clone, Debug)]
struct RecordedNormalisation {
    normalisation: Arc<Normalisation>,
    values: Remembered,
}

impl RecordedNormalisation {
    /// The gradients of values, weight and bias.
    fn of(&self, slopes: &FlexTensor, wanted: bool) -> [Option<FlexTensor>; 3] {
        let values = self.values.held();
        let gradients = self
            .normalisation
            .backward(values.numbers(), numbers(slopes), wanted);
        let channel = |gradient: Vec<f32>| Some(tensor(&[gradient.len()], gradient));
        [
            gradients.input.map(|input| tensor(&values.shape(), input)),
            channel(gradients.weight),
            channel(gradients.bias),
        ]
    }
}

impl Recorded<3> for RecordedNormalisation {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        self.of(slopes, wanted[0])
    }
}

/// A normalisation, with what follows it, into values of `shape`; and how these are computed again.
pub fn normalise(
    normalisation: Normalisation,
    inputs: [&Tracked; 3],
    values: Remembered,
    shape: &[usize],
) -> Computed {
    let normalisation = Arc::new(normalisation);
    let results = normalisation.forward(Held::of(inputs[0]).numbers(), None);
    let once_more = Arc::clone(&normalisation);
    let again = Remembered::again(&[&values], shape, move |values| {
        once_more.forward(values[0], None)
    });
    let recorded = RecordedNormalisation {
        normalisation,
        values,
    };
    Computed {
        value: record(inputs, recorded, tensor(shape, results)),
        again: Some(again),
    }
}

/// A normalisation to which something is added.
#[derive(Clone, Debug)]
struct RecordedSum {
    normalisation: RecordedNormalisation,
    /// What the rectifier after it gave, where there is one.
    rectified: Option<Held>,
}

impl Recorded<4> for RecordedSum {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; 4]) -> [Option<FlexTensor>; 4] {
        self.gradients_from(slopes.clone(), wanted)
    }

    fn gradients_from(&self, mut slopes: FlexTensor, wanted: [bool; 4]) -> [Option<FlexTensor>; 4] {
        if let Some(rectified) = &self.rectified {
            rectifier_gradient(rectified.numbers(), slopes.storage_mut());
        }
        let [values, weight, bias] = self.normalisation.of(&slopes, wanted[0]);
        if wanted[3] {
            return [values, weight, bias, Some(slopes)];
        }
        release(slopes);
        [values, weight, bias, None]
    }
}

/// A normalisation of the first input plus the last one, with what follows, into values of `shape`.
pub fn normalise_and_add(
    normalisation: Normalisation,
    inputs: [&Tracked; 4],
    values: Remembered,
    shape: &[usize],
) -> Tracked {
    let [first, other] = [inputs[0], inputs[3]].map(Held::of);
    let results = normalisation.forward(first.numbers(), Some(other.numbers()));
    let results = tensor(shape, results);
    let rectified = normalisation.epilogue == Epilogue::AddRelu;
    let recorded = RecordedSum {
        rectified: rectified.then(|| results.clone().into()),
        normalisation: RecordedNormalisation {
            normalisation: Arc::new(normalisation),
            values,
        },
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
    images: Held,
}

impl Recorded<1> for RecordedLargePool {
    fn gradients(&self, slopes: &FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let gradient = self.kernel.backward(self.images.numbers(), numbers(slopes));
        [Some(tensor(&self.images.shape(), gradient))]
    }
}

/// A maximum into values of `shape`; with `track` its gradient can be asked for.
pub fn max_pool(kernel: &PoolKernel, images: &Tracked, shape: &[usize], track: bool) -> Tracked {
    let values = Held::of(images);
    if track && kernel.is_small() {
        let (results, taps) = kernel.forward_with_taps(values.numbers());
        let recorded = RecordedPool {
            kernel: *kernel,
            taps,
            shape: values.shape(),
        };
        return record([images], recorded, tensor(shape, results));
    }
    let results = tensor(shape, kernel.forward(values.numbers()));
    let recorded = RecordedLargePool {
        kernel: *kernel,
        images: values,
    };
    record([images], recorded, results)
}
