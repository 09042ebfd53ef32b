//! What a simulated department is like.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reading::ReadingTime;

/// A department, its work list and its detector.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumptions {
    /// Studies that arrive, a day's average.
    ///
    /// # Units
    /// Studies an hour. Gaps between arrivals are exponential (a Poisson stream).
    pub arrivals_per_hour: f64,
    /// How busy each hour of the day is, relative to the others; empty: all alike.
    ///
    /// # Shape
    /// 24 numbers from midnight, or none.
    pub hours: Vec<f64>,
    /// How long a study takes to read.
    pub reading: ReadingTime,
    /// Radiologists who read from one list.
    pub readers: u32,
    /// Share of studies with a haemorrhage.
    pub prevalence: f64,
    /// What the detector knows of a study.
    pub detector: Detector,
    /// From a study's arrival to the detector's answer; until then the study lies in its place by arrival.
    pub detector_minutes: f64,
    /// A study that has waited so long goes first, whatever the detector says.
    pub longest_wait_minutes: Option<f64>,
    /// The turnaround that is wished for.
    pub target_minutes: f64,
    /// Orders to compare with first in, first out.
    pub disciplines: Vec<Discipline>,
    /// Days that count, in each replication.
    pub days: f64,
    /// Hours before that, in which the list fills; `None`: as long as this load needs, a day at least.
    pub warm_up_hours: Option<f64>,
    /// Independent repetitions; intervals come from these.
    pub replications: u32,
    /// Where all chance starts.
    pub seed: u64,
}

impl Default for Assumptions {
    /// A department of one reader who is busy four fifths of the time, and a middling detector.
    fn default() -> Self {
        Self {
            arrivals_per_hour: 6.0,
            hours: Vec::new(),
            reading: ReadingTime::LogNormal {
                mean: 8.0,
                variation: 0.6,
            },
            readers: 1,
            prevalence: 0.1,
            detector: Detector::Rates {
                sensitivity: 0.9,
                specificity: 0.9,
            },
            detector_minutes: 2.0,
            longest_wait_minutes: None,
            target_minutes: 60.0,
            disciplines: vec![Discipline::FlaggedFirst],
            days: 60.0,
            warm_up_hours: None,
            replications: 40,
            seed: 0,
        }
    }
}

/// What a detector knows of a study.
#[derive(Clone, Debug, PartialEq)]
pub enum Detector {
    /// It flags by chance, with these rates.
    Rates {
        /// Share of the haemorrhages that it flags.
        sensitivity: f64,
        /// Share of the others that it does not.
        specificity: f64,
    },
    /// It scores as it did on real studies, which are drawn with replacement.
    Studies {
        /// The scores of studies with a haemorrhage.
        positive: Vec<f64>,
        /// The scores of studies without.
        negative: Vec<f64>,
        /// It flags what scores at least this.
        threshold: f64,
    },
}

impl Detector {
    /// The share of haemorrhages flagged, and of others not flagged.
    pub fn rates(&self) -> (f64, f64) {
        match self {
            Self::Rates {
                sensitivity,
                specificity,
            } => (*sensitivity, *specificity),
            Self::Studies {
                positive,
                negative,
                threshold,
            } => {
                let flagged = |scores: &[f64]| {
                    let count = scores.iter().filter(|s| *s >= threshold).count();
                    count as f64 / scores.len().max(1) as f64
                };
                (flagged(positive), 1.0 - flagged(negative))
            }
        }
    }
}

/// The order in which waiting studies are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discipline {
    /// By arrival.
    FirstInFirstOut,
    /// Flagged studies first, each kind by arrival; a reading that has begun is finished.
    FlaggedFirst,
    /// The highest score first; a reading that has begun is finished. Studies without a score yet come last.
    HighestScore,
    /// Flagged studies first, and a reader lays an unflagged study aside for one, to go on with it later.
    FlaggedInterrupts,
}

impl Discipline {
    /// As a reader is told.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FirstInFirstOut => "first in, first out",
            Self::FlaggedFirst => "flagged first",
            Self::HighestScore => "highest score first",
            Self::FlaggedInterrupts => "flagged interrupts",
        }
    }
}

/// Why a work list cannot be simulated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorklistError {
    /// More work than readers.
    #[error(
        "{arrivals_per_hour} studies an hour of {reading_minutes} minutes keep {readers} reader(s) busy {:.0} % of the time: the list would grow without end. Give at least {enough} readers, or at most {most:.2} arrivals an hour",
        utilisation * 100.0
    )]
    Overload {
        /// Arrivals.
        arrivals_per_hour: f64,
        /// Mean reading time.
        reading_minutes: f64,
        /// Readers.
        readers: u32,
        /// Work ÷ readers.
        utilisation: f64,
        /// Readers that would keep up.
        enough: u32,
        /// Arrivals that these readers keep up with, at 95 % of their time.
        most: f64,
    },
    /// A number is none that it can be.
    #[error("{what} is {value}; it must be {must}")]
    Number {
        /// Which.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What it must be.
        must: &'static str,
    },
    /// The profile of the day is no 24 numbers.
    #[error("the day's profile has {found} hours; give 24, from midnight")]
    Hours {
        /// How many were given.
        found: usize,
    },
    /// No study to draw scores from.
    #[error("no study {kind} haemorrhage to draw scores from; give predictions of both kinds")]
    NoStudies {
        /// `with` or `without`.
        kind: &'static str,
    },
    /// An order by score without scores.
    #[error(
        "the order by highest score needs the scores of real studies; give predictions, or choose another order"
    )]
    NoScores,
    /// No reading time.
    #[error("there is no reading time to draw from; give at least one")]
    NoReadingTimes,
    /// More events than anybody wants to wait for.
    #[error(
        "{studies:.0} studies in all are more than {most:.0}; choose fewer days, replications or arrivals, or a shorter warm-up"
    )]
    TooMany {
        /// Studies that would be simulated.
        studies: f64,
        /// The most.
        most: f64,
    },
}

/// Studies, all replications together, above which a simulation is refused.
const MOST: f64 = 2e8;

impl Assumptions {
    /// Work ÷ readers: the share of the time in which a reader is busy.
    pub fn utilisation(&self) -> f64 {
        self.arrivals_per_hour / 60.0 * self.reading.mean() / f64::from(self.readers)
    }

    /// The hours before anything counts.
    ///
    /// # Source
    /// Five times the relaxation time of M/M/c, (1 − √ρ)⁻² services of the whole staff (Cohen 1982, The Single Server
    /// Queue, III.7), scaled by the reading times' variation; a day at least.
    pub fn warm_up(&self) -> f64 {
        self.warm_up_hours.unwrap_or_else(|| {
            let root = 1.0 - self.utilisation().sqrt();
            let service = self.reading.mean() / 60.0 / f64::from(self.readers);
            let spread = self.reading.second_moment() / self.reading.mean().powi(2) / 2.0;
            (5.0 * service * spread.max(0.5) / (root * root)).max(24.0)
        })
    }

    /// Studies that count in each replication, on average.
    pub fn counted(&self) -> f64 {
        self.arrivals_per_hour * 24.0 * self.days
    }

    /// # Errors
    /// [`WorklistError`] for what cannot be simulated.
    pub(super) fn check(&self) -> Result<(), WorklistError> {
        let number = |what, value: f64, fine: bool, must| {
            (value.is_finite() && fine)
                .then_some(())
                .ok_or(WorklistError::Number { what, value, must })
        };
        let above = |what, value: f64| number(what, value, value > 0.0, "more than 0");
        let from = |what, value: f64| number(what, value, value >= 0.0, "0 or more");
        let share = |what, value: f64| {
            number(
                what,
                value,
                (0.0..=1.0).contains(&value),
                "a share from 0 to 1",
            )
        };
        above("arrivals an hour", self.arrivals_per_hour)?;
        self.reading.check()?;
        above("the number of readers", f64::from(self.readers))?;
        share("the prevalence", self.prevalence)?;
        from("the detector's delay", self.detector_minutes)?;
        if let Some(limit) = self.longest_wait_minutes {
            from("the longest wait", limit)?;
        }
        from("the target", self.target_minutes)?;
        above("the number of days", self.days)?;
        above("the number of replications", f64::from(self.replications))?;
        if !self.hours.is_empty() {
            if self.hours.len() != 24 {
                return Err(WorklistError::Hours {
                    found: self.hours.len(),
                });
            }
            for &hour in &self.hours {
                from("an hour's weight", hour)?;
            }
            above("the day's profile, added up,", self.hours.iter().sum())?;
        }
        match &self.detector {
            Detector::Rates {
                sensitivity,
                specificity,
            } => {
                share("the sensitivity", *sensitivity)?;
                share("the specificity", *specificity)?;
                if self.disciplines.contains(&Discipline::HighestScore) {
                    return Err(WorklistError::NoScores);
                }
            }
            Detector::Studies {
                positive,
                negative,
                threshold,
            } => {
                if positive.is_empty() && self.prevalence > 0.0 {
                    return Err(WorklistError::NoStudies { kind: "with" });
                }
                if negative.is_empty() && self.prevalence < 1.0 {
                    return Err(WorklistError::NoStudies { kind: "without" });
                }
                for &value in positive.iter().chain(negative).chain([threshold]) {
                    number("a score or threshold", value, true, "a finite number")?;
                }
            }
        }
        let utilisation = self.utilisation();
        if utilisation >= 1.0 {
            let alone = self.arrivals_per_hour / 60.0 * self.reading.mean();
            return Err(WorklistError::Overload {
                arrivals_per_hour: self.arrivals_per_hour,
                reading_minutes: self.reading.mean(),
                readers: self.readers,
                utilisation,
                enough: alone.floor() as u32 + 1,
                most: 0.95 * f64::from(self.readers) * 60.0 / self.reading.mean(),
            });
        }
        from("the warm-up", self.warm_up())?;
        let each = self.arrivals_per_hour * (24.0 * self.days + self.warm_up());
        let studies = each * f64::from(self.replications);
        if studies > MOST {
            return Err(WorklistError::TooMany {
                studies,
                most: MOST,
            });
        }
        Ok(())
    }
}
