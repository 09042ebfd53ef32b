//! The turned convolution: each pixel spreads over a kernel.

use super::{Rules, image};
use crate::onnx::Attribute;
use crate::{Initialisation, ParameterKind, ParameterSpec};

/// ONNX `ConvTranspose` in two dimensions, with PyTorch's weight of inputs x outputs x height x width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose {
    /// How many channels it gives.
    pub channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between the places of two pixels.
    pub strides: [usize; 2],
    /// Rows and columns cut off: top, left, bottom, right.
    pub pads: [usize; 4],
    /// Rows and columns added at the end.
    pub output_padding: [usize; 2],
    /// Whether a bias is added.
    pub bias: bool,
}

impl Rules for ConvTranspose {
    fn name(&self) -> &'static str {
        "ConvTranspose"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [_, height, width] = image(inputs)?;
        if self.channels == 0 || self.kernel.contains(&0) || self.strides.contains(&0) {
            return Err("channels, kernel and strides must be at least 1");
        }
        if (0..2).any(|axis| self.output_padding[axis] >= self.strides[axis]) {
            return Err("the output's padding must be smaller than the stride");
        }
        let along = |axis: usize, length: usize| {
            let whole = (length - 1) * self.strides[axis] + self.kernel[axis];
            (whole + self.output_padding[axis])
                .checked_sub(self.pads[axis] + self.pads[axis + 2])
                .filter(|&length| length > 0)
                .ok_or("the padding cuts off everything")
        };
        Ok(vec![self.channels, along(0, height)?, along(1, width)?])
    }

    fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        let channels = inputs.first().and_then(|shape| shape.first());
        let channels = channels.copied().unwrap_or(0);
        let [rows, columns] = self.kernel;
        // PyTorch counts the second dimension as the fan-in.
        let fan_in = self.channels * rows * columns;
        let spec = |part: &str, shape: Vec<usize>| ParameterSpec {
            name: format!("{name}.{part}"),
            shape,
            kind: ParameterKind::Weight,
            initialisation: Initialisation::FanInUniform { fan_in },
        };
        let mut specs = vec![spec("weight", vec![channels, self.channels, rows, columns])];
        specs.extend(self.bias.then(|| spec("bias", vec![self.channels])));
        specs
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::ints("kernel_shape", &self.kernel),
            Attribute::ints("strides", &self.strides),
            Attribute::ints("pads", &self.pads),
            Attribute::ints("output_padding", &self.output_padding),
        ]
    }
}
