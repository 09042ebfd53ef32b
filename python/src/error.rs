//! falx's errors as Python's exceptions, each also one of Python's own kinds.

use std::fmt::Display;

use falx_data::TableError;
use falx_data::cache::CacheError;
use falx_data::loader::LoaderError;
use falx_data::sampler::SamplerError;
use falx_data::samples::SamplesError;
use falx_data::split::SplitError;
use falx_infer::{DetectError, PredictError};
use pyo3::exceptions::{PyException, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Options that cannot work: also a `ValueError`.
    Option,
    /// A file that cannot be used: also an `OSError`.
    File,
    /// falx failed: also a `RuntimeError`.
    Run,
}

/// A failure in words, with its kind.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
}

struct Exceptions {
    base: Py<PyType>,
    option: Py<PyType>,
    file: Py<PyType>,
    run: Py<PyType>,
}

static EXCEPTIONS: PyOnceLock<Exceptions> = PyOnceLock::new();

fn exceptions(py: Python<'_>) -> PyResult<&Exceptions> {
    EXCEPTIONS.get_or_try_init(py, || {
        let make = |name: &str, doc: &str, bases: Bound<'_, PyTuple>| -> PyResult<Py<PyType>> {
            let body = PyDict::new(py);
            body.set_item("__module__", "falx")?;
            body.set_item("__doc__", doc)?;
            let made = py.get_type::<PyType>().call1((name, bases, body))?;
            Ok(made.cast_into::<PyType>()?.unbind())
        };
        let exception = py.get_type::<PyException>();
        let base = make(
            "FalxError",
            "What falx could not do, why, and what to do about it.",
            PyTuple::new(py, [exception])?,
        )?;
        let kind = |name: &str, doc: &str, also: Bound<'_, PyType>| {
            make(name, doc, PyTuple::new(py, [base.bind(py).clone(), also])?)
        };
        Ok(Exceptions {
            option: kind(
                "OptionError",
                "Options that cannot work, alone or with these data.",
                py.get_type::<PyValueError>(),
            )?,
            file: kind(
                "FileError",
                "A file that cannot be read, or is not what it should be.",
                py.get_type::<PyOSError>(),
            )?,
            run: kind(
                "RunError",
                "A thread that could not start, or a bug in falx.",
                py.get_type::<PyRuntimeError>(),
            )?,
            base,
        })
    })
}

/// Adds the exceptions to the module.
///
/// # Errors
/// Python's, where a class cannot be made.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let exceptions = exceptions(py)?;
    module.add("FalxError", exceptions.base.bind(py))?;
    module.add("OptionError", exceptions.option.bind(py))?;
    module.add("FileError", exceptions.file.bind(py))?;
    module.add("RunError", exceptions.run.bind(py))
}

impl Failure {
    /// Options that cannot work.
    pub fn option(message: impl Display) -> Self {
        Self::new(Kind::Option, message)
    }

    /// A file that cannot be used.
    pub fn file(message: impl Display) -> Self {
        Self::new(Kind::File, message)
    }

    /// A bug.
    pub fn bug(message: impl Display) -> Self {
        Self::new(Kind::Run, message)
    }

    fn new(kind: Kind, message: impl Display) -> Self {
        let message = message.to_string();
        Self { kind, message }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| match exceptions(py) {
            Ok(exceptions) => {
                let class = match failure.kind {
                    Kind::Option => &exceptions.option,
                    Kind::File => &exceptions.file,
                    Kind::Run => &exceptions.run,
                };
                PyErr::from_type(class.bind(py).clone(), failure.message)
            }
            Err(error) => error,
        })
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::file(error)
    }
}

impl From<SamplesError> for Failure {
    fn from(error: SamplesError) -> Self {
        let kind = match &error {
            SamplesError::Table(_) | SamplesError::Temporary(_) => Kind::File,
            SamplesError::OtherSplit { .. } | SamplesError::TooMany => Kind::Option,
            SamplesError::NoSuch { .. } => Kind::Run,
        };
        Self::new(kind, error)
    }
}

impl From<SplitError> for Failure {
    fn from(error: SplitError) -> Self {
        Self::option(error)
    }
}

impl From<SamplerError> for Failure {
    fn from(error: SamplerError) -> Self {
        match error {
            SamplerError::Samples(error) => error.into(),
            SamplerError::Weights { .. } => Self::file(error),
            SamplerError::Share { .. }
            | SamplerError::Together { .. }
            | SamplerError::Strangers { .. }
            | SamplerError::NoWeight => Self::option(error),
        }
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        match error {
            CacheError::Samples(error) => error.into(),
            CacheError::Other { .. } => Self::option(error),
            _ => Self::file(error),
        }
    }
}

impl From<LoaderError> for Failure {
    fn from(error: LoaderError) -> Self {
        let kind = match &error {
            LoaderError::Unreadable(_) => Kind::File,
            LoaderError::Shard { .. }
            | LoaderError::Pairs { .. }
            | LoaderError::Budget { .. }
            | LoaderError::EmptyShape { .. } => Kind::Option,
            LoaderError::Samples(_)
            | LoaderError::Order { .. }
            | LoaderError::Thread(_)
            | LoaderError::Bug { .. }
            | LoaderError::Gone { .. } => Kind::Run,
        };
        match error {
            LoaderError::Samples(error) => error.into(),
            error => Self::new(kind, error),
        }
    }
}

impl From<DetectError> for Failure {
    fn from(error: DetectError) -> Self {
        match error {
            DetectError::Bundle(_) | DetectError::Index(_) => Self::file(error),
            DetectError::Series(_) | DetectError::Prevalence(_) => Self::option(error),
            DetectError::Predict(error) => error.into(),
        }
    }
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Loader(error) => error.into(),
            PredictError::Samples(error) => error.into(),
            PredictError::Model(_) => Self::file(error),
            PredictError::Prevalence(_) => Self::option(error),
            PredictError::Taken(_) | PredictError::Interrupted => Self::bug(error),
        }
    }
}
