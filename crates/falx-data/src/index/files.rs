//! Which files there are, and how they lie.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use super::layout::{Census, Kind, is_dcm};
use super::{IndexError, Layout};

/// A source: a folder with all below it, or a file.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Absolute, so that the index can be used from any folder.
    root: PathBuf,
    /// The root, or the folder of a root that is a file.
    pub(super) folder: PathBuf,
    /// Its name.
    pub(super) dataset: Arc<str>,
    pub(super) layout: Layout,
    pub(super) detected: bool,
    /// Files in it.
    pub(super) files: u64,
}

/// A file of a source.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// The path under its source, with `/`: names the file where it has no id.
    pub(super) relative: String,
    /// The number of its source.
    pub(super) source: usize,
    pub(super) kind: Kind,
}

impl Found {
    /// True for a name that promises DICOM.
    pub(crate) fn is_dcm(&self) -> bool {
        is_dcm(&self.path)
    }

    /// The file's name without its ending.
    pub(super) fn stem(&self) -> String {
        self.path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }
}

/// A folder that could not be listed, or a link that leads nowhere or in a circle; its files are missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unlisted {
    /// The folder.
    pub path: PathBuf,
    /// What the system said.
    pub why: String,
}

/// Looks at the names of all files: how many there are, and how they lie.
pub(super) fn survey(sources: &[PathBuf], layout: Layout) -> Result<Vec<Source>, IndexError> {
    if sources.is_empty() {
        return Err(IndexError::NoSources);
    }
    let mut all: Vec<Source> = Vec::with_capacity(sources.len());
    for path in sources {
        let list = |source: std::io::Error| IndexError::List {
            path: path.clone(),
            source,
        };
        if !path.try_exists().map_err(list)? {
            return Err(IndexError::NoSuchPath { path: path.clone() });
        }
        let named = std::path::absolute(path).map_err(list)?;
        // A DICOMDIR stands for the file-set in its folder.
        let is_dicomdir = named
            .file_name()
            .is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR"));
        let root = match named.parent() {
            Some(folder) if is_dicomdir && named.is_file() => folder.to_owned(),
            _ => named,
        };
        if all.iter().any(|known| known.root == root) {
            continue;
        }
        let folder = match root.parent() {
            Some(parent) if !root.is_dir() => parent.to_owned(),
            _ => root.clone(),
        };
        let mut source = Source {
            dataset: dataset_name(&folder, &all),
            root,
            folder,
            layout,
            detected: layout == Layout::Auto,
            files: 0,
        };
        let mut census = Census::default();
        source.names(&mut |relative| census.add(relative));
        source.files = census.files;
        if source.files == 0 {
            // An empty folder, or one that cannot be listed at all.
            let mut unlisted = None;
            source.walk(0, &mut |_| true, &mut |missing| {
                unlisted = unlisted.take().or(Some(missing));
            });
            return Err(match unlisted {
                Some(Unlisted { path, why }) => IndexError::List {
                    path,
                    source: std::io::Error::other(why),
                },
                None => IndexError::Empty { path: path.clone() },
            });
        }
        if source.detected {
            source.layout = census.layout();
        }
        all.push(source);
    }
    Ok(all)
}

/// The folder's name; with its parent's where another source has that name.
fn dataset_name(folder: &Path, others: &[Source]) -> Arc<str> {
    let text = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let short = text(folder);
    let taken = |name: &str| {
        others
            .iter()
            .any(|other| other.dataset.as_ref() == name && other.folder != folder)
    };
    if !taken(&short) {
        return short.into();
    }
    let long = format!("{}/{short}", folder.parent().map(text).unwrap_or_default());
    if taken(&long) {
        return format!("{long} {}", others.len() + 1).into();
    }
    long.into()
}

impl Source {
    /// Gives the path of every file below the source, in whatever order the disk has them.
    fn names(&self, take: &mut dyn FnMut(&Path)) {
        for entry in WalkDir::new(&self.root)
            .follow_links(true)
            .into_iter()
            .flatten()
        {
            if entry.file_type().is_file() {
                take(
                    entry
                        .path()
                        .strip_prefix(&self.folder)
                        .unwrap_or(entry.path()),
                );
            }
        }
    }

    /// Gives every file that this layout reads to `take`, until it says false; what cannot be listed to `missing`.
    pub(super) fn walk(
        &self,
        number: usize,
        take: &mut dyn FnMut(Found) -> bool,
        missing: &mut dyn FnMut(Unlisted),
    ) {
        for entry in WalkDir::new(&self.root).follow_links(true) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    missing(Unlisted {
                        path: error.path().unwrap_or(&self.root).to_path_buf(),
                        why: why(&error),
                    });
                    continue;
                }
            };
            if !entry.file_type().is_file() {
                continue;
            }
            let below = entry
                .path()
                .strip_prefix(&self.folder)
                .unwrap_or(entry.path());
            let kind = self.layout.kind(below);
            if kind == Kind::Other {
                continue;
            }
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let relative = parts.join("/");
            let found = Found {
                relative,
                source: number,
                kind,
                path: entry.into_path(),
            };
            if !take(found) {
                return;
            }
        }
    }
}

/// What went wrong, without the path that is said beside it.
fn why(error: &walkdir::Error) -> String {
    if error.loop_ancestor().is_some() {
        return "a link that leads back to a folder above it".to_owned();
    }
    error
        .io_error()
        .map_or_else(|| "it cannot be listed".to_owned(), ToString::to_string)
}

/// All files of the sources, each once, in the order of their paths.
pub(crate) fn find(sources: &[PathBuf]) -> Result<Vec<Found>, IndexError> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for (number, source) in survey(sources, Layout::Folders)?.iter().enumerate() {
        let mut unlisted = None;
        let mut take = |file: Found| {
            if seen.insert(file.path.clone()) {
                found.push(file);
            }
            true
        };
        source.walk(number, &mut take, &mut |missing| {
            unlisted = unlisted.take().or(Some(missing));
        });
        if let Some(Unlisted { path, why }) = unlisted {
            return Err(IndexError::List {
                path,
                source: std::io::Error::other(why),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// True for RSNA's `ID_<hex>`.
pub(super) fn is_rsna_id(id: &str) -> bool {
    id.strip_prefix("ID_")
        .is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
