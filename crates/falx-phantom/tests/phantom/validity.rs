//! `dciodvfy` (dicom3tools) finds no error in what is written.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::common::{files, make, small};
use falx_phantom::{Layout, PhantomOptions};

/// The errors that dciodvfy reports, or `None` where it is not installed.
fn errors(file: &Path) -> Option<Vec<String>> {
    match Command::new("dciodvfy").arg(file).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                said.contains("CTImage"),
                "dciodvfy did not take {} for a CT image: {said}",
                file.display()
            );
            Some(
                said.lines()
                    .filter(|l| l.starts_with("Error"))
                    .map(str::to_owned)
                    .collect(),
            )
        }
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "this test needs dciodvfy ({error}); install dicom3tools"
            );
            eprintln!("skipped: needs dciodvfy (install dicom3tools)");
            None
        }
    }
}

#[test]
fn every_scanners_files_are_valid_ct_images_in_both_layouts() {
    for layout in [Layout::Rsna, Layout::Folders] {
        let dir = tempfile::tempdir().unwrap();
        let options = PhantomOptions {
            patients: 12,
            layout,
            masks: false,
            ..small(dir.path())
        };
        let made = make(&options);
        let mut seen = BTreeSet::new();
        for file in files(&made.out) {
            if file.extension().is_none_or(|e| e != "dcm") {
                continue;
            }
            let path = made.out.join(&file);
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1200)]).into_owned();
            let at = text
                .find("falx phantom ")
                .expect("the manufacturer is named");
            // One file a scanner is enough: its others differ in numbers alone.
            if !seen.insert(text[at + 13..].chars().next()) {
                continue;
            }
            let Some(errors) = errors(&path) else { return };
            assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
        }
        assert_eq!(seen.len(), 5, "twelve patients meet all scanners: {seen:?}");
    }
}
