//! Operators of images: libtorch pads both sides of an axis alike, so other paddings are added first.

use tch::{Kind, Tensor as Value};

use super::operators::unsupported;
use super::values::signed;
use crate::{
    AveragePool, Conv, ConvTranspose, EngineError, MaxPool, Node, Pad, PadMode, Resize, ResizeMode,
};

type Outcome = Result<Value, EngineError>;

/// The padding of rows and columns, where both sides have the same.
fn even([top, left, bottom, right]: [usize; 4]) -> Option<[i64; 2]> {
    (top == bottom && left == right).then_some([top as i64, left as i64])
}

/// Images with more rows and columns around, top, left, bottom, right, that hold `number`.
fn padded(x: &Value, [top, left, bottom, right]: [usize; 4], number: f64) -> Outcome {
    let pads = signed(&[left, right, top, bottom]);
    Ok(x.f_pad(pads, "constant", Some(number))?)
}

pub fn conv(conv: &Conv, x: &Value, weight: &Value, bias: Option<&Value>) -> Outcome {
    let [strides, dilations] = [conv.strides, conv.dilations].map(|pair| signed(&pair));
    let groups = conv.groups as i64;
    Ok(match even(conv.pads) {
        Some(pads) => x.f_conv2d(weight, bias, strides, pads, dilations, groups)?,
        None => padded(x, conv.pads, 0.0)?
            .f_conv2d(weight, bias, strides, [0_i64; 2], dilations, groups)?,
    })
}

pub fn conv_transpose(
    conv: &ConvTranspose,
    x: &Value,
    weight: &Value,
    bias: Option<&Value>,
) -> Outcome {
    let [strides, more] = [conv.strides, conv.output_padding].map(|pair| signed(&pair));
    let turned =
        |pads: [i64; 2]| x.f_conv_transpose2d(weight, bias, strides, pads, more, 1, [1_i64; 2]);
    if let Some(pads) = even(conv.pads) {
        return Ok(turned(pads)?);
    }
    let whole = turned([0; 2])?;
    let [top, left, bottom, right] = conv.pads.map(|pad| pad as i64);
    let size = whole.size();
    let rows = whole.f_slice(2, top, size[2] - bottom, 1)?;
    Ok(rows.f_slice(3, left, size[3] - right, 1)?)
}

/// What must lie around an image so that windows from its upper left corner on give exactly `output`.
fn around(
    [kernel, strides]: [[usize; 2]; 2],
    pads: [usize; 4],
    x: &Value,
    output: &[usize],
) -> [usize; 4] {
    let size = x.size();
    let after = |axis: usize| {
        let length = size.get(axis + 2).map_or(0, |&length| length as usize);
        let places = output.get(axis + 1).copied().unwrap_or(1);
        let reach = places.saturating_sub(1) * strides[axis] + kernel[axis];
        reach.saturating_sub(length + pads[axis])
    };
    [pads[0], pads[1], after(0), after(1)]
}

/// Whether libtorch takes the padding itself: alike on both sides, and at most half the kernel.
fn half(pads: [usize; 4], kernel: [usize; 2]) -> Option<[i64; 2]> {
    even(pads).filter(|_| (0..2).all(|axis| 2 * pads[axis] <= kernel[axis]))
}

pub fn max_pool(pool: &MaxPool, x: &Value, output: &[usize]) -> Outcome {
    let [kernel, strides] = [pool.kernel, pool.strides].map(|pair| signed(&pair));
    Ok(if let Some(pads) = half(pool.pads, pool.kernel) {
        x.f_max_pool2d(kernel, strides, pads, [1_i64; 2], pool.ceil_mode)?
    } else {
        let around = around([pool.kernel, pool.strides], pool.pads, x, output);
        let x = padded(x, around, f64::NEG_INFINITY)?;
        x.f_max_pool2d(kernel, strides, [0_i64; 2], [1_i64; 2], false)?
    })
}

pub fn average_pool(pool: &AveragePool, x: &Value, output: &[usize]) -> Outcome {
    let [kernel, strides] = [pool.kernel, pool.strides].map(|pair| signed(&pair));
    let with_pad = pool.count_include_pad;
    if let Some(pads) = half(pool.pads, pool.kernel) {
        return Ok(x.f_avg_pool2d(kernel, strides, pads, pool.ceil_mode, with_pad, None)?);
    }
    let around = around([pool.kernel, pool.strides], pool.pads, x, output);
    let sums = |x: &Value| -> Outcome {
        let x = padded(x, around, 0.0)?;
        Ok(x.f_avg_pool2d(&kernel, &strides, [0_i64; 2], false, true, 1)?)
    };
    let size = x.size();
    let ones = Value::f_ones([1, 1, size[2], size[3]], (Kind::Float, x.device()))?;
    let counted = if with_pad {
        // The padding counts, but not what hangs over it.
        let [top, left, bottom, right] = pool.pads;
        let inside = [bottom.min(around[2]), right.min(around[3])];
        let ones = Value::f_pad(
            &ones,
            signed(&[left, inside[1], top, inside[0]]),
            "constant",
            1.0,
        )?;
        let rest = [0, 0, around[2] - inside[0], around[3] - inside[1]];
        padded(&ones, rest, 0.0)?.f_avg_pool2d(&kernel, &strides, [0_i64; 2], false, true, 1)?
    } else {
        sums(&ones)?
    };
    Ok(sums(x)?.f_div(&counted)?)
}

pub fn pad(pad: &Pad, x: &Value) -> Outcome {
    let [top, left, bottom, right] = pad.pads;
    match pad.mode {
        PadMode::Constant(number) => padded(x, pad.pads, number.into()),
        PadMode::Reflect => Ok(x.f_reflection_pad2d(signed(&[left, right, top, bottom]))?),
    }
}

pub fn resize(resize: &Resize, node: &Node, x: &Value) -> Outcome {
    let size = signed(&resize.size);
    Ok(match resize.mode {
        ResizeMode::NearestFloor => x.f_upsample_nearest2d(size, None, None)?,
        ResizeMode::NearestExact => x.f_internal_upsample_nearest_exact2d(size, None, None)?,
        ResizeMode::Linear { align_corners } => {
            x.f_upsample_bilinear2d(size, align_corners, None, None)?
        }
        ResizeMode::Cubic { coefficient: -0.75 } => {
            x.f_upsample_bicubic2d(size, false, None, None)?
        }
        // PyTorch knows no other slope.
        ResizeMode::Cubic { .. } => return Err(unsupported(node)),
    })
}
