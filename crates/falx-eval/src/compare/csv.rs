//! The comparison as a CSV for other people's tables.

use std::fmt::Write as _;

use super::Comparison;
use crate::{Baseline, Estimate, LabelScore};

const HEADER: &str = "entry,level,label,score,value,low,high,p,p_holm";

/// One row a score; differences to the reference come last, with their p-values.
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
        // Names are the user's own.
        let needs_quotes = word.contains([',', '"', '\n', '\r']);
        if needs_quotes {
            let _ = write!(out, "\"{}\",", word.replace('"', "\"\""));
        } else {
            let _ = write!(out, "{word},");
        }
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
