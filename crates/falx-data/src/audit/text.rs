//! The audit as text.

use std::fmt::Write as _;

use falx_core::LABELS;
use falx_eval::Estimate;

use super::{Audit, Finding, Severity, Shortcut, SourceSummary};

pub(super) fn text(audit: &Audit) -> String {
    let mut text = String::new();
    for finding in &audit.findings {
        one(&mut text, finding);
    }
    if audit.sources.len() > 1 {
        sources(&mut text, &audit.sources);
    }
    if let Some(found) = &audit.shortcut {
        shortcut(&mut text, found);
    }
    if let Some(reason) = &audit.no_shortcut_check {
        // Writing to a String cannot fail.
        _ = writeln!(text, "metadata as a shortcut: not checked; {reason}");
    }
    _ = writeln!(
        text,
        "{} of {} slices usable; {} errors, {} warnings, {} notes",
        audit.usable,
        audit.rows,
        audit.count(Severity::Error),
        audit.count(Severity::Warning),
        audit.count(Severity::Note),
    );
    text
}

fn one(text: &mut String, finding: &Finding) {
    let series = match finding.series {
        0 => String::new(),
        1 => " (1 series)".to_owned(),
        many => format!(" ({many} series)"),
    };
    _ = writeln!(
        text,
        "{:<8}{} × {}{series}",
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

/// One line a source: its size and the share of positives by label.
fn sources(text: &mut String, sources: &[SourceSummary]) {
    _ = write!(
        text,
        "\n{:<24}{:>9}{:>9}{:>9}",
        "source", "usable", "patients", "series"
    );
    for label in LABELS {
        let short: String = label.name().chars().take(12).collect();
        _ = write!(text, "{short:>14}");
    }
    text.push('\n');
    for source in sources {
        _ = write!(
            text,
            "{:<24}{:>9}{:>9}{:>9}",
            source.dataset, source.usable, source.patients, source.series
        );
        for share in source.prevalence {
            let share = share.map_or_else(|| "–".to_owned(), |p| format!("{:.2} %", 100.0 * p));
            _ = write!(text, "{share:>14}");
        }
        text.push('\n');
    }
    text.push('\n');
}

fn shortcut(text: &mut String, found: &Shortcut) {
    _ = writeln!(
        text,
        "metadata as a shortcut: log loss {:.4} beside {:.4} for the prevalence (skill {}); {} slices in {} groups ({})",
        found.log_loss,
        found.prevalence_log_loss,
        percent(found.skill),
        found.slices,
        found.groups,
        found.grouped_by,
    );
}

/// An area with its interval.
pub(super) fn estimate(area: &Estimate) -> String {
    match (area.low, area.high) {
        (Some(low), Some(high)) => format!("{:.3} ({low:.3} to {high:.3})", area.value),
        _ => format!("{:.3}", area.value),
    }
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share).replace('-', "−")
}
