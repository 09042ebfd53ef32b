//! What is wrong with a data set, typed and counted.

mod checks;
mod findings;
mod histogram;
mod outliers;
mod page;
mod series;
mod shortcut;
mod sources;
mod survey;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;

use crate::index::Index;
use findings::Findings;
pub use histogram::Histogram;
pub use page::{PageError, write_html};
pub use shortcut::{
    FeatureScore, NoShortcut, Shortcut, cross_fit_from_metadata, predict_from_metadata,
};
pub use sources::SourceSummary;
use survey::Survey;

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
    /// How many series these slices belong to; 0 where that is unknown or means nothing.
    pub series: u64,
    /// What it is, in one sentence.
    pub what: String,
    /// Up to five image ids or paths.
    pub examples: Vec<String>,
    /// What to do about it.
    pub remedy: String,
    /// Some of the rows, for pictures.
    #[serde(skip)]
    cases: Vec<usize>,
}

/// What an index holds, and all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that may be used.
    pub usable: u64,
    /// Findings by severity, the worst first, then by name.
    pub findings: Vec<Finding>,
    /// The sources side by side, by name.
    pub sources: Vec<SourceSummary>,
    /// How well metadata alone predict `any`.
    pub shortcut: Option<Shortcut>,
    /// Why that was not checked.
    pub no_shortcut_check: Option<String>,
    /// Spacing, thickness and pixel size over the slices.
    pub histograms: Vec<Histogram>,
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
        text::text(self)
    }
}

/// Looks an index over: files, pictures, ids, labels, patients, series, scanners, sources, and whether labels can be
/// guessed without looking at pictures.
///
/// Runs on rayon's current pool; the result does not depend on the number of threads.
pub fn audit(index: &Index) -> Audit {
    let survey = Survey::new(index);
    let mut findings = Findings::new(&survey);
    checks::files(&survey, &mut findings);
    checks::unlisted(&survey, &mut findings);
    checks::pictures(&survey, &mut findings);
    checks::labels(&survey, &mut findings);
    checks::patients(&survey, &mut findings);
    series::body_part(&survey, &mut findings);
    series::tilt(&survey, &mut findings);
    outliers::geometry(&survey, &mut findings);
    outliers::scanners(&survey, &mut findings);
    sources::patients(&survey, &mut findings);
    sources::prevalence(&survey, &mut findings);
    let shortcut = shortcut::check(&survey);
    if let Ok(shortcut) = &shortcut {
        shortcut.tell(&mut findings);
    }
    Audit {
        rows: index.rows.len() as u64,
        usable: survey.usable().count() as u64,
        findings: findings.sorted(),
        sources: sources::summaries(&survey),
        histograms: histogram::all(&survey),
        no_shortcut_check: shortcut.as_ref().err().map(ToString::to_string),
        shortcut: shortcut.ok(),
    }
}
