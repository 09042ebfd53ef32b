//! The mean under a sliding window.

use super::Rules;
use super::window::Window;
use crate::onnx::Attribute;

/// ONNX `AveragePool`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub strides: [usize; 2],
    /// Top, left, bottom, right.
    pub pads: [usize; 4],
    /// Whether a last window may hang over the end.
    pub ceil_mode: bool,
    /// Whether padding counts as zeros; else it does not count.
    pub count_include_pad: bool,
}

impl AveragePool {
    pub(crate) fn window(&self) -> Window {
        Window {
            kernel: self.kernel,
            strides: self.strides,
            pads: self.pads,
            dilations: [1, 1],
            ceil_mode: self.ceil_mode,
        }
    }
}

impl Rules for AveragePool {
    fn name(&self) -> &'static str {
        "AveragePool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        self.window().pooled(inputs)
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::ints("kernel_shape", &self.kernel),
            Attribute::ints("strides", &self.strides),
            Attribute::ints("pads", &self.pads),
            Attribute::int("ceil_mode", self.ceil_mode.into()),
            Attribute::int("count_include_pad", self.count_include_pad.into()),
        ]
    }
}
