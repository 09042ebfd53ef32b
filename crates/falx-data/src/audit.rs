//! What is wrong with a data set, typed and counted.

mod checks;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde::Serialize;

use crate::index::Index;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Look at it before training.
    Warning,
    /// Something is lost or wrong.
    Error,
}

impl Severity {
    /// The severity's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// One kind of finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The finding's stable name, such as `refused.truncated`.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// How many slices (or what `what` names) it concerns.
    pub count: u64,
    /// What it is, in one sentence.
    pub what: String,
    /// Up to five image ids or paths.
    pub examples: Vec<String>,
    /// What to do about it.
    pub remedy: String,
}

/// All findings, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that may be used.
    pub usable: u64,
    /// Findings by severity, the worst first, then by name.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// True when a finding is an error.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many kinds of findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// The findings as text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        for finding in &self.findings {
            _ = writeln!(
                text,
                "{:<8}{} × {}",
                finding.severity, finding.name, finding.count
            );
            _ = writeln!(text, "        {}", finding.what);
            if !finding.examples.is_empty() {
                let more = if finding.count as usize > finding.examples.len() {
                    ", …"
                } else {
                    ""
                };
                _ = writeln!(
                    text,
                    "        such as {}{more}",
                    finding.examples.join(", ")
                );
            }
            _ = writeln!(text, "        -> {}", finding.remedy);
        }
        _ = writeln!(
            text,
            "{} of {} slices usable; {} errors, {} warnings, {} notes",
            self.usable,
            self.rows,
            self.count(Severity::Error),
            self.count(Severity::Warning),
            self.count(Severity::Note),
        );
        text
    }
}

/// Looks an index over: files, pictures, ids, labels, patients, geometry.
pub fn audit(index: &Index) -> Audit {
    let mut findings = checks::Findings::default();
    checks::files(index, &mut findings);
    checks::pictures(index, &mut findings);
    checks::labels(index, &mut findings);
    checks::patients(index, &mut findings);
    Audit {
        rows: index.rows.len() as u64,
        usable: index.rows.iter().filter(|row| row.usable).count() as u64,
        findings: findings.sorted(),
    }
}
