//! What queueing theory says without simulating.

use super::assumptions::{Assumptions, Detector, Discipline};
use super::reading::ReadingTime;

/// The chance that an arrival finds all of `servers` busy, in M/M/c.
///
/// # Units
/// `load` is arrival rate × mean service time, below `servers`.
///
/// # Source
/// Erlang 1917 (his C formula).
pub fn erlang_c(servers: u32, load: f64) -> Option<f64> {
    let c = f64::from(servers);
    if servers == 0 || !(load >= 0.0 && load < c) {
        return None;
    }
    // Erlang's B by its recursion, which neither overflows nor cancels.
    let blocked = (1..=servers).fold(1.0, |b, n| load * b / (f64::from(n) + load * b));
    Some(c * blocked / (c - load * (1.0 - blocked)))
}

/// The mean wait of an arrival that overtakes nobody, or `None` where no exact formula is known: several servers with
/// reading times that are not exponential.
///
/// # Units
/// Minutes; `rate` is arrivals a minute.
///
/// # Source
/// One server: Pollaczek 1930, Khinchine 1932. Several: Erlang's C.
pub fn first_come_wait(rate: f64, reading: &ReadingTime, servers: u32) -> Option<f64> {
    let busy = rate * reading.mean() / f64::from(servers);
    Some(work_ahead(rate, reading, servers)? / (1.0 - busy))
}

/// The mean time until a server is free where nobody waits ahead: the residual work that an arrival meets.
fn work_ahead(rate: f64, reading: &ReadingTime, servers: u32) -> Option<f64> {
    let load = rate * reading.mean();
    if load.is_nan() || load >= f64::from(servers) {
        return None;
    }
    match (servers, reading) {
        (1, _) => Some(rate * reading.second_moment() / 2.0),
        (_, ReadingTime::Exponential { mean }) => {
            Some(erlang_c(servers, load)? * mean / f64::from(servers))
        }
        _ => None,
    }
}

/// The mean wait of each class, the first class first, where a service that has begun is finished.
///
/// # Units
/// Minutes; rates are arrivals a minute.
///
/// # Source
/// Cobham 1954 (J Oper Res Soc Am 2:70), also for several servers with exponential times.
pub fn priority_waits(rates: &[f64], reading: &ReadingTime, servers: u32) -> Option<Vec<f64>> {
    let ahead = work_ahead(rates.iter().sum(), reading, servers)?;
    let share = reading.mean() / f64::from(servers);
    let mut before = 0.0;
    let waits = rates.iter().map(|rate| {
        let after = before + rate * share;
        let wait = ahead / ((1.0 - before) * (1.0 - after));
        before = after;
        wait
    });
    Some(waits.collect())
}

/// The mean turnarounds of two classes where the first interrupts the second, which goes on later where it was.
///
/// # Units
/// Minutes; rates are arrivals a minute.
///
/// # Source
/// White, Christie 1958 (Oper Res 6:79) for one server; for several with exponential times the first class sees M/M/c
/// alone, and the number in the system does not depend on the order (Buzen, Bondi 1983, Oper Res 31:456).
pub fn interrupting_turnarounds(
    rates: [f64; 2],
    reading: &ReadingTime,
    servers: u32,
) -> Option<[f64; 2]> {
    let [first, second] = rates;
    let both = first + second;
    let alone = first_come_wait(first, reading, servers)? + reading.mean();
    if servers == 1 {
        let (before, after) = (first * reading.mean(), both * reading.mean());
        let residual = both * reading.second_moment() / 2.0;
        let later = reading.mean() / (1.0 - before) + residual / ((1.0 - before) * (1.0 - after));
        return Some([alone, later]);
    }
    let all = first_come_wait(both, reading, servers)? + reading.mean();
    (second > 0.0).then(|| [alone, (both * all - first * alone) / second])
}

/// Mean times by kind of study, in minutes; `None` where no formula is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Means {
    /// Of studies in the first class.
    flagged: f64,
    /// Of studies in the second.
    unflagged: f64,
    /// Of studies with a haemorrhage; differs from the classes' mixture only where there are more than two.
    positive: f64,
    negative: f64,
    /// True where these are turnarounds, false where they are waits.
    pub(super) turnaround: bool,
}

/// What kind of study a mean is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    All,
    Positive,
    Negative,
    Missed,
    FalseAlarm,
}

impl Means {
    pub(super) fn of(&self, kind: Kind, prevalence: f64) -> f64 {
        match kind {
            Kind::All => prevalence * self.positive + (1.0 - prevalence) * self.negative,
            Kind::Positive => self.positive,
            Kind::Negative => self.negative,
            Kind::Missed => self.unflagged,
            Kind::FalseAlarm => self.flagged,
        }
    }
}

/// What theory says of an order under these assumptions; `None` where it has no exact formula for them.
pub(super) fn means(a: &Assumptions, discipline: Discipline) -> Option<Means> {
    if !a.hours.is_empty() {
        return None;
    }
    let rate = a.arrivals_per_hour / 60.0;
    if discipline == Discipline::FirstInFirstOut {
        let wait = first_come_wait(rate, &a.reading, a.readers)?;
        return Some(Means {
            flagged: wait,
            unflagged: wait,
            positive: wait,
            negative: wait,
            turnaround: false,
        });
    }
    if a.detector_minutes > 0.0 || a.longest_wait_minutes.is_some() {
        return None;
    }
    if discipline == Discipline::HighestScore {
        return by_score(a, rate);
    }
    let (sensitivity, specificity) = a.detector.rates();
    let share = a.prevalence * sensitivity + (1.0 - a.prevalence) * (1.0 - specificity);
    let rates = [rate * share, rate * (1.0 - share)];
    let turnaround = discipline == Discipline::FlaggedInterrupts;
    let [flagged, unflagged] = if turnaround {
        interrupting_turnarounds(rates, &a.reading, a.readers)?
    } else {
        let waits = priority_waits(&rates, &a.reading, a.readers)?;
        [*waits.first()?, *waits.get(1)?]
    };
    Some(Means {
        flagged,
        unflagged,
        positive: sensitivity * flagged + (1.0 - sensitivity) * unflagged,
        negative: specificity * unflagged + (1.0 - specificity) * flagged,
        turnaround,
    })
}

/// Every distinct score is a class of its own.
fn by_score(a: &Assumptions, rate: f64) -> Option<Means> {
    let Detector::Studies {
        positive,
        negative,
        threshold,
    } = &a.detector
    else {
        return None;
    };
    let weight = |share: f64, scores: &[f64]| share / scores.len().max(1) as f64;
    let with = weight(a.prevalence, positive);
    let without = weight(1.0 - a.prevalence, negative);
    let mut scores: Vec<(f64, f64, f64)> = positive.iter().map(|&s| (s, with, 0.0)).collect();
    scores.extend(negative.iter().map(|&s| (s, 0.0, without)));
    scores.sort_unstable_by(|x, y| y.0.total_cmp(&x.0));
    let classes: Vec<(f64, f64, f64)> = scores
        .chunk_by(|x, y| x.0 == y.0)
        .filter_map(|same| {
            let score = same.first()?.0;
            let sum = |of: fn(&(f64, f64, f64)) -> f64| same.iter().map(of).sum::<f64>();
            Some((score, sum(|s| s.1), sum(|s| s.2)))
        })
        .collect();
    let rates: Vec<f64> = classes.iter().map(|c| rate * (c.1 + c.2)).collect();
    let waits = priority_waits(&rates, &a.reading, a.readers)?;
    let mean = |of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        let (mut sum, mut whole) = (0.0, 0.0);
        for (class, wait) in classes.iter().zip(&waits) {
            sum += of(class) * wait;
            whole += of(class);
        }
        if whole > 0.0 { sum / whole } else { 0.0 }
    };
    Some(Means {
        flagged: mean(&|c| if c.0 >= *threshold { c.2 } else { 0.0 }),
        unflagged: mean(&|c| if c.0 < *threshold { c.1 } else { 0.0 }),
        positive: mean(&|c| c.1),
        negative: mean(&|c| c.2),
        turnaround: false,
    })
}
