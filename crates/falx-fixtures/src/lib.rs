//! Where tests find the shared reference material (`../shared` beside the repository, or `$FALX_SHARED`).
//!
//! The material is never copied into the repository, so a user's fresh clone does not have it: a test
//! that needs it returns early there and says so. Under CI (`CI=true`) its absence is a failure.

use std::path::{Path, PathBuf};

/// The file or folder `relative` of the shared material, or `None` where the material is not at hand.
///
/// # Panics
/// When the material, or this part of it, is missing under CI, so that a green run cannot hide a skipped check.
pub fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FALX_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "this test needs {} and it is missing; set FALX_SHARED to the shared folder",
        path.display()
    );
    eprintln!("skipped: needs {} (set FALX_SHARED)", path.display());
    None
}

/// Whether ONNX Runtime's shared library is at hand: `ORT_DYLIB_PATH` names it.
///
/// # Panics
/// When it is missing under CI, as in [`shared`].
pub fn onnx_runtime() -> bool {
    let is_set = std::env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty());
    assert!(
        is_set || std::env::var_os("CI").is_none(),
        "this test needs ONNX Runtime; set ORT_DYLIB_PATH to its shared library (pip install onnxruntime)"
    );
    if !is_set {
        eprintln!("skipped: needs ONNX Runtime (set ORT_DYLIB_PATH)");
    }
    is_set
}

/// All files under `folder`, in the order of their paths.
///
/// # Panics
/// When a folder cannot be listed.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
