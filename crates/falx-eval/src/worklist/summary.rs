//! From what became of each study to means and their intervals.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::assumptions::{Assumptions, Detector, Discipline};
use super::gain::{Assumed, DisciplineResult, Gain, Group, GroupResult, Times, WorklistGain};
use super::queue::Read;
use super::theory::{self, Kind};
use crate::Estimate;
use crate::resampling::quantile;

/// Times of a kind of study in one replication: mean, median, 90th and 95th percentile, share above the target.
type Five = [f64; 5];

/// One replication of one order, by kind of study in [`Group::ALL`]'s order.
pub(super) struct Summary {
    groups: [Option<GroupTimes>; 5],
}

#[derive(Clone, Copy)]
struct GroupTimes {
    studies: u64,
    wait: Five,
    turnaround: Five,
}

impl Summary {
    pub(super) fn new(read: &[Read], target: f64) -> Self {
        let groups = Group::ALL.map(|group| {
            let of = || read.iter().filter(move |r| belongs(r, group));
            Some(GroupTimes {
                studies: of().count() as u64,
                wait: five(of().map(|r| r.wait).collect(), target)?,
                turnaround: five(of().map(|r| r.turnaround).collect(), target)?,
            })
        });
        Self { groups }
    }
}

const fn belongs(read: &Read, group: Group) -> bool {
    let (positive, flagged) = (read.study.positive, read.study.flagged);
    match group {
        Group::All => true,
        Group::Positive => positive,
        Group::Negative => !positive,
        Group::Missed => positive && !flagged,
        Group::FalseAlarm => !positive && flagged,
    }
}

fn five(mut minutes: Vec<f64>, target: f64) -> Option<Five> {
    let mean = minutes.iter().sum::<f64>() / minutes.len() as f64;
    minutes.sort_unstable_by(f64::total_cmp);
    let over = minutes.len() - minutes.partition_point(|&m| m <= target);
    Some([
        mean,
        quantile(&minutes, 0.5)?,
        quantile(&minutes, 0.9)?,
        quantile(&minutes, 0.95)?,
        over as f64 / minutes.len() as f64,
    ])
}

/// The mean over replications with its 95 % interval; `None` without a replication.
///
/// # Source
/// Independent replications: Law 2015, Simulation Modeling and Analysis, 9.5.2.
pub(super) fn over_replications(values: &[f64]) -> Option<Estimate> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let value = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - value).powi(2)).sum();
    let half = StudentsT::new(0.0, 1.0, n - 1.0)
        .ok()
        .map(|t| t.inverse_cdf(0.975) * (squares / (n - 1.0) / n).sqrt());
    Some(Estimate {
        value,
        low: half.map(|h| value - h),
        high: half.map(|h| value + h),
    })
}

/// Everything about all replications.
pub(super) fn gain(
    a: &Assumptions,
    disciplines: &[Discipline],
    replications: &[Vec<Summary>],
) -> WorklistGain {
    let results: Vec<DisciplineResult> = (0..)
        .zip(disciplines)
        .map(|(order, &discipline)| DisciplineResult {
            discipline,
            groups: (0..)
                .zip(Group::ALL)
                .filter_map(|(i, group)| of_group(a, discipline, replications, order, (i, group)))
                .collect(),
        })
        .collect();
    let studies = results
        .first()
        .and_then(|r| r.group(Group::All))
        .map_or(0, |g| g.studies);
    WorklistGain {
        assumed: assumed(a),
        studies,
        notes: notes(a),
        disciplines: results,
    }
}

fn of_group(
    a: &Assumptions,
    discipline: Discipline,
    replications: &[Vec<Summary>],
    order: usize,
    (i, group): (usize, Group),
) -> Option<GroupResult> {
    let of = |order: usize| {
        let each = replications.iter();
        each.filter_map(move |r| (*r.get(order)?.groups.get(i)?).as_ref())
    };
    let times = |select: fn(&GroupTimes) -> Five| {
        let values: Vec<Five> = of(order).map(select).collect();
        let mut all = estimates(&values)?;
        // Student's interval does not know that nobody waits less than nothing, and that a share ends at 1.
        for (i, estimate) in all.iter_mut().enumerate() {
            let most = if i == 4 { 1.0 } else { f64::MAX };
            estimate.low = estimate.low.map(|low| low.max(0.0));
            estimate.high = estimate.high.map(|high| high.min(most));
        }
        let [mean, median, percentile_90, percentile_95, over_target] = all;
        Some(Times {
            mean,
            median,
            percentile_90,
            percentile_95,
            over_target,
        })
    };
    // A study is of the same kind in every order, so that the replications with this kind are the same.
    let saved: Vec<Five> = of(0)
        .zip(of(order))
        .map(|(first, now)| std::array::from_fn(|k| first.turnaround[k] - now.turnaround[k]))
        .collect();
    let gain = estimates(&saved).filter(|_| order > 0);
    let theory = theory::means(a, discipline).map(|means| {
        let minutes = means.of(kind(group), a.prevalence);
        if means.turnaround {
            (None, Some(minutes))
        } else {
            (Some(minutes), Some(minutes + a.reading.mean()))
        }
    });
    let (theory_wait, theory_turnaround) = theory.unwrap_or_default();
    Some(GroupResult {
        group,
        studies: of(order).map(|g| g.studies).sum(),
        wait: times(|g| g.wait)?,
        turnaround: times(|g| g.turnaround)?,
        theory_wait,
        theory_turnaround,
        gain: gain.map(
            |[mean, median, percentile_90, percentile_95, over_target]| Gain {
                mean,
                median,
                percentile_90,
                percentile_95,
                over_target,
            },
        ),
    })
}

fn estimates(values: &[Five]) -> Option<[Estimate; 5]> {
    let column = |k: usize| {
        let values: Vec<f64> = values.iter().filter_map(|v| v.get(k).copied()).collect();
        over_replications(&values)
    };
    Some([column(0)?, column(1)?, column(2)?, column(3)?, column(4)?])
}

const fn kind(group: Group) -> Kind {
    match group {
        Group::All => Kind::All,
        Group::Positive => Kind::Positive,
        Group::Negative => Kind::Negative,
        Group::Missed => Kind::Missed,
        Group::FalseAlarm => Kind::FalseAlarm,
    }
}

fn assumed(a: &Assumptions) -> Assumed {
    let (sensitivity, specificity) = a.detector.rates();
    Assumed {
        arrivals_per_hour: a.arrivals_per_hour,
        hours: a.hours.clone(),
        reading_minutes: a.reading.mean(),
        reading: a.reading.words(),
        readers: a.readers,
        utilisation: a.utilisation(),
        prevalence: a.prevalence,
        sensitivity,
        specificity,
        flagged: a.prevalence * sensitivity + (1.0 - a.prevalence) * (1.0 - specificity),
        scored_studies: match &a.detector {
            Detector::Rates { .. } => None,
            Detector::Studies {
                positive, negative, ..
            } => Some((positive.len() + negative.len()) as u64),
        },
        detector_minutes: a.detector_minutes,
        longest_wait_minutes: a.longest_wait_minutes,
        target_minutes: a.target_minutes,
        days: a.days,
        warm_up_hours: a.warm_up(),
        replications: a.replications,
        seed: a.seed,
    }
}

fn notes(a: &Assumptions) -> Vec<String> {
    let mut notes = Vec::new();
    if a.utilisation() > 0.95 {
        notes.push(format!(
            "Readers are busy {:.1} % of the time: waits are long and move much with small changes of the load.",
            a.utilisation() * 100.0
        ));
    }
    if a.warm_up() > 24.0 * a.days {
        notes.push(
            "The warm-up is longer than what counts: give more days for narrower intervals."
                .to_owned(),
        );
    }
    if a.replications < 2 {
        notes.push("One replication has no intervals; give more.".to_owned());
    }
    notes
}
