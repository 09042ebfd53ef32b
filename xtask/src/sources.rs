//! What the files themselves must keep to: length, markers of unfinished work, paths, pixels, the change log.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::tidy::Finding;

const LENGTH: usize = 4;
const FINISHED: usize = 5;
const PLACES: usize = 6;
const PIXELS: usize = 7;
const CHANGES: usize = 8;

/// Code lines a source file may have (HOUSE: about 250, 400 at most).
const MOST_LINES: usize = 400;

/// Checks every tracked file.
pub fn check(root: &Path, files: &[PathBuf]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in files {
        let extension = file
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        if matches!(extension, "dcm" | "webp" | "nii" | "gz") {
            findings.push(Finding::new(PIXELS, file.display().to_string()));
            continue;
        }
        // A file that is no text (a picture in docs/) has nothing to read.
        let Ok(text) = std::fs::read_to_string(root.join(file)) else {
            continue;
        };
        if let Some(comment) = comment(extension) {
            check_source(file, &text, comment, &mut findings);
        }
        for (number, line) in text.lines().enumerate() {
            if machine_paths()
                .iter()
                .any(|path| line.contains(path.as_str()))
            {
                findings.push(Finding::new(
                    PLACES,
                    format!("{}:{}", file.display(), number + 1),
                ));
            }
        }
    }
    let changes =
        std::fs::read_to_string(root.join("CHANGELOG.md")).context("reading CHANGELOG.md")?;
    check_changes(&changes, &mut findings);
    Ok(findings)
}

/// What a comment begins with, in the languages that are checked.
fn comment(extension: &str) -> Option<&'static str> {
    match extension {
        "rs" => Some("//"),
        "py" | "pyi" => Some("#"),
        _ => None,
    }
}

fn check_source(file: &Path, text: &str, comment: &str, findings: &mut Vec<Finding>) {
    let lines = text.lines().filter(|line| is_code(line, comment)).count();
    if lines > MOST_LINES {
        findings.push(Finding::new(
            LENGTH,
            format!("{} has {lines} code lines", file.display()),
        ));
    }
    for (number, line) in text.lines().enumerate() {
        if unfinished_marks()
            .iter()
            .any(|mark| line.contains(mark.as_str()))
        {
            findings.push(Finding::new(
                FINISHED,
                format!("{}:{}", file.display(), number + 1),
            ));
        }
    }
}

fn is_code(line: &str, comment: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with(comment)
}

/// Spelt in two halves so that this file does not find itself.
fn unfinished_marks() -> Vec<String> {
    [
        "todo!|(",
        "unimplemented!|(",
        "dbg!|(",
        "#[ig|nore",
        "@unittest.sk|ip(",
        "TO|DO",
        "FIX|ME",
    ]
    .iter()
    .map(|mark| mark.replace('|', ""))
    .collect()
}

fn machine_paths() -> Vec<String> {
    ["/wo|rk/", "/ro|ot/", "/ho|me/"]
        .iter()
        .map(|path| path.replace('|', ""))
        .collect()
}

/// Every entry (a list item under a version) must say whether predictions change.
fn check_changes(text: &str, findings: &mut Vec<Finding>) {
    let mut entry = String::new();
    let mut close = |entry: &mut String| {
        let ends_well = ["Changed predictions: yes", "Changed predictions: no"]
            .iter()
            .any(|ending| entry.trim_end().trim_end_matches('.').ends_with(ending));
        if !entry.is_empty() && !ends_well {
            let start: String = entry.chars().take(60).collect();
            findings.push(Finding::new(CHANGES, format!("CHANGELOG.md: \"{start}…\"")));
        }
        entry.clear();
    };
    for line in text.lines() {
        if line.starts_with("- ") || line.starts_with('#') {
            close(&mut entry);
        }
        if line.starts_with("- ") || !entry.is_empty() {
            entry.push_str(line.trim());
            entry.push(' ');
        }
    }
    close(&mut entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_unfinished_work_are_found() {
        let mut findings = Vec::new();
        let text = "let x = 1;\n".repeat(MOST_LINES) + "// a comment\n\n";
        check_source(Path::new("a.rs"), &text, "//", &mut findings);
        assert!(findings.is_empty());
        check_source(
            Path::new("a.rs"),
            &(text + &unfinished_marks()[0]),
            "//",
            &mut findings,
        );
        let numbers: Vec<usize> = findings.iter().map(|f| f.invariant).collect();
        assert_eq!(numbers, [LENGTH, FINISHED]);
    }

    #[test]
    fn an_entry_must_say_whether_predictions_change() {
        let mut findings = Vec::new();
        check_changes(
            "# Log\n## 0.1\n- One.\n  Changed predictions: no\n- Two.\n",
            &mut findings,
        );
        assert_eq!(findings.len(), 1);
        assert!(findings[0].place.contains("Two"));
    }
}
