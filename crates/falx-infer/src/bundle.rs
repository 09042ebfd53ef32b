//! The bundle: one folder with a network, what it needs to be used, and the checksum of every part.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use falx_core::{LABELS, Label, Probability};
use falx_nn::zoo::SequenceConfig;
use rayon::prelude::*;
use ring::digest::{Context, SHA256, digest};
use serde::Deserialize;

use crate::{BundleManifest, InvalidPrior, PriorShift};

/// The network's file in a bundle.
pub const MODEL_ONNX: &str = "model.onnx";
/// The file of the network over series, where a bundle has one.
pub const SEQUENCE_ONNX: &str = "sequence.onnx";
/// The card's file in a bundle.
pub const MODEL_CARD: &str = "MODEL_CARD.md";
pub(crate) const MANIFEST: &str = "bundle.toml";
/// What this falx reads: one network; several, flips and series (2); rules of presence (3); probabilities of studies (4).
const FORMATS: std::ops::RangeInclusive<u32> = 1..=4;

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

/// What every version of the manifest begins with.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

/// A bundle on disk whose manifest and checksums were found in order.
#[derive(Clone, Debug)]
pub struct Bundle {
    folder: PathBuf,
    manifest: BundleManifest,
    sha256: String,
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
        manifest: BundleManifest,
        parts: &BundleParts<'_>,
    ) -> Result<Self, BundleError> {
        Self::write_parts(
            folder,
            manifest,
            std::iter::once(parts.model_onnx)
                .chain(parts.sequence_onnx)
                .map(|bytes| Ok(Cow::Borrowed(bytes))),
            parts.model_card,
        )
    }

    /// The same for the networks in the files `networks`, in the order of the manifest's members.
    pub(crate) fn write_ensemble(
        folder: &Path,
        manifest: BundleManifest,
        networks: &[PathBuf],
        model_card: &str,
    ) -> Result<Self, BundleError> {
        // One at a time: all together they may be larger than memory.
        let networks = networks.iter().map(|path| {
            let bytes = std::fs::read(path).map_err(io(path))?;
            Ok(Cow::Owned(bytes))
        });
        Self::write_parts(folder, manifest, networks, model_card)
    }

    fn write_parts<'a>(
        folder: &Path,
        mut manifest: BundleManifest,
        networks: impl Iterator<Item = Result<Cow<'a, [u8]>, BundleError>>,
        model_card: &'a str,
    ) -> Result<Self, BundleError> {
        std::fs::create_dir_all(folder).map_err(io(folder))?;
        manifest.format = manifest.needed_format();
        manifest.labels = LABELS.iter().map(|label| label.name().to_owned()).collect();
        manifest.parts = BTreeMap::new();
        let card = Ok(Cow::Borrowed(model_card.as_bytes()));
        let files = manifest.network_files().into_iter().zip(networks);
        for (name, bytes) in files.chain([(MODEL_CARD.to_owned(), card)]) {
            let bytes = bytes?;
            write(&folder.join(&name), &bytes)?;
            manifest.parts.insert(name, sha256(&bytes));
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
            sha256: sha256(text.as_bytes()),
        })
    }

    /// Opens a bundle and checks every part against its checksum.
    ///
    /// # Errors
    /// Any [`BundleError`]: no bundle, an invalid manifest, a part that is missing or was changed.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let bundle = Self::open_unchecked(folder)?;
        bundle.check()?;
        Ok(bundle)
    }

    /// Opens a bundle by its manifest alone, for those who check the other parts while they load them.
    ///
    /// # Errors
    /// [`BundleError`]: no bundle, or an invalid manifest.
    pub(crate) fn open_unchecked(folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join(MANIFEST);
        if !path.is_file() {
            return Err(BundleError::NotABundle(folder.to_owned()));
        }
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        let invalid = |reason: String| BundleError::Manifest {
            path: path.clone(),
            reason,
        };
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
            folder: folder.to_owned(),
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
            let part = self.folder.join(name);
            let found = sha256_of_file(&part).map_err(io(&part))?;
            if self.manifest.parts.get(name) == Some(&found) {
                Ok(())
            } else {
                Err(BundleError::Checksum { path: part })
            }
        })
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

    /// Where the network lies; of an ensemble the first.
    pub fn model_path(&self) -> PathBuf {
        self.folder.join(MODEL_ONNX)
    }

    /// Every network: one, or the members of an ensemble.
    pub fn networks(&self) -> Vec<BundleNetwork> {
        let networks = self.manifest.networks().into_iter();
        networks
            .map(|network| BundleNetwork {
                model: self.folder.join(network.model),
                prior: network.prior,
                sequence: network
                    .sequence
                    .map(|(file, config)| (self.folder.join(file), config.clone())),
            })
            .collect()
    }
}

/// One network of a bundle, on the disk.
#[derive(Clone, Debug, PartialEq)]
pub struct BundleNetwork {
    /// The network of slices.
    pub model: PathBuf,
    /// The correction of its prior.
    pub prior: Option<PriorShift>,
    /// The network over series, and which one it is.
    pub sequence: Option<(PathBuf, SequenceConfig)>,
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
    hex(digest(&SHA256, bytes).as_ref())
}

/// Of a file's bytes, of which only few are in memory at once.
fn sha256_of_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(hasher.finish().as_ref()));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
