//! Why a file of weights cannot be read.

use std::path::PathBuf;

use safetensors::SafeTensorError;

/// A file of weights that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's content is wrong.
    #[error("{}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<FormatError>,
    },
}

/// What is wrong with the bytes of a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// None of the kinds that are known.
    #[error(
        "no weights that falx knows: it reads .safetensors, PyTorch's .pth and .pt, and Keras' .h5; of an ONNX file, save the network's weights as .safetensors where it was made"
    )]
    Unknown,
    /// No tensor of floating-point numbers.
    #[error(
        "holds no tensor of floating-point numbers; give the file that the weights were saved in"
    )]
    Empty,
    /// Not a sound safetensors file.
    #[error("not a sound safetensors file: {0}; take it from its source again")]
    Safetensors(#[from] SafeTensorError),
    /// A pickle that names something besides tensors. Nothing of it was run.
    #[error(
        "its pickle wants `{0}`, which is no part of a tensor; falx runs no code from a file. Where you trust it, save the tensors alone: torch.save(model.state_dict(), \"weights.pth\")"
    )]
    ForbiddenGlobal(String),
    /// A pickle that is broken, or built to be.
    #[error("its pickle is broken at byte {at}: {reason}; take the file from its source again")]
    Pickle {
        /// Where in the pickle.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// An archive that is broken or lacks a part.
    #[error("not a sound PyTorch file: {0}; take it from its source again")]
    Archive(String),
    /// A saved object that is no dictionary of tensors.
    #[error(
        "holds {0} where a dictionary of tensors should be; save one: torch.save(model.state_dict(), \"weights.pth\")"
    )]
    NoStateDict(&'static str),
    /// A tensor that its bytes cannot hold, or of a type without a meaning here.
    #[error("the tensor `{name}` {reason}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Not a sound HDF5 file of Keras.
    #[error("not a sound Keras file: {0}")]
    Keras(String),
}

impl FormatError {
    pub(super) fn tensor(name: &str, reason: impl Into<String>) -> Self {
        Self::Tensor {
            name: name.to_owned(),
            reason: reason.into(),
        }
    }
}
