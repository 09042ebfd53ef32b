//! What is wrong with a data set, typed and counted.

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

/// One kind of finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The finding's stable name, such as `refused.truncated`.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// How many slices (or ids) it concerns.
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
    /// Findings, the worst first.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// True when a finding is an error.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Error)
    }

    /// The findings as text.
    pub fn to_text(&self) -> String {
        String::new()
    }
}

/// Looks an index over.
pub fn audit(index: &Index) -> Audit {
    Audit {
        rows: index.rows.len() as u64,
        findings: Vec::new(),
    }
}
