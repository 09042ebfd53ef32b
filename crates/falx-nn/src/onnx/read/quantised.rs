//! Weights stored as 8-bit numbers, folded back to floats.

use super::array::{Array, Data};
use super::error::ReadError;
use super::view::View;

/// `DequantizeLinear`: (number - zero point) * scale, for the whole tensor or along an axis.
pub fn dequantised(
    view: &View,
    numbers: &Array,
    scale: &Array,
    zero: Option<&Array>,
) -> Result<Array, ReadError> {
    let whole = |array: &Array| array.integers();
    let (Some(values), Some(scales)) = (whole(numbers), scale.floats()) else {
        return Err(view.form("only stored whole numbers are read, with scales of floats"));
    };
    let zeros = match zero {
        None => vec![0; scales.len()],
        Some(zero) => whole(zero)
            .filter(|zeros| zeros.len() == scales.len())
            .ok_or_else(|| view.form("has not as many zero points as scales"))?,
    };
    if view.int("block_size", 0) != 0 {
        return Err(view.form("scales by block are not read"));
    }
    let inner = if scale.shape.is_empty() || scales.len() == 1 {
        values.len().max(1)
    } else {
        let axis = view.axis(view.int("axis", 1), numbers.shape.len())?;
        if numbers.shape.get(axis) != Some(&scales.len()) {
            return Err(view.form("has not as many scales as its axis is long"));
        }
        numbers
            .shape
            .iter()
            .skip(axis + 1)
            .product::<usize>()
            .max(1)
    };
    let number = |(at, &value): (usize, &i64)| {
        let channel = (at / inner) % scales.len().max(1);
        let (scale, zero) = (scales.get(channel)?, zeros.get(channel)?);
        Some((value.saturating_sub(*zero)) as f32 * scale)
    };
    let data: Option<Vec<f32>> = values.iter().enumerate().map(number).collect();
    let array = data.and_then(|data| Array::new(numbers.shape.clone(), Data::Floats(data)));
    // It keeps its name: this is how the file stores the weight.
    Ok(Array {
        origin: numbers.origin.clone(),
        ..array.ok_or_else(|| view.form("has no scale"))?
    })
}
