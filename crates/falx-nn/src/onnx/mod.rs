//! A graph and its parameters as an ONNX file that any run-time reads, and any exporter's file as a graph.

mod export;
pub(crate) mod message;
mod place;
mod precision;
mod read;

pub(crate) use message::Attribute;
pub(crate) use place::Place;
pub use read::{
    Imported, Location, Note, ReadError, ReadOptions, read, read_bytes, stored_parameters,
};

use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

pub use precision::{NoSuchPrecision, Precision};

use crate::{Graph, Parameters};

/// A graph that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// A parameter of the graph is missing or has another shape.
    #[error(
        "the parameters have no `{name}` of the shape {expected:?}; initialise or load them for this network"
    )]
    Parameter {
        /// The parameter.
        name: String,
        /// The shape the graph wants.
        expected: Vec<usize>,
    },
    /// A weight cannot be stored so.
    #[error("`{name}` cannot be stored as {precision}: {reason}; export it as fp32")]
    Precision {
        /// The parameter.
        name: String,
        /// How it was to be stored.
        precision: &'static str,
        /// Why it cannot.
        reason: &'static str,
    },
    /// The file cannot be written.
    #[error("{} cannot be written: {source}; is the folder there and writable?", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
}

/// Writes the file at `path`, whole or not at all.
///
/// # Errors
/// [`OnnxError`] when parameters do not fit the graph or the file cannot be written.
pub fn write(graph: &Graph, parameters: &Parameters, path: &Path) -> Result<(), OnnxError> {
    let bytes = to_bytes(graph, parameters)?;
    let written = AtomicWriteFile::open(path).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.commit()
    });
    written.map_err(|source| OnnxError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The file's bytes: input `input` of N, C, H, W with a free batch, the graph's outputs by name.
///
/// # Errors
/// [`OnnxError::Parameter`] when parameters do not fit the graph.
pub fn to_bytes(graph: &Graph, parameters: &Parameters) -> Result<Vec<u8>, OnnxError> {
    to_bytes_with(graph, parameters, Precision::default())
}

/// The file's bytes with weights of some `precision`, which every run-time widens when it loads them.
///
/// # Errors
/// [`OnnxError::Parameter`] when parameters do not fit the graph, [`OnnxError::Precision`] when one cannot be stored so.
pub fn to_bytes_with(
    graph: &Graph,
    parameters: &Parameters,
    precision: Precision,
) -> Result<Vec<u8>, OnnxError> {
    export::model(graph, parameters, precision)
}

#[cfg(test)]
mod tests;
