//! Runs every check and pairs what it finds with the sentence of ARCHITECTURE.md that was broken.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{rooms, sources};

/// What a check found: the number of the invariant in ARCHITECTURE.md, and where it is broken.
pub struct Finding {
    pub invariant: usize,
    pub place: String,
}

impl Finding {
    pub fn new(invariant: usize, place: impl Into<String>) -> Self {
        Self {
            invariant,
            place: place.into(),
        }
    }
}

/// Runs all checks from the workspace's root; one line for each broken invariant.
pub fn run() -> Result<Vec<String>> {
    let root = root()?;
    let text =
        std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("reading ARCHITECTURE.md")?;
    let invariants = invariants(&text);
    let allowed = rooms::allowed_arrows(&text)?;

    let mut findings = rooms::check(&root, &allowed)?;
    findings.extend(sources::check(&root, &tracked_files(&root)?)?);

    let mut lines = Vec::with_capacity(findings.len());
    for finding in findings {
        let Some(sentence) = invariants.get(finding.invariant.wrapping_sub(1)) else {
            bail!("ARCHITECTURE.md has no invariant {}", finding.invariant);
        };
        lines.push(format!(
            "{}\n    breaks invariant {}: {sentence}",
            finding.place, finding.invariant
        ));
    }
    Ok(lines)
}

fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here
        .parent()
        .context("xtask has no parent folder")?
        .to_path_buf())
}

/// The numbered sentences under the heading "Invariants", each joined to one line.
fn invariants(architecture: &str) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let section = architecture
        .lines()
        .skip_while(|line| line.trim() != "## Invariants")
        .skip(1)
        .take_while(|line| !line.starts_with("## "));
    for line in section {
        let numbered = line
            .split_once(". ")
            .filter(|(n, _)| n.parse::<usize>().is_ok());
        if let Some((_, sentence)) = numbered {
            sentences.push(sentence.trim().to_owned());
        } else if let Some(last) = sentences.last_mut()
            && line.starts_with("   ")
        {
            last.push(' ');
            last.push_str(line.trim());
        }
    }
    sentences
}

/// Files that git tracks or would track, so that build outputs never count.
fn tracked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("running git ls-files")?;
    if !output.status.success() {
        bail!(
            "git ls-files failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output
        .stdout
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
        .filter(|path| root.join(path).is_file())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::invariants;

    #[test]
    fn sentences_are_joined_and_end_with_the_section() {
        let text = "# A\n## Invariants\n\n1. One goes\n   on.\n2. Two.\n\n## Next\n3. Not this.\n";
        assert_eq!(invariants(text), ["One goes on.", "Two."]);
    }
}
