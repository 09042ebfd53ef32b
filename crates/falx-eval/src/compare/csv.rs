//! The comparison as a CSV for other people's tables.

use std::fmt::Write as _;

use super::{Comparison, RunFacts};
use crate::{Baseline, Estimate, LabelScore};

const HEADER: &str = "entry,level,label,score,value,low,high,p,p_holm";

/// One row a score; then what the runs were, and differences to the reference with their p-values.
pub(super) fn comparison(c: &Comparison) -> String {
    let mut out = format!("{HEADER}\n");
    for entry in &c.entries {
        let e = &entry.evaluation;
        let mut level =
            |level: &str, loss: &Estimate, labels: &[LabelScore], baselines: &[Baseline]| {
                let mut row = |label: &str, score: &str, value: &Estimate| {
                    line(
                        &mut out,
                        &[&entry.name, level, label, score],
                        value,
                        [None; 2],
                    );
                };
                row("", "weighted_log_loss", loss);
                for b in baselines {
                    let plain = Estimate {
                        value: b.weighted_log_loss,
                        low: None,
                        high: None,
                    };
                    row("", &format!("weighted_log_loss of {}", b.name), &plain);
                    if let Some(skill) = &b.skill {
                        row("", &format!("skill against {}", b.name), skill);
                    }
                }
                for s in labels {
                    let scores = [
                        ("log_loss", s.log_loss),
                        ("auc", s.auc),
                        ("average_precision", s.average_precision),
                    ];
                    for (score, value) in scores {
                        if let Some(value) = value {
                            row(s.label.name(), score, &value);
                        }
                    }
                }
            };
        level(c.unit.one(), &e.weighted_log_loss, &e.labels, &e.baselines);
        if let Some(s) = &e.series {
            level("series", &s.weighted_log_loss, &s.labels, &s.baselines);
        }
        if let Some(s) = &e.study {
            level("study", &s.weighted_log_loss, &s.labels, &s.baselines);
        }
    }
    for entry in &c.entries {
        if let Some(run) = &entry.run {
            of_run(&mut out, &entry.name, run);
        }
    }
    for d in &c.differences {
        let Some(difference) = &d.difference else {
            continue;
        };
        let (label, score) = match d.metric {
            super::Metric::WeightedLogLoss => ("", "weighted_log_loss"),
            super::Metric::Auc { label } => (label.name(), "auc"),
        };
        let score = format!("{score} less {}", c.reference);
        line(
            &mut out,
            &[&d.entry, c.unit.one(), label, &score],
            difference,
            [d.p, d.p_holm],
        );
    }
    out
}

fn line(out: &mut String, words: &[&str], value: &Estimate, p: [Option<f64>; 2]) {
    for word in words {
        let _ = write!(out, "{},", quoted(word));
    }
    let _ = write!(out, "{}", value.value);
    for number in [value.low, value.high, p[0], p[1]] {
        out.push(',');
        if let Some(number) = number {
            let _ = write!(out, "{number}");
        }
    }
    out.push('\n');
}

/// A word as a cell: names are the user's own.
pub(super) fn quoted(word: &str) -> String {
    if word.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", word.replace('"', "\"\""))
    } else {
        word.to_owned()
    }
}

/// What a run was, in numbers: one row each, on no level of scores.
fn of_run(out: &mut String, name: &str, run: &RunFacts) {
    let count = |n: u64| Some(n as f64);
    let (best, last) = (run.best(), run.last());
    let timing = run.timing;
    let numbers = [
        ("parameters", count(run.parameters)),
        ("trained_parameters", count(run.trained_parameters)),
        ("multiply_adds", count(run.multiply_adds)),
        ("training_slices", count(run.training.slices)),
        ("validation_slices", count(run.validation.slices)),
        ("judged_slices", count(run.judged.slices)),
        ("epochs", count(run.epochs.len() as u64)),
        ("best_epoch", run.best_epoch.and_then(count)),
        ("best_training_loss", best.map(|line| line.training_loss)),
        (
            "best_validation_loss",
            best.map(|line| line.validation_loss),
        ),
        (
            "validation_no_skill",
            best.map(|line| line.validation_baseline),
        ),
        ("last_training_loss", last.map(|line| line.training_loss)),
        ("training_no_skill", run.training_baseline),
        ("training_seconds", timing.map(|t| t.training_seconds)),
        ("slices_per_second", timing.map(|t| t.slices_per_second)),
    ];
    for (score, value) in numbers {
        let Some(value) = value else {
            continue;
        };
        let plain = Estimate {
            value,
            low: None,
            high: None,
        };
        line(out, &[name, "run", "", score], &plain, [None; 2]);
    }
}
