//! What several test files share.

use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Silent};
use falx_phantom::{PhantomOptions, PhantomSummary, write};

/// A small collection: 64 × 64 pixels.
pub fn small(out: &Path) -> PhantomOptions {
    PhantomOptions {
        patients: 4,
        out: out.join("phantom"),
        seed: 11,
        matrix: 64,
        slice_prevalence: 0.4,
        ..PhantomOptions::default()
    }
}

/// Makes a collection that must succeed.
pub fn make(options: &PhantomOptions) -> PhantomSummary {
    write(options, &Silent, &Interrupt::default()).expect("the options are sound")
}

/// Every file below a folder, relative to it, in order.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder was made") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).expect("below the root").to_owned());
            }
        }
    }
    found.sort();
    found
}
