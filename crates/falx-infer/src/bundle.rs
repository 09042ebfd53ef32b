//! The bundle: one folder or file with a network, what it needs to be used, and the checksum of every part.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use falx_core::{LABELS, Label, Probability};
use falx_nn::zoo::SequenceConfig;
use rayon::prelude::*;
use serde::Deserialize;

use crate::parts::{PartBytes, Parts, Writing, sha256};
use crate::{BundleManifest, CalibrationLine, InvalidPrior, PriorShift};

/// The network's file in a bundle.
pub const MODEL_ONNX: &str = "model.onnx";
/// The file of the network over series, where a bundle has one.
pub const SEQUENCE_ONNX: &str = "sequence.onnx";
/// The card's file in a bundle.
pub const MODEL_CARD: &str = "MODEL_CARD.md";
/// The manifest, the file that makes a folder a bundle.
pub const MANIFEST: &str = "bundle.toml";
/// What this falx reads: one network; several, flips and series (2); rules of presence (3); probabilities of studies (4);
/// probabilities for another prevalence than the training data's, or values cut off before a picture is drawn (5);
/// files' own windows, or lines of calibration (6).
const FORMATS: std::ops::RangeInclusive<u32> = 1..=6;
/// Made by `recipes/default-model/make`.
static IN_THE_BOX: &[u8] = include_bytes!("../default-model.falx");

/// The contents that [`Bundle::write`] puts beside the manifest.
pub struct BundleParts<'a> {
    /// The network as ONNX.
    pub model_onnx: &'a [u8],
    /// The network over series as ONNX, where the manifest names one.
    pub sequence_onnx: Option<&'a [u8]>,
    /// The card as Markdown.
    pub model_card: &'a str,
}

/// Why a bundle could not be written or loaded.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is no bundle at the path.
    #[error(
        "{0}: no bundle here (a bundle is a folder with {MANIFEST}, or a .falx file); give a folder made by `falx train`"
    )]
    NotABundle(PathBuf),
    /// The file at the path is no archive with a manifest.
    #[error(
        "{path}: no bundle, or a damaged one ({source}); give a folder made by `falx train`, or a file made by `falx models pack`"
    )]
    NotAnArchive {
        /// The file.
        path: PathBuf,
        /// What its reader said.
        source: std::io::Error,
    },
    /// The bundle's answers mean nothing.
    #[error(
        "{0}: it learnt from shuffled labels, and what it says means nothing; it serves `falx explain --judge --shuffled` alone"
    )]
    ShuffledLabels(PathBuf),
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

/// What every version of the manifest begins with.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

/// A bundle whose manifest and checksums were found in order.
#[derive(Clone, Debug)]
pub struct Bundle {
    parts: Parts,
    manifest: BundleManifest,
    sha256: String,
}

impl Bundle {
    /// Writes a bundle, to one file where the name ends in `.falx`, else to a folder: every part first, the manifest last, so
    /// that a half-written bundle is never taken for one.
    ///
    /// The format's number, the labels and the checksums of `manifest` are filled in here.
    ///
    /// # Errors
    /// [`BundleError::Io`] when a file cannot be written.
    pub fn write(
        out: &Path,
        manifest: BundleManifest,
        parts: &BundleParts<'_>,
    ) -> Result<Self, BundleError> {
        let networks = std::iter::once(parts.model_onnx).chain(parts.sequence_onnx);
        let networks = networks.map(|bytes| Ok(Cow::Borrowed(bytes)));
        Self::write_networks(out, manifest, networks, parts.model_card)
    }

    /// The same with any number of networks, in the order of the manifest's files.
    pub(crate) fn write_networks<'a>(
        out: &Path,
        mut manifest: BundleManifest,
        networks: impl Iterator<Item = PartBytes<'a>>,
        model_card: &'a str,
    ) -> Result<Self, BundleError> {
        let mut writing = Writing::to(out)?;
        manifest.format = manifest.needed_format();
        manifest.labels = LABELS.iter().map(|label| label.name().to_owned()).collect();
        manifest.parts = BTreeMap::new();
        let card = Ok(Cow::Borrowed(model_card.as_bytes()));
        let files = manifest.network_files().into_iter().zip(networks);
        for (name, bytes) in files.chain([(MODEL_CARD.to_owned(), card)]) {
            let bytes = bytes?;
            writing.put(&name, &bytes)?;
            manifest.parts.insert(name, sha256(&bytes));
        }
        let text = toml::to_string_pretty(&manifest).map_err(|error| BundleError::Manifest {
            path: out.join(MANIFEST),
            reason: error.to_string(),
        })?;
        writing.put(MANIFEST, text.as_bytes())?;
        Ok(Self {
            parts: writing.finish()?,
            manifest,
            sha256: sha256(text.as_bytes()),
        })
    }

    /// Whether there is a bundle at a path, whole or not.
    pub fn is_at(path: &Path) -> bool {
        path.is_file() || path.join(MANIFEST).exists()
    }

    /// Opens the bundle in a folder or a `.falx` file, and checks every part against its checksum.
    ///
    /// # Errors
    /// Any [`BundleError`]: no bundle, an invalid manifest, a part that is missing or was changed.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let bundle = Self::open_unchecked(path)?;
        bundle.check()?;
        Ok(bundle)
    }

    /// Opens a bundle that lies in memory as the bytes of a `.falx` file, which errors call `name`.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub(crate) fn of_bytes(name: &Path, bytes: &'static [u8]) -> Result<Self, BundleError> {
        let bundle = Self::of_parts(Parts::Memory(name.to_owned(), bytes))?;
        bundle.check()?;
        Ok(bundle)
    }

    /// The model that is part of the program: `recipes/default-model/make` makes it, docs/default-model.md judges it.
    ///
    /// # Errors
    /// As [`Bundle::open`], where the program was damaged.
    pub fn in_the_box() -> Result<Self, BundleError> {
        Self::of_bytes(Path::new("the model in the box"), IN_THE_BOX)
    }

    /// Opens a bundle by its manifest alone, for those who check the other parts while they load them.
    ///
    /// # Errors
    /// [`BundleError`]: no bundle, or an invalid manifest.
    pub(crate) fn open_unchecked(path: &Path) -> Result<Self, BundleError> {
        if !Self::is_at(path) {
            return Err(BundleError::NotABundle(path.to_owned()));
        }
        Self::of_parts(Parts::at(path))
    }

    fn of_parts(parts: Parts) -> Result<Self, BundleError> {
        let invalid = |reason: String| BundleError::Manifest {
            path: parts.place(MANIFEST),
            reason,
        };
        let bytes = parts
            .read(MANIFEST)
            .map_err(|error| match (error, &parts) {
                (BundleError::Io { source, .. }, Parts::File(path) | Parts::Memory(path, _)) => {
                    BundleError::NotAnArchive {
                        path: path.clone(),
                        source,
                    }
                }
                (error, _) => error,
            })?;
        let text = String::from_utf8(bytes).map_err(|_| invalid("it is no text".to_owned()))?;
        // Another format's keys would be called unknown, which says nothing of why.
        let Versioned { format } =
            toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if !FORMATS.contains(&format) {
            return Err(invalid(format!(
                "format {format} is none of those that this falx reads, {} to {}",
                FORMATS.start(),
                FORMATS.end()
            )));
        }
        let manifest: BundleManifest =
            toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if format < manifest.needed_format() {
            return Err(invalid(format!(
                "format {format} has no keys for what this manifest says"
            )));
        }
        if let Some(fault) = manifest.fault_of_members() {
            return Err(invalid(fault));
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
        Ok(Self {
            parts,
            manifest,
            sha256: sha256(text.as_bytes()),
        })
    }

    /// Checks every part against its checksum.
    ///
    /// # Errors
    /// [`BundleError`]: a part is missing or was changed.
    pub(crate) fn check(&self) -> Result<(), BundleError> {
        let networks = self.manifest.network_files().into_iter();
        let parts: Vec<String> = networks.chain([MODEL_CARD.to_owned()]).collect();
        parts.par_iter().try_for_each(|name| {
            if self.manifest.parts.get(name) == Some(&self.parts.sha256(name)?) {
                Ok(())
            } else {
                Err(BundleError::Checksum {
                    path: self.place(name),
                })
            }
        })
    }

    /// The bundle, where its answers mean something.
    ///
    /// # Errors
    /// [`BundleError::ShuffledLabels`].
    pub fn meaningful(self) -> Result<Self, BundleError> {
        if self.manifest.shuffled_labels {
            return Err(BundleError::ShuffledLabels(self.place(MANIFEST)));
        }
        Ok(self)
    }

    /// The manifest.
    pub const fn manifest(&self) -> &BundleManifest {
        &self.manifest
    }

    /// SHA-256 of the manifest, which holds the checksums of all other parts: what names the bundle.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The shift from the prevalence of the bundle's own probabilities to another; `None` where none is asked for.
    ///
    /// # Errors
    /// [`InvalidPrior`] for a prevalence of 0 or 1.
    pub fn shift_to(
        &self,
        prevalence: Option<Probability>,
    ) -> Result<Option<PriorShift>, InvalidPrior> {
        let own = self.manifest.prevalence[Label::Any.index()];
        let shift = prevalence.map(|prevalence| PriorShift::new(own, prevalence.get()));
        shift.transpose()
    }

    /// What is known of a slice without looking at it: the prevalence of the training data.
    pub fn no_skill(&self) -> [Probability; 6] {
        self.manifest
            .prevalence
            .map(|share| Probability::new(share).unwrap_or_default())
    }

    /// The bytes of one of its files.
    ///
    /// # Errors
    /// [`BundleError::Io`] where there is no such file, or it cannot be read.
    pub fn read(&self, file: &str) -> Result<Vec<u8>, BundleError> {
        self.parts.read(file)
    }

    /// What errors call one of its files.
    pub fn place(&self, file: &str) -> PathBuf {
        self.parts.place(file)
    }

    /// Every network: one, or the members of an ensemble.
    pub fn networks(&self) -> Vec<BundleNetwork> {
        let networks = self.manifest.networks().into_iter();
        networks
            .map(|network| BundleNetwork {
                model: network.model,
                calibration: network.calibration.to_vec(),
                prior: network.prior,
                sequence: network
                    .sequence
                    .map(|(file, config)| (file, config.clone())),
            })
            .collect()
    }
}

/// One network of a bundle, by its files.
#[derive(Clone, Debug, PartialEq)]
pub struct BundleNetwork {
    /// The network of slices.
    pub model: String,
    /// What its probabilities become before the correction of its prior.
    pub calibration: Vec<CalibrationLine>,
    /// The correction of its prior.
    pub prior: Option<PriorShift>,
    /// The network over series, and which one it is.
    pub sequence: Option<(String, SequenceConfig)>,
}
