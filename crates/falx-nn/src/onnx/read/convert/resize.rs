//! Images of another size.

use super::Step;
use crate::onnx::read::array::Array;
use crate::onnx::read::error::ReadError;
use crate::{Resize, ResizeMode, Value};

/// `Resize` of opset 10 on, and `Upsample` before it.
pub fn resize(step: &mut Step) -> Result<Value, ReadError> {
    let value = step.value(0)?;
    let shape = step.shape(value);
    let &[_, height, width] = shape.as_slice() else {
        return Err(step
            .view
            .form("only images of channels, height and width are resized"));
    };
    let size = size(step, [height, width])?;
    if size == [height, width] {
        return Ok(value);
    }
    let mode = mode(step)?;
    let places = step.view.word("coordinate_transformation_mode");
    if places == Some("pytorch_half_pixel") && size.contains(&1) {
        return Err(step
            .view
            .form("`pytorch_half_pixel` to a single row or column is not read"));
    }
    step.plain(Resize { mode, size }, &[value])
}

/// Height and width after.
fn size(step: &Step, from: [usize; 2]) -> Result<[usize; 2], ReadError> {
    let view = step.view;
    // Opset 10 and `Upsample` have the scales where the region of interest is later.
    let (scales, sizes) = if view.opset < 11 { (1, 4) } else { (2, 3) };
    if view.has("axes")
        || view
            .word("keep_aspect_ratio_policy")
            .is_some_and(|policy| policy != "stretch")
    {
        return Err(view.form("only sizes or scales of all four dimensions are read"));
    }
    let held = |array: &Array| array.len() > 0;
    if let Some(sizes) = step.optional(sizes)?.filter(held) {
        return match sizes.as_sizes() {
            Some([_, _, height, width]) => {
                let length =
                    |size: &super::Size| size.known().and_then(|size| usize::try_from(size).ok());
                let size = [length(height), length(width)]
                    .map(|size| size.filter(|&size| size <= 1 << 16));
                match size {
                    [Some(height), Some(width)] => Ok([height, width]),
                    _ => Err(view.form("its sizes are not known, or no image's")),
                }
            }
            _ => Err(view.form("its sizes are not those of four dimensions")),
        };
    }
    let scales = match step.optional(scales)?.filter(held) {
        Some(scales) => scales.floats(),
        None => view.floats("scales"),
    };
    match scales.as_deref() {
        Some(&[batch, channels, down, across]) if batch == 1.0 && channels == 1.0 => {
            let sides = [(from[0], down), (from[1], across)];
            let [height, width] = sides.map(|(length, scale)| length as f32 * scale);
            // Where a scale gives no whole number, ONNX's pixels lie elsewhere than the size alone says.
            let fits = |length: f32| {
                (1.0..=65536.0).contains(&length) && (length - length.round()).abs() < 1e-3
            };
            if fits(height) && fits(width) {
                Ok([height.round() as usize, width.round() as usize])
            } else {
                Err(view.form(format!(
                    "its scales {down} and {across} give no image of whole pixels"
                )))
            }
        }
        _ => Err(view.form("has no known sizes and no scales of rows and columns")),
    }
}

fn mode(step: &Step) -> Result<ResizeMode, ReadError> {
    let view = step.view;
    let mode = view.word("mode").unwrap_or("nearest");
    let default = if view.opset < 11 {
        "asymmetric"
    } else {
        "half_pixel"
    };
    let places = view
        .word("coordinate_transformation_mode")
        .unwrap_or(default);
    // Opset 10 rounded down.
    let default = if view.opset < 11 {
        "floor"
    } else {
        "round_prefer_floor"
    };
    let nearest = view.word("nearest_mode").unwrap_or(default);
    if view.flag("antialias", false) || view.flag("exclude_outside", false) {
        return Err(view
            .form("resizing with a filter against aliasing, or without the outside, is not read"));
    }
    match (mode, places, nearest) {
        ("nearest", "asymmetric", "floor") => Ok(ResizeMode::NearestFloor),
        ("nearest", "half_pixel" | "pytorch_half_pixel", "round_prefer_ceil") => {
            Ok(ResizeMode::NearestExact)
        }
        ("linear" | "bilinear", "half_pixel" | "pytorch_half_pixel", _) => Ok(ResizeMode::Linear {
            align_corners: false,
        }),
        ("linear" | "bilinear", "align_corners", _) => Ok(ResizeMode::Linear {
            align_corners: true,
        }),
        ("cubic", "half_pixel" | "pytorch_half_pixel", _) => Ok(ResizeMode::Cubic {
            coefficient: view.float("cubic_coeff_a").unwrap_or(-0.75),
        }),
        _ => Err(view.form(format!(
            "the mode `{mode}` with `{places}` and `{nearest}` is not read"
        ))),
    }
}
