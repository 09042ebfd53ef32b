//! falx for Python: batches of head CT as NumPy arrays, and a trained model's answers for studies.
//!
//! A `Loader` is options that have been checked against index and split, an `Epoch` one pass over them, a `Batch` what
//! comes out. A `Detector` is a bundle that answers. All work is `falx_data`'s and `falx_infer`'s; here is only what turns
//! Python's words into their types, batches into arrays, and answers into dicts.

mod batch;
mod detector;
mod epoch;
mod error;
mod loader;
mod options;
mod state;

use std::time::Duration;

use falx_core::{LABELS, Label};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// How long Ctrl-C may be left unheard.
const LISTEN: Duration = Duration::from_millis(50);

/// Batches of head CT, made by falx on all cores, as NumPy arrays, and answers for studies.
#[pymodule]
fn falx(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    let labels = PyTuple::new(module.py(), LABELS.map(Label::name))?;
    module.add("LABELS", labels)?;
    module.add_class::<loader::Loader>()?;
    module.add_class::<epoch::Epoch>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<detector::Detector>()?;
    error::add(module)
}
