//! Plain buffers with a shape: what crosses this crate's border.

/// Numbers in row-major order with their shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// The length of each dimension; images are N, C, H, W.
    pub shape: Vec<usize>,
    /// The values, the last dimension fastest.
    pub data: Vec<f32>,
}

/// A buffer whose length is not the product of its shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{values} values do not fill the shape {shape:?}")]
pub struct TensorError {
    /// The shape that was asked for.
    pub shape: Vec<usize>,
    /// How many values came.
    pub values: usize,
}

impl Tensor {
    /// A tensor of `shape` that holds `data`.
    ///
    /// # Errors
    /// [`TensorError`] when the number of values differs from the product of the shape.
    pub fn new(shape: &[usize], data: Vec<f32>) -> Result<Self, TensorError> {
        if shape.iter().product::<usize>() == data.len() {
            let shape = shape.to_vec();
            Ok(Self { shape, data })
        } else {
            let (shape, values) = (shape.to_vec(), data.len());
            Err(TensorError { shape, values })
        }
    }

    /// A tensor of `shape` filled with `value`.
    pub fn filled(shape: &[usize], value: f32) -> Self {
        let data = vec![value; shape.iter().product()];
        let shape = shape.to_vec();
        Self { shape, data }
    }
}
