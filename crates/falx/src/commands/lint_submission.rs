//! `falx lint-submission`

use falx_eval::lint::lint;

use crate::cli::LintSubmission;
use crate::output::Outcome;

pub fn run(arguments: &LintSubmission) -> anyhow::Result<Outcome> {
    let report = lint(
        &arguments.submission,
        &arguments.sample,
        arguments.truth.as_deref(),
    )?;
    Ok(Outcome::done(report.to_text(), &report)?.fine_if(report.is_clean()))
}
