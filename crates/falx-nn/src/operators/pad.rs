//! More rows and columns around images.

use super::{Rules, image};
use crate::onnx::message::{Node, TensorData};
use crate::onnx::{Attribute, Place};

/// What lies in the padding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// This number.
    Constant(f32),
    /// The image, mirrored at its outermost pixels.
    Reflect,
}

/// ONNX `Pad` of images' rows and columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad {
    /// What lies in the padding.
    pub mode: PadMode,
    /// Top, left, bottom, right.
    pub pads: [usize; 4],
}

impl Rules for Pad {
    fn name(&self) -> &'static str {
        "Pad"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, height, width] = image(inputs)?;
        let [top, left, bottom, right] = self.pads;
        let mirrored = self.mode == PadMode::Reflect;
        if mirrored && (top.max(bottom) >= height || left.max(right) >= width) {
            return Err("a mirrored padding must be smaller than the image");
        }
        Ok(vec![channels, height + top + bottom, width + left + right])
    }

    fn nodes(&self, place: &Place) -> Vec<Node> {
        let [top, left, bottom, right] = self.pads.map(|pad| pad as i64);
        let pads = [0, 0, top, left, 0, 0, bottom, right];
        let mut nodes = vec![place.constant("pads", TensorData::integers(&pads))];
        let (x, pads, value) = (place.input(), place.of("pads"), place.of("value"));
        let mut inputs = vec![x, &pads];
        let mode = match self.mode {
            PadMode::Reflect => "reflect",
            PadMode::Constant(number) => {
                nodes.push(place.constant("value", TensorData::number(number)));
                inputs.push(&value);
                "constant"
            }
        };
        nodes.push(place.last("Pad", &inputs, vec![Attribute::text("mode", mode)]));
        nodes
    }
}
