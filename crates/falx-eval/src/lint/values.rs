//! What all values of a submission have in common, judged without knowing the truth.

use falx_core::{LABELS, Label, Probability, SUBTYPES};

use super::finding::{Problem, Tally};
use crate::scale::{Range, Scale};
use crate::text::{count, thousands};

/// Of fewer images nothing is said about how their values are distributed.
const ENOUGH: usize = 10;

/// The values of a submission, counted on the way.
#[derive(Debug, Default)]
pub(super) struct Values {
    range: Range,
    hard: u64,
    /// For each label its first value, that value's line, and whether all others are the same.
    labels: [Option<(f64, u64, bool)>; 6],
}

impl Values {
    /// Counts a value; NaN counts for nothing.
    pub(super) fn add(&mut self, line: u64, label: Label, value: f64) {
        if value.is_nan() {
            return;
        }
        self.range.add(value);
        self.hard += u64::from(value == 0.0 || value == 1.0);
        match &mut self.labels[label.index()] {
            Some((first, _, same)) => *same &= value.total_cmp(first).is_eq(),
            none => *none = Some((value, line, true)),
        }
    }

    /// Says what the values look like, and makes probabilities of them; NaN where a value is none.
    pub(super) fn settle(&self, values: &mut [[f64; 6]], tally: &mut Tally) {
        let scale = self.range.scale();
        let outside = || {
            format!(
                "{} below 0, {} above 1, of {}; from {} to {}",
                thousands(self.range.below),
                thousands(self.range.above),
                count(self.range.count, "value"),
                self.range.min,
                self.range.max
            )
        };
        match scale {
            Scale::Probabilities => {}
            Scale::Logits => tally.rename(Problem::OutOfRange, Problem::Logits, outside()),
            Scale::Percentages => {
                tally.rename(Problem::OutOfRange, Problem::Percentages, outside());
            }
        }
        for value in values.iter_mut().flatten() {
            if !value.is_nan() {
                *value = scale.probability(*value).map_or(f64::NAN, Probability::get);
            }
        }
        if values.len() >= ENOUGH {
            self.sameness(tally);
            softmax(values, tally);
        }
    }

    fn sameness(&self, tally: &mut Tally) {
        let of = |label: Label| self.labels[label.index()];
        let firsts: Vec<(Label, f64, u64)> = LABELS
            .into_iter()
            .filter_map(|label| {
                of(label).and_then(|(x, line, same)| same.then_some((label, x, line)))
            })
            .collect();
        match firsts.first() {
            Some(&(_, x, line))
                if firsts.len() == LABELS.len()
                    && firsts.iter().all(|f| f.1.total_cmp(&x).is_eq()) =>
            {
                tally.add(Problem::Constant, line, || format!("{x} everywhere"));
            }
            _ => {
                for (label, x, line) in firsts {
                    tally.add(Problem::ConstantLabel, line, || {
                        format!("{label}: {x} everywhere")
                    });
                }
                if self.range.count > 0 && self.hard == self.range.count {
                    let line = self.labels.iter().flatten().map(|l| l.1).min();
                    tally.add(Problem::HardLabels, line.unwrap_or(0), || {
                        count(self.hard, "value")
                    });
                }
            }
        }
    }
}

/// Nearly all images have values that add up to 1, over all six or over the five subtypes.
fn softmax(values: &[[f64; 6]], tally: &mut Tally) {
    const NEAR: f64 = 1e-3;
    let complete = || values.iter().filter(|row| row.iter().all(|v| !v.is_nan()));
    let images = complete().count();
    let constant = complete().all(|row| Some(row) == complete().next());
    if images < ENOUGH || constant {
        return;
    }
    let share = |sum: &dyn Fn(&[f64; 6]) -> f64| {
        complete()
            .filter(|row| (sum(row) - 1.0).abs() < NEAR)
            .count() as f64
            / images as f64
    };
    let hard = complete().flatten().all(|&v| v == 0.0 || v == 1.0);
    let all = share(&|row| row.iter().sum());
    let subtypes = share(&|row| SUBTYPES.iter().map(|s| row[s.index()]).sum());
    let of = if all > 0.95 {
        "all six"
    } else if subtypes > 0.95 {
        "the five subtypes"
    } else {
        return;
    };
    if !hard {
        tally.add(Problem::Softmax, 2, || {
            format!("{of}, in {}", count(images as u64, "image"))
        });
    }
}
