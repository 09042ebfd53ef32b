//! Operators with a window that slides over images.

use super::Step;
use crate::onnx::read::array::Array;
use crate::onnx::read::error::ReadError;
use crate::onnx::read::view::View;
use crate::{AveragePool, Conv, ConvTranspose, GlobalAveragePool, GlobalMaxPool, MaxPool, Value};

/// What all windows have in common.
struct Window {
    kernel: [usize; 2],
    strides: [usize; 2],
    pads: [usize; 4],
    dilations: [usize; 2],
    ceil_mode: bool,
}

impl Window {
    fn new(view: &View, image: &[usize], kernel: Option<[usize; 2]>) -> Result<Self, ReadError> {
        if image.len() != 3 {
            return Err(view.form(format!(
                "works on images of channels, height and width, not on {image:?}"
            )));
        }
        let kernel = match (view.has("kernel_shape"), kernel) {
            (false, Some(kernel)) => kernel,
            _ => view.sized("kernel_shape", [0, 0])?,
        };
        let mut window = Self {
            kernel,
            strides: view.sized("strides", [1, 1])?,
            pads: [0; 4],
            dilations: view.sized("dilations", [1, 1])?,
            ceil_mode: view.flag("ceil_mode", false),
        };
        window.pads = match view.word("auto_pad").unwrap_or("NOTSET") {
            "NOTSET" | "" => view.sized("pads", [0; 4])?,
            "VALID" => [0; 4],
            "SAME_UPPER" => window.same(image, false),
            "SAME_LOWER" => window.same(image, true),
            other => return Err(view.form(format!("the padding `{other}` is not known"))),
        };
        Ok(window)
    }

    /// The pads that give ceil(length / stride) places; an odd one goes to the end, or with `lower` to the front.
    fn same(&self, image: &[usize], lower: bool) -> [usize; 4] {
        let mut pads = [0; 4];
        for axis in 0..2 {
            let length = image.get(axis + 1).copied().unwrap_or(1);
            let stride = self.strides[axis].max(1);
            let reach = self.dilations[axis] * self.kernel[axis].saturating_sub(1) + 1;
            let last = (length.div_ceil(stride).max(1) - 1) * stride;
            let total = (last + reach).saturating_sub(length);
            let (small, large) = (total / 2, total - total / 2);
            (pads[axis], pads[axis + 2]) = if lower {
                (large, small)
            } else {
                (small, large)
            };
        }
        pads
    }

    /// Refuses windows with gaps, which the pools do not have.
    fn without_gaps(self, view: &View) -> Result<Self, ReadError> {
        if self.dilations == [1, 1] {
            Ok(self)
        } else {
            Err(view.form("pools with dilations are not read"))
        }
    }
}

/// The first two lengths of a convolution's weight, and its kernel.
fn lengths(view: &View, weight: &Array) -> Result<([usize; 2], [usize; 2]), ReadError> {
    match *weight.shape.as_slice() {
        [first, second, height, width] => Ok(([first, second], [height, width])),
        ref shape => Err(view.form(format!(
            "has a weight of the shape {shape:?}; convolutions in two dimensions are read"
        ))),
    }
}

/// The bias at input 2. Zeros that were computed, as exporters make them up for layers without one, are none.
fn bias(step: &Step) -> Result<Option<Array>, ReadError> {
    let bias = step.optional(2)?;
    Ok(bias.filter(|bias| {
        let zeros = || {
            bias.floats()
                .is_some_and(|data| data.iter().all(|&x| x == 0.0))
        };
        bias.origin.is_some() || !zeros()
    }))
}

fn groups(view: &View) -> Result<usize, ReadError> {
    usize::try_from(view.int("group", 1)).map_err(|_| view.form("has a negative number of groups"))
}

pub fn conv(step: &mut Step) -> Result<Value, ReadError> {
    let (image, weight, bias) = (step.value(0)?, step.taken(1)?, bias(step)?);
    let ([channels, _], kernel) = lengths(&step.view, &weight)?;
    let window = Window::new(&step.view, &step.shape(image), Some(kernel))?;
    let conv = Conv {
        channels,
        kernel: window.kernel,
        strides: window.strides,
        pads: window.pads,
        dilations: window.dilations,
        groups: groups(&step.view)?,
        bias: bias.is_some(),
    };
    step.add(
        conv,
        &[image],
        std::iter::once(weight).chain(bias).collect(),
    )
}

pub fn conv_transpose(step: &mut Step) -> Result<Value, ReadError> {
    let (image, weight, bias) = (step.value(0)?, step.taken(1)?, bias(step)?);
    let ([_, channels], kernel) = lengths(&step.view, &weight)?;
    let view = step.view;
    let padding = view.word("auto_pad").unwrap_or("NOTSET");
    if view.has("output_shape") || !matches!(padding, "NOTSET" | "VALID" | "") {
        return Err(view.form("state `pads` in place of an output shape or automatic padding"));
    }
    let window = Window::new(&view, &step.shape(image), Some(kernel))?.without_gaps(&view)?;
    if groups(&view)? != 1 {
        return Err(view.form("transposed convolutions in groups are not read"));
    }
    let conv = ConvTranspose {
        channels,
        kernel: window.kernel,
        strides: window.strides,
        pads: window.pads,
        output_padding: view.sized("output_padding", [0, 0])?,
        bias: bias.is_some(),
    };
    step.add(
        conv,
        &[image],
        std::iter::once(weight).chain(bias).collect(),
    )
}

pub fn max_pool(step: &mut Step) -> Result<Value, ReadError> {
    let image = step.value(0)?;
    let window = Window::new(&step.view, &step.shape(image), None)?.without_gaps(&step.view)?;
    let pool = MaxPool {
        kernel: window.kernel,
        strides: window.strides,
        pads: window.pads,
        ceil_mode: window.ceil_mode,
    };
    step.plain(pool, &[image])
}

pub fn average_pool(step: &mut Step) -> Result<Value, ReadError> {
    let image = step.value(0)?;
    let shape = step.shape(image);
    let window = Window::new(&step.view, &shape, None)?.without_gaps(&step.view)?;
    if window.pads == [0; 4] && shape.get(1..) == Some(&window.kernel) && !window.ceil_mode {
        return step.plain(GlobalAveragePool, &[image]);
    }
    let pool = AveragePool {
        kernel: window.kernel,
        strides: window.strides,
        pads: window.pads,
        ceil_mode: window.ceil_mode,
        count_include_pad: step.view.flag("count_include_pad", false),
    };
    step.plain(pool, &[image])
}

pub fn global(step: &mut Step) -> Result<Value, ReadError> {
    let image = step.value(0)?;
    match step.view.operator() {
        "GlobalMaxPool" => step.plain(GlobalMaxPool, &[image]),
        _ => step.plain(GlobalAveragePool, &[image]),
    }
}
