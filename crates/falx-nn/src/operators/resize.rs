//! Images of another size.

use super::{Rules, image};

/// How pixels between pixels are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResizeMode {
    /// The nearest pixel, the lower one of two (PyTorch's `nearest`: coordinates `asymmetric`, rounded down).
    NearestFloor,
    /// The nearest pixel by centres, the upper one of two (PyTorch's `nearest-exact`).
    NearestExact,
    /// Straight lines between centres.
    Linear {
        /// Whether the corner pixels' centres stay in place, instead of the image's edges.
        align_corners: bool,
    },
    /// Cubic polynomials between centres.
    Cubic {
        /// The slope of the kernel at 1; -3/4 in PyTorch.
        coefficient: f32,
    },
}

/// ONNX `Resize` of images' rows and columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resize {
    /// How pixels between pixels are found.
    pub mode: ResizeMode,
    /// Height and width after.
    pub size: [usize; 2],
}

impl Rules for Resize {
    fn name(&self) -> &'static str {
        "Resize"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, ..] = image(inputs)?;
        let [height, width] = self.size;
        if height == 0 || width == 0 {
            return Err("it must leave at least one pixel");
        }
        Ok(vec![channels, height, width])
    }
}
