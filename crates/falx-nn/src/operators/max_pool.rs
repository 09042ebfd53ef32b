//! The largest value under a sliding window.

use super::window::Window;
use super::{Rules, image};

/// ONNX `MaxPool`; the first of equal values takes the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub strides: [usize; 2],
    /// Top, left, bottom, right.
    pub pads: [usize; 4],
    /// Whether a last window may hang over the end.
    pub ceil_mode: bool,
}

impl MaxPool {
    /// Windows of 2 x 2 side by side.
    pub const fn halving() -> Self {
        Self {
            kernel: [2, 2],
            strides: [2, 2],
            pads: [0; 4],
            ceil_mode: false,
        }
    }

    fn window(&self) -> Window {
        Window {
            kernel: self.kernel,
            strides: self.strides,
            pads: self.pads,
            dilations: [1, 1],
            ceil_mode: self.ceil_mode,
        }
    }
}

impl Rules for MaxPool {
    const NAME: &'static str = "MaxPool";

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, height, width] = image(inputs)?;
        let [top, left, bottom, right] = self.pads;
        if top.max(bottom) >= self.kernel[0] || left.max(right) >= self.kernel[1] {
            return Err("the padding must be smaller than the kernel");
        }
        let [rows, columns] = self.window().output([height, width])?;
        Ok(vec![channels, rows, columns])
    }
}
