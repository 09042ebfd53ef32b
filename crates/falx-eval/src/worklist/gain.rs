//! What a simulation found, as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assumptions::Discipline;
use crate::Estimate;

/// How much sooner haemorrhages are read when a detector orders the work list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorklistGain {
    /// What was assumed.
    pub assumed: Assumed,
    /// Studies that count, all replications together.
    pub studies: u64,
    /// First in, first out, then the others.
    pub disciplines: Vec<DisciplineResult>,
    /// What a reader must know of these numbers.
    pub notes: Vec<String>,
}

/// The assumptions as a reader is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assumed {
    /// Studies an hour.
    pub arrivals_per_hour: f64,
    /// How busy each hour is, from midnight, relative to the others; empty: all alike.
    pub hours: Vec<f64>,
    /// The mean reading time in minutes.
    pub reading_minutes: f64,
    /// Reading times in words.
    pub reading: String,
    /// Readers of one list.
    pub readers: u32,
    /// The share of the time in which a reader is busy.
    pub utilisation: f64,
    /// Share of studies with a haemorrhage.
    pub prevalence: f64,
    /// Share of these that the detector flags.
    pub sensitivity: f64,
    /// Share of the others that it does not flag.
    pub specificity: f64,
    /// Share of all that it flags.
    pub flagged: f64,
    /// Real studies whose scores were drawn; `None` where flags were drawn by their rates.
    pub scored_studies: Option<u64>,
    /// Minutes from arrival to the detector's answer.
    pub detector_minutes: f64,
    /// Minutes after which a study goes first whatever the detector says.
    pub longest_wait_minutes: Option<f64>,
    /// The turnaround that is wished for, in minutes.
    pub target_minutes: f64,
    /// Days that count in each replication.
    pub days: f64,
    /// Hours before that.
    pub warm_up_hours: f64,
    /// Independent repetitions.
    pub replications: u32,
    /// The seed.
    pub seed: u64,
}

/// One order of reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DisciplineResult {
    /// The order.
    pub discipline: Discipline,
    /// All studies, and kinds of them; a kind that never occurs is left out.
    pub groups: Vec<GroupResult>,
}

impl DisciplineResult {
    /// A kind of study.
    pub fn group(&self, group: Group) -> Option<&GroupResult> {
        self.groups.iter().find(|g| g.group == group)
    }
}

/// A kind of study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// All studies.
    All,
    /// With a haemorrhage.
    Positive,
    /// With a haemorrhage that the detector does not flag.
    Missed,
    /// Without a haemorrhage.
    Negative,
    /// Without a haemorrhage, and flagged.
    FalseAlarm,
}

impl Group {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::All,
        Self::Positive,
        Self::Missed,
        Self::Negative,
        Self::FalseAlarm,
    ];

    /// As a reader is told.
    pub const fn words(self) -> &'static str {
        match self {
            Self::All => "all studies",
            Self::Positive => "haemorrhage",
            Self::Missed => "haemorrhage, missed",
            Self::Negative => "no haemorrhage",
            Self::FalseAlarm => "false alarm",
        }
    }
}

/// How long a kind of study takes in one order of reading. Intervals are 95 %, from Student's t over replications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupResult {
    /// The kind.
    pub group: Group,
    /// Studies of the kind, all replications together.
    pub studies: u64,
    /// From arrival to the start of the reading.
    pub wait: Times,
    /// From arrival to its end.
    pub turnaround: Times,
    /// What queueing theory says the mean wait is; `None` where it has no exact formula.
    pub theory_wait: Option<f64>,
    /// What queueing theory says the mean turnaround is.
    pub theory_turnaround: Option<f64>,
    /// The turnaround saved against first in, first out on the same studies; `None` for that order itself.
    pub gain: Option<Gain>,
}

/// Times in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    /// The mean.
    pub mean: Estimate,
    /// The median.
    pub median: Estimate,
    /// The 90th percentile.
    pub percentile_90: Estimate,
    /// The 95th percentile.
    pub percentile_95: Estimate,
    /// The share above the target.
    pub over_target: Estimate,
}

/// What is saved against first in, first out: differences on the same studies, positive where time is saved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gain {
    /// Of the mean, in minutes.
    pub mean: Estimate,
    /// Of the median, in minutes.
    pub median: Estimate,
    /// Of the 90th percentile, in minutes.
    pub percentile_90: Estimate,
    /// Of the 95th percentile, in minutes.
    pub percentile_95: Estimate,
    /// Of the share above the target.
    pub over_target: Estimate,
}

impl WorklistGain {
    /// The result of one order.
    pub fn of(&self, discipline: Discipline) -> Option<&DisciplineResult> {
        self.disciplines.iter().find(|d| d.discipline == discipline)
    }

    /// The result as the table that the command line prints.
    pub fn to_text(&self) -> String {
        super::text::gain(self)
    }
}
