//! The comparison as text.

use std::fmt::Write as _;

use super::{Comparison, Difference, EntryScores, Metric, runs_text};
use crate::text::{count, interval, p_value, skill, thousands, value};
use crate::{Estimate, Verdict};

/// The tables that the command line prints.
pub(super) fn comparison(c: &Comparison) -> String {
    let mut out = format!(
        "{} of {} that all entries have",
        count(c.slices, c.unit.one()),
        count(c.patients, "patient")
    );
    let left_out: Vec<String> = c
        .entries
        .iter()
        .filter(|e| e.left_out > 0)
        .map(|e| format!("{} of {}", thousands(e.left_out), e.name))
        .collect();
    if !left_out.is_empty() {
        let _ = write!(out, "; left out: {}", left_out.join(", "));
    }
    out.push_str("\n\n");
    let width = c.entries.iter().map(|e| e.name.chars().count()).max();
    let width = width.unwrap_or(0).max(5);
    losses(&mut out, c, width);
    runs_text::runs(&mut out, c);
    areas(&mut out, c, width);
    differences(&mut out, c, width);
    let _ = writeln!(out, "\nPublished, not measured here, on other cases:");
    for p in &c.published {
        // As many digits as were published.
        let loss = p.weighted_log_loss.to_string();
        let _ = writeln!(out, "{loss:<9}  {} ({})", p.name, p.on);
    }
    let _ = writeln!(
        out,
        "\nBrackets: 95 % interval over {} resamples of patients (seed {}). ~: too few cases or patients for more digits.",
        thousands(u64::from(c.replicates)),
        c.seed
    );
    for entry in &c.entries {
        if entry.evaluation.verdict == Verdict::WorseThanNoSkill {
            let _ = writeln!(out, "WORSE THAN NO SKILL: {}", entry.name);
        }
    }
    out
}

fn bracketed(e: &Estimate, digits: usize, few: bool) -> String {
    let ends = interval(e, digits, few);
    format!("{} ({ends})", value(e.value, digits, few))
}

fn losses(out: &mut String, c: &Comparison, width: usize) {
    let _ = writeln!(
        out,
        "{:<width$}  {:<27}{:<10}skill (interval)",
        "entry", "weighted log loss", "no skill"
    );
    for entry in &c.entries {
        let e = &entry.evaluation;
        let loss = bracketed(&e.weighted_log_loss, 4, false);
        let reference = e.baselines.first();
        let baseline =
            reference.map_or_else(|| "–".to_owned(), |b| value(b.weighted_log_loss, 4, false));
        let gained = skill(reference.and_then(|b| b.skill.as_ref()));
        let _ = writeln!(
            out,
            "{:<width$}  {loss:<27}{baseline:<10}{gained}",
            entry.name
        );
    }
    if let Some(first) = c.entries.first() {
        let others = first.evaluation.baselines.iter().skip(1);
        let others: Vec<String> = others
            .map(|b| format!("{} {:.4}", b.name, b.weighted_log_loss))
            .collect();
        if !others.is_empty() {
            let _ = writeln!(out, "On the same {}: {}.", c.unit.many(), others.join(", "));
        }
    }
}

fn areas(out: &mut String, c: &Comparison, width: usize) {
    let Some(first) = c.entries.first() else {
        return;
    };
    for (i, score) in first.evaluation.labels.iter().enumerate() {
        let _ = writeln!(
            out,
            "\n{}: {} of {}\n{:<width$}  {:<10}{:<26}{:<26}per study",
            score.label,
            count(score.positives, &format!("positive {}", c.unit.one())),
            count(score.positive_patients, "patient"),
            "entry",
            "log loss",
            "AUC",
            "average precision",
        );
        for entry in &c.entries {
            let _ = writeln!(out, "{}", row(entry, i, width).trim_end());
        }
    }
}

fn row(entry: &EntryScores, label: usize, width: usize) -> String {
    let e = &entry.evaluation;
    let Some(s) = e.labels.get(label) else {
        return entry.name.clone();
    };
    let scored = |x: Option<&Estimate>, few: bool| {
        x.map_or_else(|| "–".to_owned(), |x| bracketed(x, 3, few))
    };
    let study = e.study.as_ref().and_then(|study| study.labels.get(label));
    let study = study.map_or_else(String::new, |s| scored(s.auc.as_ref(), s.few));
    format!(
        "{:<width$}  {:<10}{:<26}{:<26}{study}",
        entry.name,
        s.log_loss
            .map_or_else(|| "–".to_owned(), |l| value(l.value, 4, s.few)),
        scored(s.auc.as_ref(), s.few),
        scored(s.average_precision.as_ref(), s.few),
    )
}

fn differences(out: &mut String, c: &Comparison, width: usize) {
    let _ = writeln!(
        out,
        "\nLess {}, paired (a loss is better lower, an AUC higher; p adjusted by Holm for {}):",
        c.reference,
        count(c.tests, "test")
    );
    let _ = writeln!(
        out,
        "{:<width$}  {:<24}{:<31}{:<9}adjusted",
        "entry", "score", "difference", "p"
    );
    for d in &c.differences {
        let _ = writeln!(out, "{}", difference(d, width).trim_end());
    }
}

fn difference(d: &Difference, width: usize) -> String {
    let digits = match d.metric {
        Metric::WeightedLogLoss => 4,
        Metric::Auc { .. } => 3,
    };
    let shown = d.difference.as_ref().map_or_else(
        || "–".to_owned(),
        |e| {
            let sign = if e.value < 0.0 { "−" } else { "+" };
            let size = e.value.abs();
            format!("{sign}{size:.digits$} ({})", interval(e, digits, false))
        },
    );
    let note = d.note.map_or_else(String::new, |note| note.to_string());
    format!(
        "{:<width$}  {:<24}{shown:<31}{:<9}{}",
        d.entry,
        d.metric.words(),
        p_value(d.p),
        d.p_holm.map_or(note, |p| p_value(Some(p))),
    )
}
