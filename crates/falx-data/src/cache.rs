//! Slices in HU, packed: a folder that loads faster and takes less room than the files it was made from.
//!
//! A cache belongs to one index (its data lock) and holds its usable slices without loss, either as they are (`native`)
//! or as a network sees them at one size. It lies in shards of [`SHARD`] rows of the index, each written whole or not
//! at all, each slice with a checksum; any slice is found by its row alone, so that nothing of a cache is kept in memory.

mod build;
mod bytes;
mod kept;
mod packed;
mod read;
mod shard;
#[cfg(test)]
mod tests;
mod tiles;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use build::{CacheOptions, CacheSummary, build};
pub use bytes::{Held, pack_slice, read_shard, unpack_slice};
pub use kept::Kept;
pub use read::{Cache, CacheReader, Found};
pub use shard::SHARD;

use crate::input::{Crop, InputSpec};
use crate::samples::SamplesError;
use crate::table::TableError;

/// What is said of a cache in its folder.
const MANIFEST: &str = "cache.toml";
/// The form of manifest and shards.
const FORMAT: u32 = 2;

/// What a cache holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheManifest {
    /// The form of manifest and shards.
    pub format: u32,
    /// The data lock of the index that it was made from.
    pub data_hash: String,
    /// Rows of that index.
    pub rows: u32,
    /// How slices are held; left out, as they are.
    pub picture: Option<PictureForm>,
}

/// The one key that a manifest of any form has.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

/// A picture as a network sees it before its windows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureForm {
    /// Its side in pixels.
    pub size: usize,
    /// The side of a pixel in mm, where it is the same for every slice.
    pub mm_per_pixel: Option<f32>,
    /// What it is centred on.
    #[serde(default)]
    pub crop: Crop,
    /// Beyond which HU values were cut off before it was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_hu: Option<[f32; 2]>,
    /// Whether these are the limits of each file's own window.
    #[serde(default, skip_serializing_if = "crate::input::is_off")]
    pub own_window: bool,
}

impl PictureForm {
    /// The form of an input's pictures.
    pub fn of(input: &InputSpec) -> Self {
        Self {
            size: input.size,
            mm_per_pixel: input.mm_per_pixel,
            crop: input.crop,
            clip_hu: input.clip_hu,
            own_window: input.own_window,
        }
    }
}

/// Why a cache cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] TableError),
    /// Its list of slices cannot be kept.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// A file of the cache cannot be written.
    #[error(
        "cannot write {}: {source}; what is finished is kept, and the same command goes on from there once there is room",
        .path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no cache.
    #[error("{}: no cache here (a cache has a {MANIFEST}); make one with `falx cache INDEX --out {}`", .path.display(), .path.display())]
    NoCache {
        /// The folder.
        path: PathBuf,
    },
    /// The manifest cannot be used.
    #[error("{}: {what}; remove its folder and make the cache again with `falx cache`", .path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The cache is of something else.
    #[error(
        "{}: this cache {what}; make another with `falx cache`, in another folder or after removing this one", .path.display()
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// What is different.
        what: String,
    },
    /// The user asked to stop.
    #[error("interrupted; finished shards are kept, and the same command goes on from there")]
    Interrupted,
}

impl CacheManifest {
    /// Reads the manifest of the cache in `folder`.
    ///
    /// # Errors
    /// [`CacheError`] where there is none, or one of another form.
    pub fn read(folder: &Path) -> Result<Self, CacheError> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read_to_string(&path).map_err(|_| CacheError::NoCache {
            path: folder.to_owned(),
        })?;
        let wrong = |what: String| CacheError::Manifest {
            path: path.clone(),
            what,
        };
        let parsed = toml::from_str::<Form>(&text);
        // The form first: another one may have other keys.
        let Form { format } = parsed.map_err(|error| wrong(error.to_string()))?;
        if format != FORMAT {
            return Err(wrong(format!(
                "its form is {format}, and this falx reads {FORMAT}"
            )));
        }
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
    }

    /// Where the shard lies that has index row `row`.
    fn shard_of(folder: &Path, row: u32) -> PathBuf {
        folder.join(format!("shard-{:06}.hu", row as usize / SHARD))
    }
}
