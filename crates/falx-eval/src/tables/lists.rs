//! The check-lists as files: CSV for tables' readers, Markdown for authors who answer what is open.

use std::path::{Path, PathBuf};

use super::{TablesError, checklist, make, to_csv, write_text};
use crate::checklist::{claim, stard_ai, to_markdown};
use crate::{Evaluation, Provenance};

/// Writes CLAIM and STARD-AI as `claim` and `stard_ai`, each `.csv` and `.md`, into a folder, which is made where it is
/// missing; gives the files.
///
/// # Errors
/// [`TablesError`] when the folder or a file cannot be written.
pub fn write_checklists(
    provenance: &Provenance,
    e: &Evaluation,
    folder: &Path,
) -> Result<Vec<PathBuf>, TablesError> {
    make(folder)?;
    let lists = [
        ("claim", claim(provenance, e)),
        ("stard_ai", stard_ai(provenance, e)),
    ];
    let mut files = Vec::new();
    for (name, items) in lists {
        let path = folder.join(name);
        for (path, text) in [
            (path.with_extension("csv"), to_csv(&checklist(name, &items))),
            (path.with_extension("md"), Ok(to_markdown(&items))),
        ] {
            write_text(&path, text)?;
            files.push(path);
        }
    }
    Ok(files)
}
