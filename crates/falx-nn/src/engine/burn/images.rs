//! Operators of images of N, C, H, W.

use burn_autodiff::Autodiff;
use burn_backend::Backend;
use burn_backend::ops::{
    ConvOptions, ConvTransposeOptions, FloatTensorOps, ModuleOps, PadMode as Padding,
};

use super::operators::sliced;
use super::values::{self, Tracked, scalar};
use crate::operators::Resample;
use crate::{AveragePool, Conv, ConvTranspose, MaxPool};
use burn_backend::tensor::Device;

/// The padding of rows and columns, where both sides have the same.
fn even([top, left, bottom, right]: [usize; 4]) -> Option<[usize; 2]> {
    (top == bottom && left == right).then_some([top, left])
}

pub fn conv<B: Backend>(
    conv: &Conv,
    x: Tracked<B>,
    weight: Tracked<B>,
    bias: Option<Tracked<B>>,
) -> Tracked<B> {
    let [top, left, bottom, right] = conv.pads;
    let pads = [(top, bottom), (left, right)];
    let options = ConvOptions::new_with_padding(conv.strides, pads, conv.dilations, conv.groups);
    Autodiff::<B>::conv2d(x, weight, bias, options)
}

pub fn conv_transpose<B: Backend>(
    conv: &ConvTranspose,
    x: Tracked<B>,
    weight: Tracked<B>,
    bias: Option<Tracked<B>>,
) -> Tracked<B> {
    let turned = |pads: [usize; 2]| {
        let more = conv.output_padding;
        let options = ConvTransposeOptions::new(conv.strides, pads, more, [1, 1], 1);
        Autodiff::<B>::conv_transpose2d(x, weight, bias, options)
    };
    if let Some(pads) = even(conv.pads) {
        return turned(pads);
    }
    // Burn takes off as much on both sides.
    let whole = turned([0, 0]);
    let [top, left, bottom, right] = conv.pads;
    let shape = values::shape::<B>(&whole);
    let ranges = [
        [0, shape[0], 1],
        [0, shape[1], 1],
        [top, shape[2] - bottom, 1],
        [left, shape[3] - right, 1],
    ];
    sliced::<B>(whole, &ranges)
}

pub fn max_pool<B: Backend>(pool: &MaxPool, x: Tracked<B>, output: &[usize]) -> Tracked<B> {
    let [kernel, strides, ones] = [pool.kernel, pool.strides, [1, 1]];
    let pads = even(pool.pads).filter(|_| !pool.ceil_mode);
    if let Some(pads) = pads {
        return Autodiff::<B>::max_pool2d(x, kernel, strides, pads, ones, false);
    }
    // What must lie around an image so that windows from its upper left corner on give exactly `output`.
    let shape = values::shape::<B>(&x);
    let after = |axis: usize| {
        let places = output.get(axis + 1).copied().unwrap_or(1);
        let reach = places.saturating_sub(1) * strides[axis] + kernel[axis];
        reach.saturating_sub(shape[axis + 2] + pool.pads[axis])
    };
    let around = [
        (0, 0),
        (0, 0),
        (pool.pads[0], after(0)),
        (pool.pads[1], after(1)),
    ];
    let x = Autodiff::<B>::float_pad(x, &around, Padding::Constant(f32::MIN));
    Autodiff::<B>::max_pool2d(x, kernel, strides, [0, 0], ones, false)
}

pub fn average_pool<B: Backend>(
    pool: &AveragePool,
    x: Tracked<B>,
    output: &[usize],
    device: &Device<B>,
) -> Tracked<B> {
    let pads = even(pool.pads)
        .filter(|pads| !pool.ceil_mode && (pool.count_include_pad || *pads == [0, 0]));
    if let Some(pads) = pads {
        return Autodiff::<B>::avg_pool2d(x, pool.kernel, pool.strides, pads, true, false);
    }
    let resample = Resample::pool(pool, image::<B>(&x), output);
    resampled::<B>(&resample, x, device)
}

/// Weighted sums of rows and of columns, as products of matrices.
pub fn resampled<B: Backend>(resample: &Resample, x: Tracked<B>, device: &Device<B>) -> Tracked<B> {
    let ([rows, columns], [before, after], outside) = resample.matrices();
    let matrix = |shape: [usize; 2], data| {
        let shape = [1, 1, shape[0], shape[1]];
        values::put::<B>(&shape, data, device)
    };
    let rows = matrix([after[0], before[0]], rows);
    let columns = matrix([after[1], before[1]], columns);
    let columns = Autodiff::<B>::float_swap_dims(columns, 2, 3);
    // What sums nothing becomes 0 and then what lies outside.
    let x = match outside {
        0.0 => x,
        _ => Autodiff::<B>::float_sub_scalar(x, scalar(outside)),
    };
    let x = Autodiff::<B>::float_matmul(rows, Autodiff::<B>::float_matmul(x, columns));
    match outside {
        0.0 => x,
        _ => Autodiff::<B>::float_add_scalar(x, scalar(outside)),
    }
}

/// Channels, height and width.
pub fn image<B: Backend>(x: &Tracked<B>) -> [usize; 3] {
    match *values::shape::<B>(x) {
        [_, channels, height, width] => [channels, height, width],
        _ => [1, 1, 1],
    }
}
