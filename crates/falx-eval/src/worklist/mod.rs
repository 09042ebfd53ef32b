//! What a detector is worth on a radiology work list: a simulation of who is read when, beside queueing theory.
//!
//! Studies arrive by chance, wait in one list, and are read by the next free reader. [`simulate`] runs the same studies
//! through first in, first out and through orders that a detector's flags make, and says how much sooner haemorrhages
//! are read, and what the others pay for it: where no reader is idle while a study waits, minutes are only moved.
//!
//! Where queueing theory has an exact formula ([`theory`]) it stands beside the simulated number.

mod assumptions;
mod evaluated;
mod files;
mod gain;
mod queue;
mod reading;
mod studies;
mod summary;
#[cfg(test)]
mod tests;
mod text;
pub mod theory;

pub use assumptions::{Assumptions, Detector, Discipline, WorklistError};
pub(crate) use evaluated::{lines, of_studies};
pub use files::{DetectorFileError, FoundDetector, read_evaluation, read_studies};
pub use gain::{Assumed, DisciplineResult, Gain, Group, GroupResult, Times, WorklistGain};
pub use reading::ReadingTime;

use rayon::prelude::*;

use queue::Rules;
use summary::Summary;

/// Runs a work list under several orders of reading, always with first in, first out as the first.
///
/// All orders read the same studies with the same reading times (common random numbers), so that a difference between
/// them is the order's. Each replication has its own random stream; threads change nothing.
///
/// # Errors
/// [`WorklistError`] where more work arrives than can be read, or a number is none that it can be.
pub fn simulate(assumptions: &Assumptions) -> Result<WorklistGain, WorklistError> {
    assumptions.check()?;
    let mut disciplines = vec![Discipline::FirstInFirstOut];
    for &discipline in &assumptions.disciplines {
        if !disciplines.contains(&discipline) {
            disciplines.push(discipline);
        }
    }
    let summaries: Vec<Vec<Summary>> = (0..assumptions.replications)
        .into_par_iter()
        .map(|replication| replicate(assumptions, &disciplines, replication))
        .collect();
    Ok(summary::gain(assumptions, &disciplines, &summaries))
}

/// One replication under every order.
fn replicate(a: &Assumptions, disciplines: &[Discipline], replication: u32) -> Vec<Summary> {
    let mut studies = studies::studies(a, replication);
    let starts = a.warm_up() * 60.0;
    let ends = starts + a.days * 24.0 * 60.0;
    let mut first = 0;
    while studies.get(first).arrival < starts {
        first += 1;
    }
    let mut last = first;
    while studies.get(last).arrival < ends {
        last += 1;
    }
    disciplines
        .iter()
        .map(|&discipline| {
            let rules = Rules {
                discipline,
                readers: a.readers as usize,
                detector_minutes: a.detector_minutes,
                longest_wait: a.longest_wait_minutes,
            };
            let read = queue::run(&mut studies, rules, first..last);
            Summary::new(&read, a.target_minutes)
        })
        .collect()
}
