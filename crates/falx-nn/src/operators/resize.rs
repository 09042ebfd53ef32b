//! Images of another size.

use super::{Rules, image};
use crate::onnx::message::{Node, TensorData};
use crate::onnx::{Attribute, Place};

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

    /// The sizes hold the batch's too, which the file takes from its input.
    fn nodes(&self, place: &Place) -> Vec<Node> {
        let of = |part: &str| place.of(part);
        let x = place.input();
        let size = self.size.map(|length| length as i64);
        let mut attributes = Vec::new();
        let mut text = |key: &str, value: &str| attributes.push(Attribute::text(key, value));
        let (mode, coordinates) = match self.mode {
            ResizeMode::NearestFloor => {
                text("nearest_mode", "floor");
                ("nearest", "asymmetric")
            }
            ResizeMode::NearestExact => {
                text("nearest_mode", "round_prefer_ceil");
                ("nearest", "half_pixel")
            }
            ResizeMode::Linear { align_corners } => {
                let by = ["half_pixel", "align_corners"];
                ("linear", by[usize::from(align_corners)])
            }
            ResizeMode::Cubic { .. } => ("cubic", "half_pixel"),
        };
        text("mode", mode);
        text("coordinate_transformation_mode", coordinates);
        if let ResizeMode::Cubic { coefficient } = self.mode {
            attributes.push(Attribute::float("cubic_coeff_a", coefficient));
        }
        let front = [&*of("whole"), &of("first"), &of("second")].map(str::to_owned);
        let front = front.each_ref().map(String::as_str);
        let side = vec![Attribute::int("axis", 0)];
        vec![
            place.constant("first", TensorData::integers(&[0])),
            place.constant("second", TensorData::integers(&[2])),
            place.constant("size", TensorData::integers(&size)),
            place.part("whole", "Shape", &[x], Vec::new()),
            place.part("front", "Slice", &front, Vec::new()),
            place.part("sizes", "Concat", &[&of("front"), &of("size")], side),
            place.last("Resize", &[x, "", "", &of("sizes")], attributes),
        ]
    }
}
