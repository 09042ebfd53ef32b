//! A batch as Python sees it.

use falx_core::{ImageId, TargetRow};
use falx_data::loader;
use numpy::ndarray::{Array1, Array2, Axis, Slice};
use numpy::{PyArray1, PyArray2, PyArray4, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Failure;

/// Some slices as a network sees them.
#[pyclass(frozen, module = "falx")]
pub struct Batch {
    /// Pictures from 0 to 1: float32, N x C x H x W, aligned to 64 bytes. The array owns falx's buffer; nothing was copied.
    #[pyo3(get)]
    images: Py<PyArray4<f32>>,
    /// Labels: float32, N x 6 in the order of `LABELS`: 0 or 1, or a mixture's shares; NaN where a label is not known.
    #[pyo3(get)]
    labels: Py<PyArray2<f32>>,
    /// How much each slice counts: float32, N; 0 where no label is known.
    #[pyo3(get)]
    weights: Py<PyArray1<f32>>,
    /// The slices' image ids, N.
    #[pyo3(get)]
    ids: Vec<String>,
    /// The batch's place in its epoch, from 0.
    #[pyo3(get)]
    number: usize,
    /// Slices of this batch that could not be read: dicts with `id`, `path` and `reason`.
    #[pyo3(get)]
    unreadable: Vec<Py<PyDict>>,
}

#[pymethods]
impl Batch {
    fn __len__(&self) -> usize {
        self.ids.len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shape = self.images.bind(py).getattr("shape")?;
        Ok(format!("<falx.Batch {}: images {shape}>", self.number))
    }
}

impl Batch {
    /// Gives a batch's buffers to Python.
    pub fn new(py: Python<'_>, batch: loader::Batch) -> PyResult<Self> {
        let loader::Batch {
            number,
            images,
            shape,
            labels,
            weights,
            ids,
            unreadable,
            damaged: _,
        } = batch;
        let (buffer, part) = images.into_parts();
        // A part of the buffer, which goes with it: the first number begins a cache line.
        let mut images = Array1::from_vec(buffer);
        images.slice_axis_inplace(Axis(0), Slice::from(part));
        let images = images.into_shape_with_order(shape).map_err(Failure::bug)?;
        let rows = labels.iter().copied().flat_map(numbers).collect();
        let labels = Array2::from_shape_vec((labels.len(), 6), rows).map_err(Failure::bug)?;
        let unreadable = unreadable.into_iter().map(|slice| {
            let said = PyDict::new(py);
            said.set_item("id", slice.image_id.0)?;
            said.set_item("path", slice.path)?;
            said.set_item("reason", slice.reason)?;
            Ok(said.unbind())
        });
        Ok(Self {
            images: PyArray4::from_owned_array(py, images).unbind(),
            labels: PyArray2::from_owned_array(py, labels).unbind(),
            weights: Array1::from_vec(weights).to_pyarray(py).unbind(),
            ids: ids.into_iter().map(|ImageId(id)| id).collect(),
            number,
            unreadable: unreadable.collect::<PyResult<_>>()?,
        })
    }
}

/// A row of labels as numbers: what is not known is none.
fn numbers(row: TargetRow) -> [f32; 6] {
    row.0
        .map(|share| share.map_or(f32::NAN, |share| share.get() as f32))
}
