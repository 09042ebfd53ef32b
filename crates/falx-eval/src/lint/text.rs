//! The lint report as text.

use std::fmt::Write as _;

use super::{Finding, LintReport, Problem, Score, Severity};
use crate::text::{count, percent, thousands};

pub(super) fn report(r: &LintReport) -> String {
    let mut out = String::new();
    let number = |s: Severity| r.findings.iter().filter(|f| f.severity == s).count() as u64;
    let verdict = match (number(Severity::Error), number(Severity::Warning)) {
        (0, 0) => "valid".to_owned(),
        (0, w) => format!("valid, with {} of warnings", count(w, "kind")),
        (e, _) => format!("NOT VALID, {} of errors", count(e, "kind")),
    };
    let _ = writeln!(out, "{}: {verdict}", r.submission);
    let _ = writeln!(
        out,
        "{}; the sample {} has {} for {}",
        count(r.rows, "row"),
        r.sample,
        thousands(r.expected_rows),
        count(r.expected_images, "image")
    );
    for f in &r.findings {
        finding(&mut out, f);
    }
    if let Some(s) = &r.score {
        score(&mut out, s, r.is_clean());
    }
    out
}

fn finding(out: &mut String, f: &Finding) {
    let severity = match f.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let _ = writeln!(out, "\n{severity}: {} ({}×)", f.message, thousands(f.count));
    let file = match f.problem {
        Problem::Missing
        | Problem::Incomplete
        | Problem::SampleRepeats
        | Problem::RepeatsLeftOut => "sample line",
        _ => "line",
    };
    for example in &f.examples {
        let line = format!("  {file} {}: {}", example.line, example.text);
        out.push_str(line.trim_end_matches([' ', ':']));
        out.push('\n');
    }
    let shown = f.examples.len() as u64;
    if f.count > shown {
        let _ = writeln!(out, "  … and {} more", thousands(f.count - shown));
    }
    let _ = writeln!(out, "  remedy: {}", f.remedy);
}

fn score(out: &mut String, s: &Score, clean: bool) {
    let _ = writeln!(
        out,
        "\n{} {:.5} over {}",
        if clean {
            "would score"
        } else {
            "once valid, would score about"
        },
        s.weighted_log_loss,
        count(s.images, "image")
    );
    if s.not_scored > 0 {
        let _ = writeln!(
            out,
            "  {} not scored: no known labels, or no valid values",
            count(s.not_scored, "image")
        );
    }
    if let Some(loss) = s.with_repeated_rows {
        let _ = writeln!(
            out,
            "  {loss:.5} with the rows that the label file repeats, counted as often as they stand there"
        );
    }
    let skill = s.skill.map_or_else(
        || "skill undefined: one outcome only".to_owned(),
        |skill| format!("skill {}", percent(skill, 1)),
    );
    let _ = writeln!(
        out,
        "  predicting these images' prevalence {:.5} ({skill})\n  predicting 0.5 for everything       {:.5}",
        s.prevalence_log_loss, s.half_log_loss
    );
    if s.weighted_log_loss >= s.prevalence_log_loss {
        out.push_str(
            "  WORSE THAN NO SKILL: predicting prevalence for everything scores better.\n",
        );
    }
    let _ = writeln!(
        out,
        "\n{:<17}{:>9}{:>11}{:>13}",
        "label", "positive", "log loss", "prevalence's"
    );
    for l in &s.labels {
        let _ = writeln!(
            out,
            "{:<17}{:>9}{:>11.5}{:>13.5}",
            l.label.name(),
            thousands(l.positives),
            l.log_loss,
            l.baseline_log_loss
        );
    }
}
