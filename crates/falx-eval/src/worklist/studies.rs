//! The studies of one replication: the same ones for every order of reading.

use falx_core::random;
use rand::{Rng, RngExt};

use super::assumptions::{Assumptions, Detector};
use super::reading::{exponential, pick};

/// One study on the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Study {
    /// When it arrives, in minutes from the replication's start.
    pub(super) arrival: f64,
    /// How long its reading takes, in minutes.
    pub(super) reading: f64,
    /// True with a haemorrhage.
    pub(super) positive: bool,
    /// True where the detector flags it.
    pub(super) flagged: bool,
    /// The detector's score.
    pub(super) score: f64,
}

/// Studies in the order of their arrival, made when asked for.
pub(super) struct Studies<'a, R> {
    assumptions: &'a Assumptions,
    rng: R,
    made: Vec<Study>,
    /// The share of a day's arrivals that has come by the start of each hour, 25 numbers; empty: all hours alike.
    by_hour: Vec<f64>,
    /// The last arrival, in days' worth of arrivals.
    reached: f64,
}

/// The studies of one replication.
pub(super) fn studies(a: &Assumptions, replication: u32) -> Studies<'_, impl Rng + use<>> {
    let sum: f64 = a.hours.iter().sum();
    let mut by_hour = Vec::new();
    if !a.hours.is_empty() {
        let mut so_far = 0.0;
        by_hour.push(0.0);
        for hour in &a.hours {
            so_far += hour / sum;
            by_hour.push(so_far);
        }
    }
    Studies {
        assumptions: a,
        rng: random::stream(a.seed, "work list", &[u64::from(replication)]),
        made: Vec::new(),
        by_hour,
        reached: 0.0,
    }
}

impl<R: Rng> Studies<'_, R> {
    /// The study that arrives as number `i`.
    pub(super) fn get(&mut self, i: usize) -> Study {
        while self.made.len() <= i {
            let study = self.next();
            self.made.push(study);
        }
        self.made.get(i).copied().unwrap_or(Study {
            arrival: f64::MAX,
            reading: 0.0,
            positive: false,
            flagged: false,
            score: 0.0,
        })
    }

    fn next(&mut self) -> Study {
        let a = self.assumptions;
        self.reached += exponential(&mut self.rng) / (a.arrivals_per_hour * 24.0);
        let positive = self.rng.random::<f64>() < a.prevalence;
        let reading = a.reading.draw(&mut self.rng);
        let (flagged, score) = match &a.detector {
            Detector::Rates {
                sensitivity,
                specificity,
            } => {
                let chance = if positive {
                    *sensitivity
                } else {
                    1.0 - specificity
                };
                let flagged = self.rng.random::<f64>() < chance;
                (flagged, f64::from(u8::from(flagged)))
            }
            Detector::Studies {
                positive: with,
                negative: without,
                threshold,
            } => {
                let score = pick(if positive { with } else { without }, &mut self.rng);
                (score >= *threshold, score)
            }
        };
        Study {
            arrival: self.clock(self.reached),
            reading,
            positive,
            flagged,
            score,
        }
    }

    /// The minute at which so many days' worth of arrivals have come.
    fn clock(&self, days: f64) -> f64 {
        const HOUR: f64 = 60.0;
        let (day, part) = (days.floor(), days.fract());
        let after = self.by_hour.partition_point(|&share| share <= part);
        let (Some(hour), Some(&end)) = (after.checked_sub(1), self.by_hour.get(after)) else {
            // All hours alike; or, by rounding, the day's very end.
            let into = if self.by_hour.is_empty() { part } else { 1.0 };
            return (day + into) * 24.0 * HOUR;
        };
        let start = self.by_hour.get(hour).copied().unwrap_or_default();
        let into = (part - start) / (end - start);
        (day * 24.0 + hour as f64 + into) * HOUR
    }
}
