//! `x` times the normal distribution below it.

use super::{Rules, only};
use crate::onnx::Place;
use crate::onnx::message::{Node, TensorData};

/// ONNX `Gelu`: `x Φ(x)`.
///
/// # Source
/// Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gelu {
    /// Whether `Φ` is approximated by a hyperbolic tangent.
    pub tanh: bool,
}

impl Rules for Gelu {
    fn name(&self) -> &'static str {
        "Gelu"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        only(inputs).map(<[usize]>::to_vec)
    }

    /// `Gelu` is younger than the version that we write: its parts.
    fn nodes(&self, place: &Place) -> Vec<Node> {
        use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
        let number = |part: &str, value: f32| place.constant(part, TensorData::number(value));
        let step = |part: &str, operator: &str, left: &str, right: &str| {
            place.part(part, operator, &[left, right], Vec::new())
        };
        let of = |part: &str| place.of(part);
        let x = place.input();
        let mut nodes = vec![number("one", 1.0), number("half", 0.5)];
        if self.tanh {
            nodes.extend([
                number("cubic", 0.044_715),
                number("scale", FRAC_2_SQRT_PI * FRAC_1_SQRT_2),
                step("square", "Mul", x, x),
                step("bent", "Mul", &of("square"), &of("cubic")),
                step("factor", "Add", &of("bent"), &of("one")),
                step("product", "Mul", x, &of("factor")),
                step("inner", "Mul", &of("product"), &of("scale")),
                place.part("outer", "Tanh", &[&of("inner")], Vec::new()),
            ]);
        } else {
            nodes.extend([
                number("scale", FRAC_1_SQRT_2),
                step("inner", "Mul", x, &of("scale")),
                place.part("outer", "Erf", &[&of("inner")], Vec::new()),
            ]);
        }
        nodes.extend([
            step("raised", "Add", &of("outer"), &of("one")),
            step("share", "Mul", &of("raised"), &of("half")),
            place.last("Mul", &[x, &of("share")], Vec::new()),
        ]);
        nodes
    }
}
