//! Our own kernels beside Burn's on shapes drawn at random.

use burn_backend::TensorMetadata;
use burn_backend::ops::{ConvOptions, FloatTensorOps, ModuleOps};
use proptest::prelude::*;

use super::super::tape::{self, tensor};
use super::super::*;
use crate::operators::{ConvKernel, Normalisation, PoolKernel, Statistics};
use crate::reference::Stream;
use crate::*;

fn random(name: &str, shape: &[usize]) -> Tensor {
    let mut stream = Stream::new(name);
    let mut tensor = Tensor::filled(shape, 0.0);
    let values = tensor.data.iter_mut();
    values.for_each(|x| *x = (2.0 * stream.unit() - 1.0) as f32);
    tensor
}

/// N, H, W, C as N, C, H, W.
fn channels_first(data: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let pixels = height * width;
    let images = data.chunks_exact(pixels * channels);
    images
        .flat_map(|image| {
            (0..channels).flat_map(move |c| (0..pixels).map(move |p| image[p * channels + c]))
        })
        .collect()
}

fn agree(what: &str, ours: &[f32], theirs: &[f32]) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.len(), theirs.len());
    let scale = theirs.iter().fold(1.0_f32, |scale, x| scale.max(x.abs()));
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        prop_assert!(
            (a - b).abs() <= 2e-5 * scale,
            "{} {}: {} {}",
            what,
            at,
            a,
            b
        );
    }
    Ok(())
}

fn leaf(tensor: &Tensor) -> Tracked {
    let inner = tape::tensor(&tensor.shape, tensor.data.clone());
    Tape::float_set_require_grad(Tape::from_inner(inner), true)
}

fn numbers(value: &burn_flex::FlexTensor) -> Vec<f32> {
    tape::numbers(&value.to_contiguous()).to_vec()
}

/// Burn's result and the gradients of its inputs.
fn differentiate(
    output: Tracked,
    slopes: &Tensor,
    leaves: &[&Tracked],
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let result = numbers(output.primitive());
    let slopes = Tape::from_inner(tensor(&output.shape(), slopes.data.clone()));
    let sum = Tape::float_sum(Tape::float_mul(output, slopes));
    let mut gradients = Tape::backward(sum);
    let mut gradient = |leaf: &&Tracked| numbers(&Tape::grad_remove(leaf, &mut gradients).unwrap());
    (result, leaves.iter().map(&mut gradient).collect())
}

fn shape_of(operator: impl Into<Operator>, input: [usize; 3]) -> Option<[usize; 3]> {
    let shape = operator.into().shape(&[&input]).ok()?;
    shape.try_into().ok()
}

#[derive(Clone, Debug)]
struct Case {
    conv: Conv,
    input: [usize; 3],
    batch: usize,
}

fn conv_case() -> impl Strategy<Value = Case> {
    let sizes = (1..=5_usize, 1..=5_usize, 1..=3_usize, 1..=3_usize);
    let more = (0..=2_usize, 0..=2_usize, 1..=2_usize, 1..=2_usize);
    let channels = (
        1..=19_usize,
        1..=19_usize,
        0..3_usize,
        1..=4_usize,
        any::<bool>(),
    );
    let image = (1..=13_usize, 1..=13_usize, 1..=3_usize);
    (sizes, more, channels, image).prop_map(|(sizes, more, channels, image)| {
        let (kernel, strides) = ([sizes.0, sizes.1], [sizes.2, sizes.3]);
        let (pads, dilations) = ([more.0, more.1, more.0, more.1], [more.2, more.3]);
        // One group, several, or one for each channel.
        let (inputs, outputs, groups) = match channels.2 {
            0 => (channels.0 * 2, channels.1 * 3, 1),
            1 => (channels.0 * channels.3, channels.1 * channels.3, channels.3),
            _ => (channels.0 * 2, channels.0 * 2, channels.0 * 2),
        };
        Case {
            conv: Conv {
                channels: outputs,
                kernel,
                strides,
                pads,
                dilations,
                groups,
                bias: channels.4,
            },
            input: [inputs, image.0, image.1],
            batch: image.2,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn convolutions_are_burns(Case { conv, input, batch } in conv_case()) {
        let Some(output) = shape_of(conv, input) else { return Ok(()) };
        let with_batch = |shape: [usize; 3]| [batch, shape[0], shape[1], shape[2]];
        let images = random("images", &with_batch(input));
        let slopes = random("slopes", &with_batch(output));
        let weights = random("weights", &[conv.channels, input[0] / conv.groups, conv.kernel[0], conv.kernel[1]]);
        let bias = random("bias", &[conv.channels]);
        let kernel = ConvKernel::new(&conv, input, output);
        let [last_images, last_slopes] = [&images, &slopes].map(|tensor| layout::channels_last(tensor).1);
        let ours = kernel.forward(&last_images, &weights.data, conv.bias.then_some(&bias.data));
        let [x, w, b] = [&images, &weights, &bias].map(leaf);
        let options = ConvOptions::new(conv.strides, [conv.pads[0], conv.pads[1]], conv.dilations, conv.groups);
        let theirs = Tape::conv2d(x.clone(), w.clone(), conv.bias.then(|| b.clone()), options);
        let leaves: &[&Tracked] = if conv.bias { &[&x, &w, &b] } else { &[&x, &w] };
        let (result, gradients) = differentiate(theirs, &slopes, leaves);
        agree("result", &channels_first(&ours, output), &result)?;
        let input_gradient = kernel.input_gradient(&last_slopes, &weights.data);
        agree("images", &channels_first(&input_gradient, input), &gradients[0])?;
        agree("weights", &kernel.weight_gradient(&last_images, &last_slopes), &gradients[1])?;
        if conv.bias {
            agree("bias", &kernel.bias_gradient(&last_slopes), &gradients[2])?;
        }
    }

    #[test]
    fn maxima_are_burns(
        (kernel, strides, pads, ceil) in ([1..=4_usize, 1..=4], [1..=3_usize, 1..=3], [0..=1_usize, 0..=1], any::<bool>()),
        input in [1..=20_usize, 1..=11, 1..=11],
        batch in 1..=3_usize,
    ) {
        let pool = MaxPool { kernel, strides, pads: [pads[0], pads[1], pads[0], pads[1]], ceil_mode: ceil };
        let Some(output) = shape_of(pool, input) else { return Ok(()) };
        let images = random("images", &[batch, input[0], input[1], input[2]]);
        let slopes = random("slopes", &[batch, output[0], output[1], output[2]]);
        let [last_images, last_slopes] = [&images, &slopes].map(|tensor| layout::channels_last(tensor).1);
        let kernel = PoolKernel::new(&pool, input, output);
        let (ours, taps) = kernel.forward_with_taps(&last_images);
        prop_assert_eq!(&ours, &kernel.forward(&last_images));
        let x = leaf(&images);
        let theirs = Tape::max_pool2d(x.clone(), pool.kernel, strides, pads, [1, 1], ceil);
        let (result, gradients) = differentiate(theirs, &slopes, &[&x]);
        agree("result", &channels_first(&ours, output), &result)?;
        let ours = kernel.backward_to(&taps, &last_slopes);
        agree("images", &channels_first(&ours, input), &gradients[0])?;
        let again = kernel.backward(&last_images, &last_slopes);
        agree("images again", &again, &ours)?;
    }

    #[test]
    fn normalisations_are_burns(channels in 1..=40_usize, pixels in 2..=700_usize) {
        let values = random("values", &[pixels, channels]);
        let slopes = random("slopes", &[pixels, channels]);
        let [weight, bias] = ["weight", "bias"].map(|name| random(name, &[channels]));
        let statistics = Statistics::of(&values.data, channels);
        let numbers = [weight.data.as_slice(), bias.data.as_slice()];
        let epilogue = crate::operators::Epilogue::Plain;
        let normalisation = Normalisation::new(&statistics, numbers, 1e-3, true, 1, epilogue);
        let ours = normalisation.forward(&values.data, None);
        let gradients = normalisation.backward(&values.data, &slopes.data, true);
        let [x, w, b] = [&values, &weight, &bias].map(leaf);
        let row = |value: &Tracked| Tape::float_reshape(value.clone(), vec![1, channels].into());
        let centred = Tape::float_sub(x.clone(), Tape::float_mean_dim(x.clone(), 0));
        let square = Tape::float_mul(centred.clone(), centred.clone());
        let variance = Tape::float_mean_dim(square, 0);
        let deviation = Tape::float_sqrt(Tape::float_add_scalar(variance, 1e-3_f32.into()));
        let scaled = Tape::float_mul(Tape::float_div(centred, deviation), row(&w));
        let (result, theirs) = differentiate(Tape::float_add(scaled, row(&b)), &slopes, &[&x, &w, &b]);
        agree("result", &ours, &result)?;
        agree("values", &gradients.input.unwrap_or_default(), &theirs[0])?;
        agree("weight", &gradients.weight, &theirs[1])?;
        agree("bias", &gradients.bias, &theirs[2])?;
    }
}
