//! Why a command about models could not do its work.

use std::path::{Path, PathBuf};

use falx_nn::onnx::OnnxError;
use falx_nn::weights::{FormatError, MapError, ReadError, WeightsError};
use falx_nn::zoo::ZooError;

/// A command about models that could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// Weights that were not fetched yet.
    #[error(
        "{path}: the weights {name} are not there; fetch them with `falx models fetch-pretrained {name}`"
    )]
    NotFetched {
        /// Their name.
        name: String,
        /// Where they would be.
        path: PathBuf,
    },
    /// Nothing is called so.
    #[error("nothing is called `{name}`{suggestion}; there are {}", names.join(", "))]
    UnknownName {
        /// What was asked for.
        name: String,
        /// What was probably meant, as a question.
        suggestion: String,
        /// All names.
        names: Vec<String>,
    },
    /// The network cannot be built so.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// An ONNX file cannot be the backbone of a network.
    #[error("{}: {source}", path.display())]
    Backbone {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<falx_nn::SurgeryError>,
    },
    /// A file of weights cannot be used.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The weights are another network's.
    #[error(transparent)]
    Map(#[from] MapError),
    /// Weights cannot be written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A network cannot be written.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file's name does not say in which form to write.
    #[error("{}: give a name that ends in .onnx or .safetensors", .0.display())]
    Form(PathBuf),
    /// The network could not be reached, or did not answer as it should.
    #[error(
        "{url} could not be fetched: {reason}; on a machine without a network, fetch the file elsewhere and give it with --from FILE"
    )]
    Network {
        /// What was asked for.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// An archive that is not the one that is known.
    #[error(
        "{}: SHA-256 is {found}, not {expected}; this is not the file at {url}: fetch it again from there", path.display()
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The checksum that is pinned.
        expected: String,
        /// The file's.
        found: String,
        /// Where the right file lies.
        url: String,
    },
    /// An archive without the part that is needed.
    #[error("{}: {reason}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is missing or broken.
        reason: String,
    },
    /// Somebody asked to stop.
    #[error("stopped; what was fetched is kept, and the same command goes on there")]
    Stopped,
    /// There is no folder for data that outlives the command.
    #[error("no folder to keep weights in: neither XDG_DATA_HOME nor HOME is set; give --out FILE")]
    NoFolder,
}

impl ModelsError {
    pub(crate) fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = names.map(str::to_owned).collect();
        let scored = names
            .iter()
            .map(|known| (strsim::jaro_winkler(name, known), known));
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
        let suggestion = match best {
            Some((score, known)) if score > 0.75 => format!("; did you mean `{known}`?"),
            _ => String::new(),
        };
        Self::UnknownName {
            name: name.to_owned(),
            suggestion,
            names,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn archive(path: &Path, reason: &impl ToString) -> Self {
        Self::Archive {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn format(path: &Path, source: FormatError) -> Self {
        Self::Read(ReadError::Format {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }
}
