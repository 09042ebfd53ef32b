//! The bundle: one folder with a network, what it needs to be used, and the checksum of every part.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use falx_core::{LABELS, Probability};
use falx_data::input::InputSpec;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::PriorShift;

/// The network's file in a bundle.
pub const MODEL_ONNX: &str = "model.onnx";
/// The card's file in a bundle.
pub const MODEL_CARD: &str = "MODEL_CARD.md";
const MANIFEST: &str = "bundle.toml";
const FORMAT: u32 = 1;

/// The manifest, `bundle.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleManifest {
    /// Version of this format.
    pub format: u32,
    /// The network's name in the zoo.
    pub network: String,
    /// The version of falx that wrote the bundle.
    pub falx_version: String,
    /// The labels in the order of the network's outputs.
    pub labels: Vec<String>,
    /// Hash of the data (ids, pixels, labels) that the network was trained on.
    pub data_hash: String,
    /// Terms under which the weights may be used.
    pub licence: String,
    /// What the model is meant for, and what it is not.
    pub intended_use: String,
    /// How a slice becomes the network's input.
    pub input: InputSpec,
    /// The correction of the prior, where training oversampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<PriorShift>,
    /// Share of positive slices per label in the training data: the no-skill prediction.
    pub prevalence: [f64; 6],
    /// What the model reached.
    pub metrics: BundleMetrics,
    /// SHA-256 of every other file of the bundle.
    pub parts: BTreeMap<String, String>,
}

/// A score with what it is measured against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleMetrics {
    /// On which slices: `validation fold 0`, `locked test`.
    pub measured_on: String,
    /// Weighted multi-label log loss.
    pub weighted_log_loss: f64,
    /// The same loss when the prevalence of the training data is predicted for every slice.
    pub prevalence_baseline: f64,
}

/// The contents that [`Bundle::write`] puts beside the manifest.
pub struct BundleParts<'a> {
    /// The network as ONNX.
    pub model_onnx: &'a [u8],
    /// The card as Markdown.
    pub model_card: &'a str,
}

/// Why a bundle could not be written or loaded.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is no bundle at the path.
    #[error(
        "{0}: no bundle here (a bundle is a folder with {MANIFEST}); give a folder made by `falx train`"
    )]
    NotABundle(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The manifest is no manifest.
    #[error(
        "{path}: not a valid manifest: {reason}; the bundle is damaged or from another version"
    )]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A part is not what it was when the bundle was made.
    #[error(
        "{path}: SHA-256 is not the one in the manifest; the file was changed or damaged: take the bundle from its source again"
    )]
    Checksum {
        /// The part.
        path: PathBuf,
    },
}

/// A bundle on disk whose manifest and checksums were found in order.
#[derive(Clone, Debug)]
pub struct Bundle {
    folder: PathBuf,
    manifest: BundleManifest,
}

impl Bundle {
    /// Writes a bundle: every part first, the manifest last, so that a half-written bundle is never taken for one.
    ///
    /// The format's number, the labels and the checksums of `manifest` are filled in here.
    ///
    /// # Errors
    /// [`BundleError::Io`] when a file cannot be written.
    pub fn write(
        folder: &Path,
        mut manifest: BundleManifest,
        parts: &BundleParts<'_>,
    ) -> Result<Self, BundleError> {
        std::fs::create_dir_all(folder).map_err(io(folder))?;
        manifest.format = FORMAT;
        manifest.labels = LABELS.iter().map(|label| label.name().to_owned()).collect();
        manifest.parts = BTreeMap::new();
        for (name, bytes) in [
            (MODEL_ONNX, parts.model_onnx),
            (MODEL_CARD, parts.model_card.as_bytes()),
        ] {
            write(&folder.join(name), bytes)?;
            manifest.parts.insert(name.to_owned(), sha256(bytes));
        }
        let path = folder.join(MANIFEST);
        let text = toml::to_string_pretty(&manifest).map_err(|error| BundleError::Manifest {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        write(&path, text.as_bytes())?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// Opens a bundle and checks every part against its checksum.
    ///
    /// # Errors
    /// Any [`BundleError`]: no bundle, an invalid manifest, a part that is missing or was changed.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join(MANIFEST);
        if !path.is_file() {
            return Err(BundleError::NotABundle(folder.to_owned()));
        }
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        let invalid = |reason: String| BundleError::Manifest {
            path: path.clone(),
            reason,
        };
        let manifest: BundleManifest =
            toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(invalid(format!(
                "format {} is not {FORMAT}",
                manifest.format
            )));
        }
        if !manifest
            .labels
            .iter()
            .map(String::as_str)
            .eq(LABELS.iter().map(|l| l.name()))
        {
            return Err(invalid(
                "its labels are not falx's six, in their order".to_owned(),
            ));
        }
        for name in [MODEL_ONNX, MODEL_CARD] {
            let part = folder.join(name);
            let bytes = std::fs::read(&part).map_err(io(&part))?;
            if manifest.parts.get(name) != Some(&sha256(&bytes)) {
                return Err(BundleError::Checksum { path: part });
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The manifest.
    pub const fn manifest(&self) -> &BundleManifest {
        &self.manifest
    }

    /// What is known of a slice without looking at it: the prevalence of the training data.
    pub fn no_skill(&self) -> [Probability; 6] {
        self.manifest
            .prevalence
            .map(|share| Probability::new(share).unwrap_or_default())
    }

    /// Where the network lies.
    pub fn model_path(&self) -> PathBuf {
        self.folder.join(MODEL_ONNX)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
    let attempt = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    attempt().map_err(io(path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BundleError {
    let path = path.to_owned();
    move |source| BundleError::Io { path, source }
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
