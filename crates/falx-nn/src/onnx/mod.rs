//! A graph and its parameters as an ONNX file that any run-time reads.

mod export;
pub(crate) mod message;
mod place;

pub(crate) use message::Attribute;
pub(crate) use place::Place;

use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

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
    export::model(graph, parameters)
}

#[cfg(test)]
mod tests;
