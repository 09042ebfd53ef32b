//! From a wish to a threshold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Confusion;
use crate::Outcomes;

/// What a threshold is to do. It is chosen by this on some cases and judged on others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rule {
    /// A threshold given beforehand.
    Fixed {
        /// The threshold.
        threshold: f64,
    },
    /// The highest threshold that finds at least this share of the positives.
    Sensitivity {
        /// The share.
        at_least: f64,
    },
    /// The lowest threshold that clears at least this share of the negatives.
    Specificity {
        /// The share.
        at_least: f64,
    },
    /// The threshold with the largest sum of sensitivity and specificity.
    Youden,
    /// The threshold with the least expected cost.
    Cost {
        /// What one missed positive costs, in false alarms.
        missed: f64,
        /// The share of positives where the test will be used; `None`: as among the cases.
        prevalence: Option<f64>,
    },
    /// The lowest threshold that calls at most this share of all cases.
    AlarmBudget {
        /// The share.
        at_most: f64,
    },
}

/// Why a rule gives no threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoThreshold {
    /// No case.
    #[error("there is no case to choose a threshold on")]
    NoCases,
    /// No case is positive.
    #[error("no positive case to choose a threshold on")]
    NoPositives,
    /// No case is negative.
    #[error("no negative case to choose a threshold on")]
    NoNegatives,
    /// Even the highest predictions break the rule.
    #[error("even calling the highest predictions alone breaks the rule")]
    OutOfReach,
    /// The rule's own number is none that it can have.
    #[error("the rule's number {value} is out of its range")]
    Number {
        /// What was given.
        value: f64,
    },
    /// Too few patients for the folds.
    #[error("{} with a case cannot be judged in {folds} folds", crate::text::count(*patients as u64, "patient"))]
    Folds {
        /// Patients there are.
        patients: usize,
        /// Folds wanted.
        folds: u32,
    },
}

/// The rule whose threshold the summary shows: nine of ten haemorrhages found, as far as other patients can promise it.
pub const HEADLINE_RULE: Rule = Rule::Sensitivity { at_least: 0.9 };

/// The rules that an evaluation shows when nobody asks for others: half, high sensitivity, high specificity, Youden's,
/// a missed haemorrhage worth twenty false alarms, and one study in ten flagged.
pub const RULES: [Rule; 7] = [
    Rule::Fixed { threshold: 0.5 },
    Rule::Sensitivity { at_least: 0.9 },
    Rule::Sensitivity { at_least: 0.95 },
    Rule::Specificity { at_least: 0.9 },
    Rule::Youden,
    Rule::Cost {
        missed: 20.0,
        prevalence: None,
    },
    Rule::AlarmBudget { at_most: 0.1 },
];

/// Room for the rounding of a share times a count.
const ROUNDING: f64 = 1e-9;

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Percentages are rounded to a ten-thousandth, so that 0.07 × 100 is written as 7.
        let percent = |share: f64| (share * 1e6).round() / 1e4;
        match *self {
            Self::Fixed { threshold } => write!(f, "prediction of at least {threshold}"),
            Self::Sensitivity { at_least } => {
                write!(f, "sensitivity of at least {} %", percent(at_least))
            }
            Self::Specificity { at_least } => {
                write!(f, "specificity of at least {} %", percent(at_least))
            }
            Self::Youden => write!(f, "largest sensitivity + specificity"),
            Self::Cost { missed, prevalence } => {
                write!(f, "least cost, one missed as {missed} false alarms")?;
                match prevalence {
                    Some(share) => write!(f, ", at a prevalence of {} %", percent(share)),
                    None => Ok(()),
                }
            }
            Self::AlarmBudget { at_most } => write!(f, "at most {} % called", percent(at_most)),
        }
    }
}

impl Rule {
    /// The threshold that the rule chooses on these cases: one of their predictions (or the fixed one).
    ///
    /// Among thresholds that serve a rule equally well, the lowest is taken: it misses least.
    ///
    /// # Errors
    /// [`NoThreshold`] where the rule's number is out of range, a class that it needs is missing, or no prediction
    /// keeps it.
    pub fn choose(&self, outcomes: &Outcomes) -> Result<f64, NoThreshold> {
        self.choose_among(&Steps::new(outcomes.iter().map(|(t, p, _)| (t, p))))
    }

    pub(super) fn choose_among(&self, steps: &Steps) -> Result<f64, NoThreshold> {
        self.check()?;
        if let Self::Fixed { threshold } = *self {
            return Ok(threshold);
        }
        let total = steps.total;
        if total.cases() == 0 {
            return Err(NoThreshold::NoCases);
        }
        let needs = match self {
            Self::Sensitivity { .. } => (true, false),
            Self::Specificity { .. } => (false, true),
            Self::Youden | Self::Cost { .. } => (true, true),
            Self::AlarmBudget { .. } | Self::Fixed { .. } => (false, false),
        };
        if needs.0 && total.positives() == 0 {
            return Err(NoThreshold::NoPositives);
        }
        if needs.1 && total.negatives() == 0 {
            return Err(NoThreshold::NoNegatives);
        }
        let chosen = match *self {
            Self::Fixed { threshold } => Some(threshold),
            Self::Sensitivity { at_least } => {
                let wanted = at_least * total.positives() as f64 - ROUNDING;
                steps.first(|c| c.true_positives as f64 >= wanted)
            }
            Self::Specificity { at_least } => {
                let wanted = at_least * total.negatives() as f64 - ROUNDING;
                steps.last_while(|c| c.true_negatives as f64 >= wanted)
            }
            Self::AlarmBudget { at_most } => {
                let allowed = at_most * total.cases() as f64 + ROUNDING;
                steps.last_while(|c| c.called() as f64 <= allowed)
            }
            Self::Youden => {
                let whole = |n: u64| i128::from(n);
                steps.best(|c| {
                    whole(c.true_positives) * whole(total.negatives())
                        - whole(c.false_positives) * whole(total.positives())
                })
            }
            Self::Cost { missed, prevalence } => {
                let share =
                    prevalence.unwrap_or_else(|| total.positives() as f64 / total.cases() as f64);
                let of_missed = missed * share / total.positives() as f64;
                let of_alarm = (1.0 - share) / total.negatives() as f64;
                steps.best(|c| {
                    Ordered(
                        -(of_missed * c.false_negatives as f64
                            + of_alarm * c.false_positives as f64),
                    )
                })
            }
        };
        chosen.ok_or(NoThreshold::OutOfReach)
    }

    fn check(&self) -> Result<(), NoThreshold> {
        let share = |value: f64| {
            let fine = (0.0..=1.0).contains(&value);
            fine.then_some(()).ok_or(NoThreshold::Number { value })
        };
        match *self {
            Self::Fixed { threshold: value } if !value.is_finite() => {
                Err(NoThreshold::Number { value })
            }
            Self::Fixed { .. } | Self::Youden => Ok(()),
            Self::Sensitivity { at_least: value }
            | Self::Specificity { at_least: value }
            | Self::AlarmBudget { at_most: value } => share(value),
            Self::Cost { missed, prevalence } => {
                if !(missed.is_finite() && missed > 0.0) {
                    return Err(NoThreshold::Number { value: missed });
                }
                prevalence.map_or(Ok(()), share)
            }
        }
    }
}

/// The counts at every distinct prediction, from the highest down.
pub(super) struct Steps {
    steps: Vec<(f64, Confusion)>,
    total: Confusion,
}

impl Steps {
    pub(super) fn new(cases: impl Iterator<Item = (bool, f64)>) -> Self {
        let mut cases: Vec<(bool, f64)> = cases.collect();
        // Cases mostly come in rising order, and what is sorted already sorts at once.
        cases.reverse();
        cases.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        let mut now = Confusion::default();
        for &(truth, _) in &cases {
            now.count(truth, false, 1);
        }
        let total = now;
        let mut steps: Vec<(f64, Confusion)> = Vec::new();
        for (truth, prediction) in cases {
            if truth {
                now.false_negatives -= 1;
                now.true_positives += 1;
            } else {
                now.true_negatives -= 1;
                now.false_positives += 1;
            }
            match steps.last_mut() {
                // 0.0 and -0.0 are the same threshold.
                Some((threshold, counts)) if *threshold == prediction => *counts = now,
                _ => steps.push((prediction, now)),
            }
        }
        Self { steps, total }
    }

    fn first(&self, fits: impl Fn(&Confusion) -> bool) -> Option<f64> {
        let found = self.steps.iter().find(|(_, counts)| fits(counts));
        found.map(|&(threshold, _)| threshold)
    }

    fn last_while(&self, fits: impl Fn(&Confusion) -> bool) -> Option<f64> {
        let fitting = self.steps.iter().take_while(|(_, counts)| fits(counts));
        fitting.last().map(|&(threshold, _)| threshold)
    }

    fn best<T: Ord>(&self, of: impl Fn(&Confusion) -> T) -> Option<f64> {
        // `max_by_key` gives the last of equals: the lowest threshold.
        let best = self.steps.iter().max_by_key(|(_, counts)| of(counts));
        best.map(|&(threshold, _)| threshold)
    }
}

/// A finite number in its order.
#[derive(PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
