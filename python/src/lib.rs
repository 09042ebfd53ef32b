//! falx's loader for Python: batches of head CT as NumPy arrays.
//!
//! A `Loader` is options that have been checked against index and split, an `Epoch` one pass over them, a `Batch` what
//! comes out. All work is `falx_data`'s; here is only what turns Python's words into its types and its batches into arrays.

mod batch;
mod epoch;
mod error;
mod loader;
mod options;
mod state;

use falx_core::{LABELS, Label};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Batches of head CT, made by falx on all cores, as NumPy arrays.
#[pymodule]
fn falx(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    let labels = PyTuple::new(module.py(), LABELS.map(Label::name))?;
    module.add("LABELS", labels)?;
    module.add_class::<loader::Loader>()?;
    module.add_class::<epoch::Epoch>()?;
    module.add_class::<batch::Batch>()?;
    error::add(module)
}
