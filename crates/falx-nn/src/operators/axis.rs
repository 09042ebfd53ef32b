//! Axes, counted with the batch as 0, as ONNX does.

/// The place of `axis` in a shape without the batch.
pub fn place(axis: usize, shape: &[usize]) -> Result<usize, &'static str> {
    match axis.checked_sub(1) {
        None => Err("axis 0 is the batch, whose images must not see each other"),
        Some(place) if place < shape.len() => Ok(place),
        Some(_) => Err("there is no such axis"),
    }
}
