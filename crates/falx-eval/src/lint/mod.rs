//! Is a submission valid against a sample, and what would it score?

mod checks;
mod finding;
mod sample;
mod scan;
mod score;
mod text;
mod values;

use std::io::BufRead;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use finding::{Example, Finding, Problem, Severity};
pub use score::{Score, ScoredLabel};

use crate::kaggle::{self, KaggleError};

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
        text::report(self)
    }
}

impl std::fmt::Display for LintReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_text())
    }
}

/// Why a submission could not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] KaggleError),
    /// The sample is larger than any that can be checked.
    #[error("{path} has more than 700 million images; check it in parts")]
    TooLarge {
        /// The sample.
        path: std::path::PathBuf,
    },
}

/// Checks a submission against a sample, and scores it where a truth file is given.
///
/// # Errors
/// [`LintError`] when a file cannot be read, or the sample or the truth is itself unusable. Whatever is wrong with the
/// submission is a finding, not an error.
pub fn lint(
    submission: &Path,
    sample: &Path,
    truth: Option<&Path>,
) -> Result<LintReport, LintError> {
    let opened = |path| kaggle::open(path).map(|input| Text { input, path });
    check(
        opened(submission)?,
        opened(sample)?,
        truth.map(opened).transpose()?,
    )
}

/// The same for files in memory, which are called by their parts in messages.
///
/// # Errors
/// As [`lint`].
pub fn lint_bytes(
    submission: &[u8],
    sample: &[u8],
    truth: Option<&[u8]>,
) -> Result<LintReport, LintError> {
    fn named<'a>(input: &'a [u8], name: &'a str) -> Text<'a, &'a [u8]> {
        let path = Path::new(name);
        Text { input, path }
    }
    check(
        named(submission, "submission"),
        named(sample, "sample"),
        truth.map(|truth| named(truth, "truth")),
    )
}

/// An opened file.
struct Text<'a, R> {
    input: R,
    path: &'a Path,
}

fn check<R: BufRead + Send>(
    submission: Text<'_, R>,
    sample: Text<'_, R>,
    truth: Option<Text<'_, R>>,
) -> Result<LintReport, LintError> {
    let (submission_path, sample_path) = (submission.path, sample.path);
    let (scanned, truth) = rayon::join(
        || {
            let expected = sample::read(sample.input, sample_path)?;
            let scan = scan::scan(submission.input, submission_path, &expected)?;
            Ok::<_, LintError>((expected, scan))
        },
        || {
            truth
                .map(|truth| kaggle::read_truth_from(truth.input, truth.path))
                .transpose()
        },
    );
    let ((expected, scan), truth) = (scanned?, truth?);
    Ok(LintReport {
        submission: submission_path.display().to_string(),
        sample: sample_path.display().to_string(),
        rows: scan.rows,
        expected_rows: expected.rows,
        expected_images: expected.places.len() as u64,
        findings: scan.findings,
        score: truth.and_then(|t| score::score(&t, &expected, &scan.values)),
    })
}

#[cfg(test)]
mod tests;
