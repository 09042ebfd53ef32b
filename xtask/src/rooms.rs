//! The arrows between rooms and the libraries that may enter them, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::tidy::Finding;

/// The arrows that the table "Rooms" of ARCHITECTURE.md allows: room → rooms it may use.
pub type Arrows = BTreeMap<String, BTreeSet<String>>;

const ARROWS: usize = 1;
const LIBRARIES: usize = 2;
const LINTS: usize = 3;

/// Third-party libraries that may be used in some rooms only (by the beginning of their name).
const CONFINED: [(&str, &[&str]); 18] = [
    ("burn", &["falx-nn"]),
    ("cubecl", &["falx-nn"]),
    ("tch", &["falx-nn"]),
    ("pulp", &["falx-data", "falx-dicom", "falx-nn"]),
    ("hayro-jpeg2000", &["falx-dicom"]),
    ("dicom-toolkit-jpeg2000", &["falx-dicom"]),
    ("ort", &["falx-infer"]),
    ("rten", &["falx-infer"]),
    ("hdf5-reader", &["falx-nn"]),
    ("ureq", &["falx-models"]),
    ("dicom-object", &["falx-evidence", "falx-phantom"]),
    ("parquet", &["falx-data"]),
    ("anyhow", &["falx", "xtask"]),
    ("clap", &["falx"]),
    ("indicatif", &["falx"]),
    ("pyo3", &["falx-python"]),
    ("numpy", &["falx-python"]),
    ("safer-ffi", &["falx-c"]),
];

/// The workspace, and the one that stands apart because it needs Python.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "python/Cargo.toml"];

/// Reads the allowed arrows: table rows whose first cell is a crate in backticks and whose last names the rooms it may use.
pub fn allowed_arrows(architecture: &str) -> Result<Arrows> {
    let mut arrows = Arrows::new();
    for line in architecture
        .lines()
        .filter(|line| line.starts_with("| `falx"))
    {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (Some(room), Some(uses)) = (cells.first(), cells.last()) else {
            continue;
        };
        let uses = uses
            .split(',')
            .map(|name| name.trim().trim_matches('`').to_owned());
        arrows.insert(room.trim_matches('`').to_owned(), uses.collect());
    }
    if arrows.is_empty() {
        bail!("ARCHITECTURE.md has no table of rooms");
    }
    Ok(arrows)
}

/// Compares the dependencies of every member of either workspace with what is allowed.
pub fn check(root: &Path, allowed: &Arrows) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for manifest in MANIFESTS {
        let metadata = metadata(&root.join(manifest))?;
        for package in metadata["packages"].as_array().into_iter().flatten() {
            let name = package["name"].as_str().unwrap_or_default();
            check_lints(package, name, manifest == MANIFESTS[0], &mut findings)?;
            for dependency in package["dependencies"].as_array().into_iter().flatten() {
                let needs = dependency["name"].as_str().unwrap_or_default();
                // Tests may look over the fence; what ships may not.
                if dependency["kind"].as_str() != Some("dev") {
                    check_arrow(name, needs, allowed, &mut findings);
                }
            }
        }
    }
    Ok(findings)
}

fn metadata(manifest: &Path) -> Result<Value> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("parsing cargo metadata")
}

fn check_arrow(room: &str, needs: &str, allowed: &Arrows, findings: &mut Vec<Finding>) {
    if needs.starts_with("falx") && !allowed.get(room).is_some_and(|uses| uses.contains(needs)) {
        findings.push(Finding::new(ARROWS, format!("{room} uses {needs}")));
    }
    for (library, homes) in CONFINED {
        let is_it = needs == library || needs.starts_with(&format!("{library}-"));
        if is_it && !homes.contains(&room) {
            findings.push(Finding::new(LIBRARIES, format!("{room} uses {needs}")));
        }
    }
}

/// The workspace's lints forbid unsafe code; a member that does not inherit them, or repeat them apart, escapes.
fn check_lints(
    package: &Value,
    name: &str,
    is_member: bool,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let manifest = package["manifest_path"]
        .as_str()
        .context("a package without a manifest")?;
    let text = std::fs::read_to_string(manifest).with_context(|| format!("reading {manifest}"))?;
    let wanted = if is_member {
        "[lints]\nworkspace = true"
    } else {
        "[lints.rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\""
    };
    if !text.contains(wanted) {
        findings.push(Finding::new(LINTS, format!("{name}'s Cargo.toml")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_arrow_and_a_strayed_library_are_found() {
        let allowed =
            allowed_arrows("| `falx-data` | index | `falx-core`, `falx-dicom` |\n").unwrap();
        let mut findings = Vec::new();
        check_arrow("falx-data", "falx-dicom", &allowed, &mut findings);
        assert!(findings.is_empty());
        check_arrow("falx-data", "falx-nn", &allowed, &mut findings);
        check_arrow("falx-data", "burn-flex", &allowed, &mut findings);
        let numbers: Vec<usize> = findings.iter().map(|f| f.invariant).collect();
        assert_eq!(numbers, [ARROWS, LIBRARIES]);
    }
}
