//! The evaluation in a minute: sentences that a clinician reads first. The page, the model card and the check-lists share
//! them, so that they cannot disagree.

use falx_core::Label;

use crate::operating::{ChosenOn, Confusion, HEADLINE_RULE};
use crate::text::{count, interval, joined, percent, thousands, threshold, value};
use crate::warnings::one_outcome_only;
use crate::{Calibration, Estimate, Evaluation, LabelScore, UnitOfAnalysis, Verdict};

/// A share as a natural frequency: so many of 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfHundred {
    /// The share with its interval, from 0 to 1.
    pub share: Estimate,
    /// Cases behind it.
    pub cases: u64,
}

impl OfHundred {
    /// The whole number nearest to the share of 100.
    ///
    /// A share that is not quite all or none never reads as all or none.
    pub fn number(&self) -> u32 {
        whole(self.share.value)
    }

    /// "91 (85 to 95)".
    pub fn words(&self) -> String {
        match (self.share.low, self.share.high) {
            (Some(low), Some(high)) => {
                format!("{} ({} to {})", self.number(), whole(low), whole(high))
            }
            _ => self.number().to_string(),
        }
    }
}

fn whole(share: f64) -> u32 {
    let of_hundred = (share * 100.0).round().clamp(0.0, 100.0);
    if of_hundred >= 100.0 && share < 1.0 {
        99
    } else if of_hundred <= 0.0 && share > 0.0 {
        1
    } else {
        of_hundred as u32
    }
}

/// What the predictions of `any` do as a test, in natural frequencies.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// What is called positive or negative, in the plural: patients, studies or slices.
    pub unit: &'static str,
    /// How the threshold was chosen.
    pub rule: String,
    /// The threshold.
    pub threshold: f64,
    /// On whom the threshold was chosen.
    pub chosen_on: ChosenOn,
    /// Of those with a haemorrhage, how many are found.
    pub found: OfHundred,
    /// Of those without, how many raise an alarm all the same.
    pub alarms: OfHundred,
    /// The counts behind both.
    pub counts: Confusion,
}

/// The evaluation in sentences.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// How the predictions stand to no skill.
    pub verdict: Verdict,
    /// The verdict in a few words.
    pub headline: String,
    /// The verdict with its figures.
    pub comparison: String,
    /// What was tested on whom: (how many, of what).
    pub tested: Vec<(u64, String)>,
    /// What the predictions do as a test, where both classes were seen.
    pub detection: Option<Detection>,
    /// Whether probabilities can be taken at their word.
    pub calibration: Option<String>,
    /// What must not be concluded.
    pub not_to_conclude: Vec<String>,
}

impl Detection {
    /// "Of 100 studies with a haemorrhage it finds 91 (85 to 95)."
    pub fn found_sentence(&self) -> String {
        let (unit, found) = (self.unit, self.found.words());
        format!("Of 100 {unit} with a haemorrhage it finds {found}.")
    }

    /// "Of 100 studies without one it raises a false alarm in 12 (9 to 15)."
    pub fn alarm_sentence(&self) -> String {
        let (unit, alarms) = (self.unit, self.alarms.words());
        format!("Of 100 {unit} without one it raises a false alarm in {alarms}.")
    }

    /// Where the threshold comes from.
    pub fn threshold_sentence(&self) -> String {
        let at = format!(
            "Alarm at a probability of at least {}",
            threshold(self.threshold)
        );
        match self.chosen_on {
            ChosenOn::Fixed => format!("{at}, fixed beforehand."),
            ChosenOn::Development | ChosenOn::OtherFolds => {
                format!("{at} ({}), {}.", self.rule, self.chosen_on.words())
            }
            ChosenOn::SameCases => format!(
                "{at} ({}), chosen on these same cases: too good to be expected elsewhere.",
                self.rule
            ),
        }
    }
}

/// The summary of an evaluation.
pub fn of(e: &Evaluation) -> Summary {
    Summary {
        verdict: e.verdict,
        headline: if one_outcome_only(&e.baselines) {
            "Skill cannot be judged here".to_owned()
        } else {
            headline(e.verdict).to_owned()
        },
        comparison: comparison(e),
        tested: tested(e),
        detection: detection(e),
        calibration: calibration(e),
        not_to_conclude: not_to_conclude(e),
    }
}

/// The verdict as one word for tables, as its JSON has it.
pub(crate) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Skill => "skill",
        Verdict::Unclear => "unclear",
        Verdict::WorseThanNoSkill => "worse_than_no_skill",
    }
}

const fn headline(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Skill => "Better than no skill",
        Verdict::Unclear => "Cannot be told from no skill",
        Verdict::WorseThanNoSkill => "WORSE THAN NO SKILL",
    }
}

fn comparison(e: &Evaluation) -> String {
    let loss = value(e.weighted_log_loss.value, 4, false);
    let Some(reference) = e.baselines.first() else {
        return format!("The weighted log loss is {loss}; there is nothing to compare it with.");
    };
    let (name, baseline) = (
        &reference.name,
        value(reference.weighted_log_loss, 4, false),
    );
    if one_outcome_only(&e.baselines) {
        return format!(
            "Its weighted log loss is {loss}, but every label has one outcome only here: skill shows where some have a haemorrhage \
             and some have none."
        );
    }
    match e.verdict {
        Verdict::Skill => {
            let gain = reference.skill.map_or_else(String::new, |skill| {
                let whole = Estimate {
                    value: skill.value * 100.0,
                    low: skill.low.map(|x| x * 100.0),
                    high: skill.high.map(|x| x * 100.0),
                };
                format!(
                    ", {} ({}) less",
                    percent(skill.value, 0),
                    interval(&whole, 0, false)
                )
            });
            format!(
                "Its weighted log loss is {loss}; predicting the {name} for everything, without looking, has {baseline}{gain}."
            )
        }
        Verdict::Unclear => format!(
            "Its weighted log loss is {loss} and that of the {name}, predicted for everything without looking, {baseline}: on so few cases the difference may be chance."
        ),
        Verdict::WorseThanNoSkill => format!(
            "Predicting the {name} for everything, without looking, has the lower weighted log loss: {baseline} against {loss}. These probabilities must not be used as they are."
        ),
    }
}

fn any(labels: &[LabelScore]) -> Option<&LabelScore> {
    labels.iter().find(|s| s.label == Label::Any)
}

fn tested(e: &Evaluation) -> Vec<(u64, String)> {
    let of = |n: u64, what: &str| {
        let words = count(n, what);
        let word = words.split_once(' ').map_or("", |(_, word)| word);
        (n, word.to_owned())
    };
    let mut rows = vec![of(e.patients, "patient")];
    if let Some(any) = any(&e.labels) {
        rows.push((any.positive_patients, "with a haemorrhage".to_owned()));
    }
    let of_studies = e.study.as_ref().map(|s| s.studies);
    let studies = of_studies.or_else(|| match e.unit {
        UnitOfAnalysis::Slice => None,
        UnitOfAnalysis::Study => any(&e.labels).map(|s| s.known),
    });
    rows.extend(studies.map(|n| of(n, "study")));
    if e.predicted() == UnitOfAnalysis::Slice {
        rows.push(of(e.slices, "slice"));
    }
    rows
}

/// What the scores of `any` count, and the scores: at the level that a clinic acts on, the study, where it is known.
fn level(e: &Evaluation) -> Option<(&'static str, &LabelScore)> {
    let studies = |studies: u64| {
        if studies == e.patients {
            "patients"
        } else {
            "studies"
        }
    };
    if let Some(study) = &e.study {
        return Some((studies(study.studies), any(&study.labels)?));
    }
    let score = any(&e.labels)?;
    let unit = match e.unit {
        UnitOfAnalysis::Slice => "slices",
        UnitOfAnalysis::Study => studies(score.known),
    };
    Some((unit, score))
}

/// A locked threshold's performance where there is one; else a threshold that these cases did not choose before one that
/// they did.
fn detection(e: &Evaluation) -> Option<Detection> {
    let (unit, score) = level(e)?;
    locked(unit, score).or_else(|| plain(unit, score))
}

fn locked(unit: &'static str, score: &LabelScore) -> Option<Detection> {
    let point = score.locked_points.as_ref()?.of(&HEADLINE_RULE)?;
    let (counts, specificity) = (point.test.confusion, point.test.specificity?);
    let less = |x: f64| 1.0 - x;
    Some(Detection {
        unit,
        rule: point.name.clone(),
        threshold: point.threshold,
        chosen_on: point.chosen_on,
        found: OfHundred {
            share: point.test.sensitivity?,
            cases: counts.true_positives + counts.false_negatives,
        },
        alarms: OfHundred {
            share: Estimate {
                value: less(specificity.value),
                low: specificity.high.map(less),
                high: specificity.low.map(less),
            },
            cases: counts.false_positives + counts.true_negatives,
        },
        counts,
    })
}

fn plain(unit: &'static str, score: &LabelScore) -> Option<Detection> {
    let points = &score.operating_points;
    let fixed = points.iter().find(|p| p.chosen_on != ChosenOn::SameCases);
    let point = fixed.or_else(|| points.first())?;
    let share = |part: u64, rest: u64| OfHundred {
        share: Estimate {
            value: part as f64 / (part + rest) as f64,
            low: None,
            high: None,
        },
        cases: part + rest,
    };
    Some(Detection {
        unit,
        rule: point.rule.clone(),
        threshold: point.threshold,
        chosen_on: point.chosen_on,
        found: share(point.true_positives, point.false_negatives),
        alarms: share(point.false_positives, point.true_negatives),
        counts: Confusion {
            true_positives: point.true_positives,
            false_positives: point.false_positives,
            true_negatives: point.true_negatives,
            false_negatives: point.false_negatives,
        },
    })
}

/// Over what the main scores count: their probabilities are the network's own, not the highest of several.
fn calibration(e: &Evaluation) -> Option<String> {
    let of_any = &any(&e.labels)?.calibration;
    let bins = &of_any.bins;
    let cases: u64 = bins.iter().map(|b| b.count).sum();
    if cases == 0 {
        return None;
    }
    let mean = |of: &dyn Fn(&crate::Bin) -> f64| {
        bins.iter().map(|b| of(b) * b.count as f64).sum::<f64>() / cases as f64
    };
    let (predicted, observed) = (mean(&|b| b.predicted), mean(&|b| b.observed.value));
    let side = if (predicted - observed).abs() <= 0.1 * observed {
        "about as many"
    } else if predicted > observed {
        "too many"
    } else {
        "too few"
    };
    let unit = match e.unit {
        UnitOfAnalysis::Slice => "slices",
        UnitOfAnalysis::Study => "studies",
    };
    Some(format!(
        "It expects a haemorrhage in {} of the {unit} and {} have one: {side}. Its probabilities are off by {} percentage points \
         on average{}.",
        percent(predicted, 1),
        percent(observed, 1),
        value(of_any.expected_error * 100.0, 1, false),
        extremes(of_any)
    ))
}

/// What the slope says, where its interval says it too.
fn extremes(c: &Calibration) -> String {
    let words = match c.slope.map(|slope| (slope, slope.low, slope.high)) {
        Some((_, _, Some(high))) if high < 1.0 => "too extreme",
        Some((_, Some(low), _)) if low > 1.0 => "too timid",
        _ => return String::new(),
    };
    let slope = c.slope.map_or_else(String::new, |slope| {
        format!(
            "{} ({})",
            value(slope.value, 2, false),
            interval(&slope, 2, false)
        )
    });
    format!(", and {words} (calibration slope {slope}; 1 is right)")
}

fn not_to_conclude(e: &Evaluation) -> Vec<String> {
    let mut found = Vec::new();
    if e.verdict == Verdict::WorseThanNoSkill {
        found.push(
            "That these probabilities can be used as they are: no skill does better.".to_owned(),
        );
    }
    if let Some(d) = detection(e).filter(|d| d.found.share.value < 1.0) {
        let missed = d.counts.false_negatives;
        found.push(format!(
            "That no alarm means no haemorrhage: {} of {} {} with one {} missed.",
            thousands(missed),
            thousands(d.found.cases),
            d.unit,
            if missed == 1 { "was" } else { "were" }
        ));
    }
    let few: Vec<&str> = e
        .labels
        .iter()
        .filter(|s| s.few)
        .map(|s| s.label.name())
        .collect();
    if !few.is_empty() {
        found.push(format!(
            "Anything firm about {}: too few positive cases or patients.",
            joined(&few)
        ));
    }
    found.push(
        "That it does the same at another hospital, on another scanner or among other patients than those tested."
            .to_owned(),
    );
    found.push(
        "That patients fare better with it: nothing here measures what is done with its answers."
            .to_owned(),
    );
    found
}

#[cfg(test)]
mod tests;
