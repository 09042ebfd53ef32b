//! Tensors by name, as a file of weights holds them.

use std::path::Path;

use super::{FormatError, ReadError, keras, pytorch, safetensors_file};
use crate::Tensor;

/// The kinds of files that hold weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `.safetensors`
    Safetensors,
    /// `.pth`, `.pt`: a zip archive around a pickle, since PyTorch 1.6.
    Pytorch,
    /// `.pth`, `.pt`: pickles one behind the other, before PyTorch 1.6.
    PytorchLegacy,
    /// `.h5`: Keras' HDF5.
    Keras,
    /// TensorFlow.js' manifest with its shards.
    Tfjs,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::Pytorch => "PyTorch",
            Self::PytorchLegacy => "PyTorch before 1.6",
            Self::Keras => "Keras HDF5",
            Self::Tfjs => "TensorFlow.js",
        })
    }
}

/// The floating-point tensors of a file, in the file's order.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensors {
    /// The file's kind.
    pub format: Format,
    /// Names and values; numbers of other widths are made 32-bit floats.
    pub tensors: Vec<(String, Tensor)>,
    /// Tensors of whole numbers (counters of batches), by name, with their type.
    pub left_out: Vec<(String, String)>,
}

/// Reads a file of weights; its first bytes say what kind it is.
///
/// # Errors
/// [`ReadError`] when the file cannot be read, is no file of weights, or lies about itself.
pub fn read(path: &Path) -> Result<NamedTensors, ReadError> {
    let bytes = std::fs::read(path).map_err(|source| ReadError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(&bytes).map_err(|source| ReadError::Format {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// The same from bytes.
///
/// # Errors
/// [`FormatError`] when they are no file of weights or lie about themselves.
pub fn parse(bytes: &[u8]) -> Result<NamedTensors, FormatError> {
    const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
    let named = if bytes.starts_with(b"PK\x03\x04") {
        pytorch::zip(bytes)?
    } else if bytes.starts_with(HDF5) {
        keras::read(bytes)?
    } else if pytorch::is_legacy(bytes) {
        pytorch::legacy(bytes)?
    } else if safetensors_file::is_likely(bytes) {
        safetensors_file::read(bytes)?
    } else {
        return Err(FormatError::Unknown);
    };
    if named.tensors.is_empty() {
        return Err(FormatError::Empty);
    }
    Ok(named)
}
