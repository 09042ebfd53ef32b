//! Is a submission valid against a sample, and what would it score?

use std::path::Path;

use falx_core::Label;
use serde::{Deserialize, Serialize};

use crate::kaggle::KaggleError;

/// Whether a finding makes a submission invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The submission would be refused or mis-scored.
    Error,
    /// Valid, but hardly meant.
    Warning,
}

/// What kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The file has no lines.
    Empty,
}

/// One place where a problem shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The line, counted from 1.
    pub line: u64,
    /// What stands there.
    pub text: String,
}

/// One kind of problem: how often, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind.
    pub problem: Problem,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in words.
    pub message: String,
    /// How often.
    pub count: u64,
    /// The first few places.
    pub examples: Vec<Example>,
    /// What to do.
    pub remedy: String,
}

/// One label of the local score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredLabel {
    /// The label.
    pub label: Label,
    /// Positive images.
    pub positives: u64,
    /// The submission's mean log loss.
    pub log_loss: f64,
    /// The mean log loss of predicting this label's prevalence.
    pub baseline_log_loss: f64,
}

/// What the submission would score against known labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Images scored: six readable values, and six known labels.
    pub images: u64,
    /// Images of the sample that were not scored.
    pub not_scored: u64,
    /// The weighted log loss.
    pub weighted_log_loss: f64,
    /// The weighted log loss of predicting these images' prevalence.
    pub prevalence_log_loss: f64,
    /// The weighted log loss of predicting one half.
    pub half_log_loss: f64,
    /// `1 - loss / prevalence's loss`; `None` where the latter is 0.
    pub skill: Option<f64>,
    /// One row a label.
    pub labels: Vec<ScoredLabel>,
}

/// What was found in a submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LintReport {
    /// The submission's path as given.
    pub submission: String,
    /// The sample's path as given.
    pub sample: String,
    /// Rows below the submission's header.
    pub rows: u64,
    /// Rows below the sample's header.
    pub expected_rows: u64,
    /// Images in the sample.
    pub expected_images: u64,
    /// Every kind of problem once, errors first.
    pub findings: Vec<Finding>,
    /// The local score, where a truth file was given and an image could be scored.
    pub score: Option<Score>,
}

impl LintReport {
    /// True when nothing makes the submission invalid; warnings may remain.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|f| f.severity != Severity::Error)
    }

    /// The report as text for the command line.
    pub fn to_text(&self) -> String {
        String::new()
    }
}

/// Why a submission could not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    /// A file cannot be used.
    #[error(transparent)]
    Kaggle(#[from] KaggleError),
}

/// Checks a submission against a sample, and scores it where a truth file is given.
///
/// # Errors
/// [`LintError`] when a file cannot be read, or the sample or the truth is itself unusable. Whatever is wrong with the
/// submission is a finding, not an error.
pub fn lint(submission: &Path, sample: &Path, truth: Option<&Path>) -> Result<LintReport, LintError> {
    let _ = truth;
    Ok(LintReport {
        submission: submission.display().to_string(),
        sample: sample.display().to_string(),
        rows: 0,
        expected_rows: 0,
        expected_images: 0,
        findings: Vec::new(),
        score: None,
    })
}
