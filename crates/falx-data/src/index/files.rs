//! Which files there are, and how they lie.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use super::{IndexError, Layout};

/// A file of a source.
pub(crate) struct Found {
    /// Absolute, so that the index can be used from any folder.
    pub(crate) path: PathBuf,
    /// The path under its source, with `/`: names the file where it has no id.
    pub(super) relative: String,
    /// The source's name.
    pub(super) dataset: Arc<str>,
}

impl Found {
    /// True for a name that promises DICOM.
    pub(crate) fn is_dcm(&self) -> bool {
        self.path
            .extension()
            .is_some_and(|ext| ext.eq_ignore_ascii_case("dcm"))
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

/// All files of the sources, each once, in the order of their paths.
pub(crate) fn find(sources: &[PathBuf]) -> Result<Vec<Found>, IndexError> {
    if sources.is_empty() {
        return Err(IndexError::NoSources);
    }
    let mut found = Vec::new();
    for source in sources {
        let list = |error: std::io::Error| IndexError::List {
            path: source.clone(),
            source: error,
        };
        if !source.try_exists().map_err(list)? {
            return Err(IndexError::NoSuchPath {
                path: source.clone(),
            });
        }
        let root = std::path::absolute(source).map_err(list)?;
        let before = found.len();
        walk(&root, &mut found)?;
        if found.len() == before {
            return Err(IndexError::Empty {
                path: source.clone(),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

fn walk(root: &Path, found: &mut Vec<Found>) -> Result<(), IndexError> {
    let folder = if root.is_dir() {
        root
    } else {
        root.parent().unwrap_or(root)
    };
    let dataset: Arc<str> = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into();
    for entry in WalkDir::new(root).follow_links(true) {
        let entry = entry.map_err(|error| IndexError::List {
            path: error.path().unwrap_or(root).to_path_buf(),
            source: error.into(),
        })?;
        if entry.file_type().is_file() {
            let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let parts: Vec<_> = relative
                .components()
                .map(|c| c.as_os_str().to_string_lossy())
                .collect();
            found.push(Found {
                relative: parts.join("/"),
                dataset: Arc::clone(&dataset),
                path: entry.into_path(),
            });
        }
    }
    Ok(())
}

/// RSNA's layout where most `.dcm` files are called `ID_<hex>.dcm`, folders otherwise.
pub(super) fn detect(found: &[Found]) -> Layout {
    let dcm = found.iter().filter(|file| file.is_dcm()).count();
    let named = found
        .iter()
        .filter(|file| file.is_dcm() && is_rsna_id(&file.stem()))
        .count();
    if named > 0 && 2 * named > dcm {
        Layout::Rsna
    } else {
        Layout::Folders
    }
}

/// True for RSNA's `ID_<hex>`.
pub(super) fn is_rsna_id(id: &str) -> bool {
    id.strip_prefix("ID_")
        .is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
