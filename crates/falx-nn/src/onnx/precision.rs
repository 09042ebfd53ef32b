//! How exactly an ONNX file holds weights: smaller files, whose weights every run-time widens when it loads them.
//!
//! Only tensors of two dimensions and more are stored smaller; biases and normalisations are a thousandth of a file.

use std::str::FromStr;

use super::OnnxError;
use super::message::{Attribute, FLOAT, Node, TensorData};
use crate::Tensor;

/// `TensorProto.DataType.FLOAT16` and `INT8`.
const FLOAT16: i32 = 10;
const INT8: i32 = 3;
/// What a half can hold at most.
const LARGEST_HALF: f32 = 65_504.0;

/// How exactly weights are stored. All are computed with as 32-bit floats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats: as they were trained.
    #[default]
    Fp32,
    /// 16-bit floats: half the file, logits the same to about three digits.
    Fp16,
    /// Whole numbers of 8 bits with a scale for each output channel: a quarter of the file, logits to about two digits.
    Int8,
}

/// A precision that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no precision is called `{0}`; they are fp32, fp16 and int8")]
pub struct NoSuchPrecision(pub String);

impl Precision {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Int8 => "int8",
        }
    }
}

impl FromStr for Precision {
    type Err = NoSuchPrecision;

    fn from_str(name: &str) -> Result<Self, NoSuchPrecision> {
        let all = [Self::Fp32, Self::Fp16, Self::Int8];
        let found = all.into_iter().find(|precision| precision.name() == name);
        found.ok_or_else(|| NoSuchPrecision(name.to_owned()))
    }
}

/// What a parameter becomes in the file: stored tensors, and the node that makes it of them.
pub struct Stored {
    pub tensors: Vec<TensorData>,
    pub node: Option<Node>,
}

/// Stores the parameter `name`.
pub fn store(name: &str, tensor: &Tensor, precision: Precision) -> Result<Stored, OnnxError> {
    let is_weight = tensor.shape.len() >= 2 && tensor.shape.iter().all(|&length| length > 0);
    let refused = |reason: &'static str| OnnxError::Precision {
        name: name.to_owned(),
        precision: precision.name(),
        reason,
    };
    let stored = format!("{name}/{}", precision.name());
    Ok(match precision {
        Precision::Fp16 if is_weight => {
            if tensor.data.iter().any(|x| x.abs() > LARGEST_HALF) {
                return Err(refused("a weight is larger than 65504"));
            }
            let bytes = tensor.data.iter().flat_map(|&x| half(x).to_le_bytes());
            Stored {
                node: Some(widened(
                    name,
                    "Cast",
                    vec![stored.clone()],
                    Attribute::int("to", FLOAT as usize),
                )),
                tensors: vec![data(&stored, &tensor.shape, FLOAT16, bytes.collect())],
            }
        }
        Precision::Int8 if is_weight => {
            if tensor.data.iter().any(|x| !x.is_finite()) {
                return Err(refused("a weight is not finite"));
            }
            let channels = tensor.shape[0];
            let row = tensor.data.len() / channels;
            let largest = |row: &[f32]| row.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let rows = || tensor.data.chunks_exact(row);
            // A channel of zeros has no scale of its own.
            let scale = |row: &[f32]| match largest(row) / 127.0 {
                scale if scale > 0.0 => scale,
                _ => 1.0,
            };
            let scales: Vec<f32> = rows().map(scale).collect();
            let whole = |x: f32, scale: f32| (x / scale).round().clamp(-127.0, 127.0) as i8;
            let numbers = rows().zip(&scales);
            let numbers = numbers.flat_map(|(row, &scale)| {
                row.iter().map(move |&x| whole(x, scale).cast_unsigned())
            });
            let scaled = format!("{stored}.scale");
            let scales = data(
                &scaled,
                &[channels],
                FLOAT,
                scales.iter().flat_map(|x| x.to_le_bytes()).collect(),
            );
            Stored {
                tensors: vec![
                    data(&stored, &tensor.shape, INT8, numbers.collect()),
                    scales,
                ],
                node: Some(widened(
                    name,
                    "DequantizeLinear",
                    vec![stored, scaled],
                    Attribute::int("axis", 0),
                )),
            }
        }
        _ => {
            let bytes = tensor.data.iter().flat_map(|x| x.to_le_bytes());
            Stored {
                tensors: vec![data(name, &tensor.shape, FLOAT, bytes.collect())],
                node: None,
            }
        }
    })
}

fn data(name: &str, shape: &[usize], kind: i32, bytes: Vec<u8>) -> TensorData {
    TensorData {
        dims: shape.iter().map(|&length| length as i64).collect(),
        data_type: Some(kind),
        name: Some(name.to_owned()),
        raw_data: Some(bytes.into()),
        ..TensorData::default()
    }
}

fn widened(name: &str, operator: &str, input: Vec<String>, attribute: Attribute) -> Node {
    Node {
        input,
        output: vec![name.to_owned()],
        name: Some(format!("{name}/widened")),
        op_type: Some(operator.to_owned()),
        attribute: vec![attribute],
        ..Node::default()
    }
}

/// The bits of the nearest half, ties to even.
///
/// # Source
/// IEEE 754, binary16.
fn half(x: f32) -> u16 {
    let bits = x.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let magnitude = bits & 0x7FFF_FFFF;
    if magnitude >= 0x7F80_0000 {
        // Infinite, or not a number, which stays one.
        return sign
            | if magnitude > 0x7F80_0000 {
                0x7E00
            } else {
                0x7C00
            };
    }
    let exponent = (magnitude >> 23) as i32 - 127;
    let fraction = (magnitude & 0x007F_FFFF) | 0x0080_0000;
    // Bits of the fraction that do not fit: 13, and more below the smallest normal half.
    let lost = match exponent {
        -14.. => 13,
        -25..-14 => (13 + (-14 - exponent)) as u32,
        _ => return sign,
    };
    let kept = fraction >> lost;
    let rest = fraction & ((1 << lost) - 1);
    let middle = 1 << (lost - 1);
    let rounded = kept + u32::from(rest > middle || (rest == middle && kept & 1 == 1));
    // The leading 1 of `rounded` counts as one step of the exponent.
    let base = if exponent >= -14 {
        (exponent + 14) as u32
    } else {
        0
    };
    sign | ((base << 10) + rounded).min(0x7C00) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_nearest_ones() {
        for (x, bits) in [
            (0.0, 0x0000),
            (-0.0, 0x8000),
            (1.0, 0x3C00),
            (-2.0, 0xC000),
            (65504.0, 0x7BFF),
            (0.1, 0x2E66),
            (1.0 + 1.0 / 2048.0, 0x3C00),
            (1.0 + 3.0 / 2048.0, 0x3C02),
            (2.0_f32.powi(-14), 0x0400),
            (2.0_f32.powi(-24), 0x0001),
            (2.0_f32.powi(-25), 0x0000),
            (1.5 * 2.0_f32.powi(-24), 0x0002),
            (2.0_f32.powi(-15), 0x0200),
            (1.999_999, 0x4000),
            (f32::INFINITY, 0x7C00),
        ] {
            assert_eq!(half(x), bits, "{x}");
        }
        assert_eq!(half(f32::NAN) & 0x7E00, 0x7E00);
    }
}
