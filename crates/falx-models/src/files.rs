//! Networks and weights as files.

use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use falx_nn::{Graph, Parameters, onnx, weights};
use serde::Serialize;

use crate::ModelsError;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The network with its weights, for any run-time.
    Onnx,
    /// The weights alone, by name.
    Safetensors,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// Its form.
    pub form: Form,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Form {
    /// The form that a file's name asks for.
    ///
    /// # Errors
    /// [`ModelsError::Form`] when it asks for none.
    pub fn of(path: &Path) -> Result<Self, ModelsError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("onnx") => Ok(Self::Onnx),
            Some("safetensors") => Ok(Self::Safetensors),
            _ => Err(ModelsError::Form(path.to_owned())),
        }
    }
}

/// Writes a network with `parameters` in the form that the file's name asks for.
///
/// # Errors
/// [`ModelsError`] when the name asks for none, or the file cannot be written.
pub fn export(graph: &Graph, parameters: &Parameters, path: &Path) -> Result<Written, ModelsError> {
    let form = Form::of(path)?;
    let bytes = match form {
        Form::Onnx => onnx::to_bytes(graph, parameters)?,
        Form::Safetensors => weights::save(parameters)?,
    };
    write(path, &bytes)?;
    Ok(Written {
        path: path.to_owned(),
        form,
        bytes: bytes.len() as u64,
    })
}

/// Writes a copy of a file that already has the form that the new name asks for.
///
/// # Errors
/// [`ModelsError`] when the name asks for none, or a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<Written, ModelsError> {
    put(&std::fs::read(from).map_err(ModelsError::io(from))?, to)
}

/// Writes bytes to a file whose name ends as the form of these bytes does.
///
/// # Errors
/// [`ModelsError`] when the name asks for none, or the file cannot be written.
pub fn put(bytes: &[u8], to: &Path) -> Result<Written, ModelsError> {
    let form = Form::of(to)?;
    write(to, bytes)?;
    Ok(Written {
        path: to.to_owned(),
        form,
        bytes: bytes.len() as u64,
    })
}

/// Writes a file whole or not at all.
///
/// # Errors
/// [`ModelsError::Io`] when it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelsError> {
    let attempt = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    attempt().map_err(ModelsError::io(path))
}
