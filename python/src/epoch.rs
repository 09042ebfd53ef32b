//! One pass over a loader's slices.

use std::task::Poll;

use falx_data::loader;
use pyo3::prelude::*;

use crate::LISTEN;
use crate::batch::Batch;
use crate::error::Failure;
use crate::loader::Loader;

/// The batches of one pass over a `Loader`, in order. Its threads end with it.
#[pyclass(module = "falx")]
pub struct Epoch {
    loader: Py<Loader>,
    /// The number of the pass.
    pass: u64,
    /// Nothing once it is over.
    batches: Option<loader::Loader>,
}

impl Epoch {
    pub fn new(loader: Py<Loader>, pass: u64, batches: loader::Loader) -> Self {
        Self {
            loader,
            pass,
            batches: Some(batches),
        }
    }

    /// Says to the loader how far this pass has come.
    fn tell(&self, given: Option<usize>) {
        let Some(batches) = &self.batches else { return };
        let mut progress = self.loader.get().progress();
        // Only the newest pass is the loader's state.
        if progress.pass != self.pass {
            return;
        }
        progress.waited = batches.waited();
        progress.damaged = batches.damaged();
        progress.skipped.clone_from(batches.skipped());
        if let Some(number) = given {
            progress.batch = number + 1;
        } else {
            progress.epoch += 1;
            progress.batch = 0;
        }
    }
}

#[pymethods]
impl Epoch {
    const fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let next = loop {
            let Some(batches) = &mut self.batches else {
                return Ok(None);
            };
            // Other Python threads run while this one waits.
            match py.detach(|| batches.next_within(LISTEN)) {
                Poll::Ready(next) => break next,
                Poll::Pending => py.check_signals()?,
            }
        };
        match next {
            Some(Ok(batch)) => {
                self.tell(Some(batch.number));
                Batch::new(py, batch).map(Some)
            }
            Some(Err(error)) => {
                self.close();
                Err(Failure::from(error).into())
            }
            None => {
                self.tell(None);
                self.close();
                Ok(None)
            }
        }
    }

    /// Ends the pass and its threads, each after its slice; a pass that nobody holds ends by itself.
    fn close(&mut self) {
        let Some(batches) = self.batches.take() else {
            return;
        };
        // The threads are waited for elsewhere: a file that does not answer must not hold Python up. Where no thread can
        // start, the closure is dropped here, and the batches with it.
        let waiting = std::thread::Builder::new().name("falx-end".to_owned());
        _ = waiting.spawn(move || drop(batches));
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.close();
    }
}
