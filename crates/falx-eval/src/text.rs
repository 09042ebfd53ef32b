//! The evaluation as text, and how numbers are written in text and page alike.

mod groups;

use std::fmt::Write as _;

use crate::{Baseline, Estimate, Evaluation, LabelScore, StudyScores, UnitOfAnalysis, Verdict};

/// A whole number with thousands separated.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and what is counted.
pub fn count(n: u64, what: &str) -> String {
    let plural = match (n, what.strip_suffix('y')) {
        (1, _) => what.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) if what.ends_with('s') => what.to_owned(),
        (_, None) => format!("{what}s"),
    };
    format!("{} {plural}", thousands(n))
}

/// A length of time in two units at most.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let seconds = seconds.round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..172_800 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Words as a list.
pub(crate) fn joined(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A score's value; where cases are few, fewer digits and a tilde.
pub(crate) fn value(value: f64, digits: usize, few: bool) -> String {
    if few {
        format!("~{}", minus(&format!("{value:.0$}", few_digits(digits))))
    } else {
        minus(&format!("{value:.digits$}"))
    }
}

/// An area's three digits become two; a loss keeps three of its four, for rare labels' losses are small.
const fn few_digits(digits: usize) -> usize {
    if digits > 3 { 3 } else { 2 }
}

/// A threshold with so many digits that it reads neither as 0 nor as 1 unless it is.
pub(crate) fn threshold(t: f64) -> String {
    let rounded_off = |digits: usize| {
        let text = format!("{t:.digits$}");
        let read = text.parse::<f64>().unwrap_or(t);
        (read <= 0.0 && t > 0.0) || (read >= 1.0 && t < 1.0) || (t < 0.1 && read < 0.01)
    };
    let digits = (3..12).find(|&digits| !rounded_off(digits)).unwrap_or(12);
    format!("{t:.digits$}")
}

/// An interval, or a dash.
pub(crate) fn interval(e: &Estimate, digits: usize, few: bool) -> String {
    let digits = if few { few_digits(digits) } else { digits };
    match (e.low, e.high) {
        (Some(low), Some(high)) => minus(&format!("{low:.digits$} to {high:.digits$}")),
        _ => "–".to_owned(),
    }
}

/// A share as a percentage.
pub(crate) fn percent(share: f64, digits: usize) -> String {
    minus(&format!("{:.digits$} %", share * 100.0))
}

/// Numbers, a space apart, with a minus sign instead of a hyphen; what rounds to nothing has no sign.
fn minus(numbers: &str) -> String {
    let signed = |word: &str| match word.strip_prefix('-') {
        Some(rest) if !rest.contains(|c: char| ('1'..='9').contains(&c)) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => word.to_owned(),
    };
    let words: Vec<String> = numbers.split(' ').map(signed).collect();
    words.join(" ")
}

/// A p-value with as many digits as it is worth.
pub(crate) fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "<0.001".to_owned(),
        Some(p) if p < 0.1 => format!("{p:.3}"),
        Some(p) => format!("{p:.2}"),
    }
}

/// A score with its interval: "0.967 (0.945 to 0.979)", "~0.99, no interval".
pub(crate) fn with_interval(e: &Estimate, digits: usize, few: bool) -> String {
    let scored = value(e.value, digits, few);
    if e.low.is_some() && e.high.is_some() {
        format!("{scored} ({})", interval(e, digits, few))
    } else {
        format!("{scored}, no interval")
    }
}

/// A skill: "64.9 % (60.1 to 69.0)".
pub(crate) fn skill(skill: Option<&Estimate>) -> String {
    let Some(skill) = skill else {
        return "undefined (one outcome only)".to_owned();
    };
    let scaled = Estimate {
        value: skill.value,
        low: skill.low.map(|x| x * 100.0),
        high: skill.high.map(|x| x * 100.0),
    };
    format!(
        "{} ({})",
        percent(skill.value, 1),
        interval(&scaled, 1, false).replace('–', "no interval")
    )
}

/// Why a study's loss is often poor where its AUC is good.
pub(crate) const STUDY_LOSS: &str = "The highest of many slices is no calibrated probability, so this loss is high; the order (AUC) may still be useful.";

/// One sentence on how a loss stands to its reference.
pub(crate) fn verdict(verdict: Verdict, reference: &str) -> String {
    match verdict {
        Verdict::Skill => format!("Better than the {reference}."),
        Verdict::Unclear => {
            format!(
                "Cannot be told from no skill (the {reference}): the interval includes zero skill, or there is none."
            )
        }
        Verdict::WorseThanNoSkill => {
            format!("WORSE THAN NO SKILL: the {reference} for everything has the lower loss.")
        }
    }
}

/// The table that the command line prints.
pub(crate) fn evaluation(e: &Evaluation) -> String {
    let mut out = String::new();
    let patients = count(e.patients, "patient");
    let (level, cohort) = match e.unit {
        UnitOfAnalysis::Slice => (
            "Per slice",
            format!("{} of {patients}", count(e.slices, "slice")),
        ),
        UnitOfAnalysis::Study if e.predicted() == UnitOfAnalysis::Study => (
            "Per study",
            format!(
                "{} of {patients}, each predicted as a whole",
                count(e.slices, "study")
            ),
        ),
        UnitOfAnalysis::Study => (
            "Per study",
            format!(
                "{patients}, predicted from {}; only whole studies have a truth",
                count(e.slices, "slice")
            ),
        ),
    };
    head(&mut out, level, &cohort, &e.weighted_log_loss);
    body(&mut out, e.verdict, &e.baselines, &e.labels);
    if let Some(study) = &e.study {
        out.push('\n');
        study_text(&mut out, study);
    }
    as_a_test(&mut out, e);
    beyond_scores(&mut out, e);
    if let Some(subgroups) = &e.subgroups {
        groups::subgroups(&mut out, subgroups);
    }
    if let Some(readers) = &e.readers {
        groups::readers(&mut out, readers);
    }
    let resamples = thousands(u64::from(e.replicates));
    let _ = writeln!(
        out,
        "\nBrackets: 95 % interval over {resamples} resamples of patients (seed {}). ~: too few cases or patients for more digits.",
        e.seed
    );
    if !e.warnings.is_empty() {
        out.push_str("\nMind:\n");
        for warning in &e.warnings {
            let _ = writeln!(out, "- {warning}");
        }
    }
    out
}

/// What a clinician asks first, in the page's own sentences.
fn as_a_test(out: &mut String, e: &Evaluation) {
    let summary = crate::summary::of(e);
    if let Some(d) = summary.detection {
        out.push_str("\nAs a test of any:\n");
        for sentence in [
            d.found_sentence(),
            d.alarm_sentence(),
            d.threshold_sentence(),
        ] {
            let _ = writeln!(out, "{sentence}");
        }
    }
    if let Some(calibration) = summary.calibration {
        // A sentence a line keeps lines short.
        let _ = writeln!(
            out,
            "\nCalibration of any:\n{}",
            calibration.replace(". ", ".\n")
        );
    }
}

/// What abstaining buys, and what a work list gains: over studies where there are any, for a clinic acts on these.
fn beyond_scores(out: &mut String, e: &Evaluation) {
    let mut block = |head: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{head}:\n{}", lines.join("\n"));
        }
    };
    if let Some(abstention) = &e.abstention {
        let (level, unit) = match (&abstention.study, e.unit) {
            (Some(study), _) => (study, "studies"),
            (None, UnitOfAnalysis::Study) => (&abstention.main, "studies"),
            (None, UnitOfAnalysis::Slice) => (&abstention.main, "slices"),
        };
        block("Abstaining on any", crate::abstention::lines(level, unit));
    }
    if let Some(gain) = &e.worklist {
        block(
            "On a simulated work list, what it flags first",
            crate::worklist::lines(gain),
        );
    }
}

fn study_text(out: &mut String, s: &StudyScores) {
    let cohort = format!(
        "{} of {}; a study's prediction is {}",
        count(s.studies, "study"),
        count(s.patients, "patient"),
        s.aggregation.words()
    );
    head(out, "Per study", &cohort, &s.weighted_log_loss);
    if s.verdict == Verdict::WorseThanNoSkill {
        let _ = writeln!(out, "{STUDY_LOSS}");
    }
    body(out, s.verdict, &s.baselines, &s.labels);
}

fn head(out: &mut String, level: &str, cohort: &str, loss: &Estimate) {
    let _ = writeln!(out, "{level}: {cohort}");
    let _ = writeln!(
        out,
        "weighted log loss  {}  ({})",
        value(loss.value, 4, false),
        interval(loss, 4, false).replace('–', "no interval")
    );
}

fn body(out: &mut String, stands: Verdict, baselines: &[Baseline], labels: &[LabelScore]) {
    if let Some(reference) = baselines.first() {
        let _ = writeln!(out, "{}", verdict(stands, &reference.name));
    }
    let _ = writeln!(
        out,
        "\n{:<34}{:>8}   skill of these predictions",
        "no-skill baseline", "loss"
    );
    for b in baselines {
        let loss = value(b.weighted_log_loss, 4, false);
        let _ = writeln!(out, "{:<34}{loss:>8}   {}", b.name, skill(b.skill.as_ref()));
    }
    let _ = writeln!(
        out,
        "\n{:<17}{:>9}{:>10}  {:>8}{:>10}   {:<24}average precision",
        "label", "positive", "patients", "log loss", "baseline", "AUC"
    );
    for s in labels {
        out.push_str(label_line(s).trim_end());
        out.push('\n');
    }
}

fn label_line(s: &LabelScore) -> String {
    let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| value(x, 4, s.few));
    let scored = |x: Option<&Estimate>| {
        x.map_or_else(
            || "–".to_owned(),
            |x| format!("{} ({})", value(x.value, 3, s.few), interval(x, 3, s.few)),
        )
    };
    format!(
        "{:<17}{:>9}{:>10}  {:>8}{:>10}   {:<24}{}",
        s.label.name(),
        thousands(s.positives),
        thousands(s.positive_patients),
        number(s.log_loss.map(|l| l.value)),
        number(s.baseline_log_loss),
        scored(s.auc.as_ref()),
        scored(s.average_precision.as_ref())
    )
}
